"""From the journal to the outbox: each event becomes one delivery for each channel that wants it, in commit order.

The deliveries and the reader's place are one transaction: whoever dies between two batches leaves neither
a gap nor a second delivery, and the unique key would refuse the second one anyway.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min

from bots import locks
from bots.domain import announcement
from bots.domain.announcement import BY_KIND, PING, Happening
from bots.domain.channel import ChannelStatus
from bots.models import Channel, Delivery, JournalPlace
from bots.services import happenings
from trading import doorbell
from trading.kinds import step, write
from trading.models import Event
from trading.services import journal

READER = "outbox"
BATCH = 500
# Of a task; what is left is taken a second later.
_MOST_BATCHES = 20
# After every event of its transaction.
_LAST = 2**63 - 1
_ID_BYTES = 18

Place = tuple[int, int]


@step
def collect(*, at: datetime) -> int:
    """Owe what happened to whoever wants to be told; how many events were read."""
    read = 0
    for _ in range(_MOST_BATCHES):
        batch = _collect(at=at)
        read += batch
        if batch < BATCH:
            break
    return read


def is_behind() -> bool:
    """Whether something happened since the last look that some channel may want."""
    oldest = Channel.objects.kept_for().aggregate(oldest=Min("after_transaction"))["oldest"]
    if oldest is None:
        return False
    place = JournalPlace.objects.filter(reader=READER).first()
    return bool(_read(_start(place, oldest), limit=1))


@write
def _collect(*, at: datetime) -> int:
    place = locks.place(READER)
    channels = list(Channel.objects.kept_for().order_by("pk"))
    if place is None or not channels:
        return 0
    events = _read(_start(place, min(channel.after_transaction for channel in channels)), limit=BATCH)
    if not events:
        return 0
    _owe(events, channels, at=at)
    place.transaction_number, place.event_id = events[-1].transaction_number, events[-1].pk
    place.save(update_fields=["transaction_number", "event_id"])
    return len(events)


def _start(place: JournalPlace | None, oldest: int) -> Place:
    """Where to go on. What lies before every channel's beginning is nobody's, however much it is."""
    beginning = (oldest, _LAST)
    return max((place.transaction_number, place.event_id), beginning) if place else beginning


def _read(place: Place, *, limit: int) -> list[Event]:
    return journal.read_after(transaction_number=place[0], event_id=place[1], limit=limit)


def _owe(events: Sequence[Event], channels: Sequence[Channel], *, at: datetime) -> None:
    told = happenings.of(event for event in events if event.kind in BY_KIND)
    by_number = {event.pk: event for event in events}
    owed = [
        _delivery(happening, channel, at=at)
        for happening in told
        for channel in channels
        if _is_for(channel, happening, transaction_number=by_number[happening.number].transaction_number)
    ]
    Delivery.objects.bulk_create(owed, ignore_conflicts=True)
    for channel_id in {each.channel_id for each in owed if each.channel.status == ChannelStatus.ACTIVE}:
        doorbell.ring("delivery.owed", key=channel_id)


def _is_for(channel: Channel, happening: Happening, *, transaction_number: int) -> bool:
    if happening.kind == PING:
        return happening.subject == f"channel:{channel.pk}"
    return channel.is_for(happening.kind, account=happening.account, transaction_number=transaction_number)


def _delivery(happening: Happening, channel: Channel, *, at: datetime) -> Delivery:
    return Delivery(
        event_id=happening.number,
        channel=channel,
        message_id=f"msg_{secrets.token_urlsafe(_ID_BYTES)}",
        thread=happening.thread,
        body=announcement.body(happening),
        created_at=at,
        next_action_at=at,
    )
