"""Row locks, in one order for everybody, so that two writes can't wait for each other.

account → usage → sender → intent → order → position → protection → cursor → mode → feed → reader → channel;
ids ascending inside each.
`NO KEY UPDATE`, since a plain `FOR UPDATE` would also stop every insert that points at the row.
"""

from collections.abc import Iterable

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from trading.domain.errors import Unavailable
from trading.kinds import held_locks, piece
from trading.lanes import Lease, LeaseLost
from trading.models import ModeState, Position, PriceFeed, Protection, Trader, many

ORDER = ("account", "usage", "sender", "intent", "order", "position", "protection", "cursor", "mode", "feed", "reader", "channel")


class Crowded(Unavailable):
    """Too many wait for the same lock: PostgreSQL's patience ended before our turn came. Nothing was written."""

    code = "LOCK_CROWDED"


class LockOrder(RuntimeError):
    """A write asked for a lock that comes before one it already holds."""


def enter(kind: str) -> None:
    """Note a lock about to be taken.

    Raises:
        LockOrder: if a later one is already held.
    """
    rank = ORDER.index(kind)
    if any(held > rank for held in held_locks.get()):
        raise LockOrder(f"{kind} is locked after {ORDER[max(held_locks.get())]}")
    held_locks.set((*held_locks.get(), rank))


@piece
def account(lease: Lease) -> Trader:
    """The account that a lease is for.

    Raises:
        LeaseLost: if its epoch has moved on.
    """
    enter("account")
    trader = Trader.objects.select_for_update(no_key=True).filter(pk=lease.pk, epoch=lease.epoch).first()
    if trader is None:
        raise LeaseLost(f"account {lease.pk} has another holder", account=lease.pk, epoch=lease.epoch)
    return trader


@piece
def accounts(trader_ids: Iterable[int]) -> list[Trader]:
    """Several accounts, ascending."""
    enter("account")
    return list(Trader.objects.select_for_update(no_key=True).filter(pk__in=set(trader_ids)).order_by("pk"))


@piece
def usage(keys: Iterable[str]) -> None:
    """What several accounts share a limit on, by name, ascending; until the transaction ends.

    Raises:
        Crowded: if others held one of them for too long; the transaction is lost.
    """
    enter("usage")
    try:
        with connection.cursor() as cursor:
            for key in sorted(keys):
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Crowded("others hold a shared cap for too long") from None
        raise


@piece
def positions(position_ids: Iterable[int]) -> list[Position]:
    """Several positions with their traders, ascending."""
    enter("position")
    locked = Position.objects.select_for_update(no_key=True, of=("self",)).select_related("trader")
    return list(locked.filter(pk__in=set(position_ids)).order_by("pk"))


@piece
def protections(protection_ids: Iterable[int]) -> list[Protection]:
    """Several protections with their positions, ascending."""
    enter("protection")
    rows = Protection.objects.with_position().filter(pk__in=many.among(set(protection_ids)))
    return list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))


@piece
def mode_state() -> ModeState:
    """The one row of the execution mode."""
    enter("mode")
    return ModeState.objects.select_for_update(no_key=True).get(pk=1)


@piece
def price_feeds() -> dict[str, PriceFeed]:
    """Every price feed, by its name: rounds are written one after another."""
    enter("feed")
    return {feed.name: feed for feed in PriceFeed.objects.select_for_update(no_key=True).order_by("pk")}
