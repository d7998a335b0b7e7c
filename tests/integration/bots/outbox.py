"""The outbox as tests work it: a clock that they hold, events that happen, rounds that are worked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from bots.models import Channel, Delivery
from bots.ports import Postman
from bots.services import collecting, deliveries
from execution.services.warrants import Warrant
from tests.factories import NOW
from tests.factories.trading import SignalFactory
from trading.kinds import write
from trading.models import Signal
from trading.services import journal


class Held:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


def by(at: datetime = NOW) -> Warrant:
    """Somebody's word."""
    return Warrant(actor="rita", reason="a drill", at=at)


@write
def happen(kind: str, signal: Signal, *, at: datetime = NOW, **facts: Any) -> None:
    """Something happens to a signal."""
    journal.record(kind, signal, at=at, trace_id=signal.trace_id, **facts)


STORY = ("signal.received", "decision.approved", "order.filled")


def story(signal: Signal | None = None, kinds: Iterable[str] = STORY) -> Signal:
    """What happens on a signal's way."""
    signal = signal or SignalFactory()
    for kind in kinds:
        happen(kind, signal)
    return signal


def collect(at: datetime = NOW) -> int:
    """Read the journal."""
    return collecting.collect(at=at)


def drain(channel: Channel, postman: Postman, clock: Held) -> bool:
    """Tell a channel what is due."""
    return deliveries.drain(channel_id=channel.pk, postman=postman, clock=clock)


def settle(channel: Channel, postman: Postman, clock: Held, *, days: int = 4) -> None:
    """Jump from one due instant to the next until nothing is owed, or so many days are over."""
    end = clock.now + timedelta(days=days)
    while True:
        drain(channel, postman, clock)
        due = next_due(channel)
        if due is None or due > end:
            return
        clock.now = max(due, clock.now)


def next_due(channel: Channel) -> datetime | None:
    """When something can be told next; None: never."""
    channel.refresh_from_db()
    in_turn = Delivery.objects.ready(at=NOW + timedelta(days=36_500)).filter(channel=channel)
    waiting = in_turn.order_by("next_action_at").first()
    if waiting is None or channel.status != "ACTIVE":
        return None
    times = [at for at in (waiting.next_action_at, channel.resting_until) if at is not None]
    return max(times)


def statuses(channel: Channel) -> list[tuple[str, int]]:
    """Each delivery's status and attempts, oldest first."""
    return list(channel.deliveries.order_by("pk").values_list("status", "attempts"))


def end_leases() -> None:
    """Let the leases of the dead end."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE channels SET leased_until = NULL")
