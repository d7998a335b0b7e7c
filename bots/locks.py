"""Row locks of `bots`, in the one order of `trading.locks`."""

from bots.models import Channel, JournalPlace
from trading.kinds import piece
from trading.lanes import Lease, LeaseLost
from trading.locks import enter


@piece
def place(reader: str) -> JournalPlace | None:
    """A reader's place in the journal; None while somebody else reads for him."""
    enter("reader")
    JournalPlace.objects.get_or_create(reader=reader)
    return JournalPlace.objects.select_for_update(no_key=True, skip_locked=True).filter(reader=reader).first()


@piece
def channel(lease: Lease) -> Channel:
    """The channel that a lease is for.

    Raises:
        LeaseLost: if its epoch has moved on.
    """
    enter("channel")
    found = Channel.objects.select_for_update(no_key=True).filter(pk=lease.pk, epoch=lease.epoch).first()
    if found is None:
        raise LeaseLost(f"channel {lease.pk} has another holder", channel=lease.pk, epoch=lease.epoch)
    return found


@piece
def channel_of(channel_id: int) -> Channel | None:
    """A channel, whoever works its lane: for what people do. Between two writes of a drain it holds. None: there is none."""
    enter("channel")
    return Channel.objects.select_for_update(no_key=True).filter(pk=channel_id).first()
