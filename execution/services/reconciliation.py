"""Reconciliation: accounts against the venue, at the very block that our books have reached.

Both sides speak of one block, by its hash: a node that lags doesn't have it, a block that was reorganized out is nobody's,
and whatever our reading is behind by isn't compared. What one look sees is confirmed by a second one at a later block.
Nothing is repaired: what the venue holds and we don't know is adopted, everything else is shown to people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet

from execution.desk import Clock, Desk
from execution.domain.reconciliation import VenueAccount
from execution.models import AccountLook, ChainBlock, Cursor, Delegation
from execution.services import balances, differences, indexing
from execution.services.balances import Judged
from trading import locks
from trading.domain.errors import Unavailable
from trading.domain.units import Usdc
from trading.kinds import step, write
from trading.models import Market, Trader

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=30)
# At most so many in one pass.
ACCOUNTS = 200
# So that accounts that were admitted together aren't all asked for together.
JITTER_SECONDS = 5
# What was seen once is looked at again soon; and so is what couldn't be looked at.
SOON = timedelta(seconds=5)
# Further behind the head, our books are too old for the venue to be asked about their block.
MAX_LAG_BLOCKS = 20
LAGS = "our reading lags behind the chain"
GONE = "the block was reorganized out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The block on which both sides are compared."""

    block: ChainBlock
    is_final: bool


def ours() -> list[int]:
    """The accounts that we may trade for."""
    return list(_ours().values_list("pk", flat=True))


def due(*, at: datetime) -> list[int]:
    """Those of them that it is time to look at; one that nobody has looked at yet is. One query."""
    ready = _ours().filter(Q(look=None) | Q(look__next_action_at__lte=at))
    return list(ready.values_list("pk", flat=True)[:ACCOUNTS])


def _ours() -> QuerySet[Trader]:
    return Trader.objects.filter(Exists(Delegation.objects.filter(trader=OuterRef("pk")))).order_by("pk")


@step
def look_due(*, desk: Desk, clock: Clock) -> int:
    """Compare the accounts that are due; how many were compared."""
    waiting = due(at=clock())
    return look(waiting, desk=desk, clock=clock) if waiting else 0


@step
def look(trader_ids: Sequence[int], *, desk: Desk, clock: Clock) -> int:
    """Compare accounts with the venue; how many were compared. The others wait, and say why."""
    traders = list(Trader.objects.filter(pk__in=trader_ids).order_by("pk"))
    try:
        ground = _ground(desk=desk)
        if ground is None:
            _wait(traders, reason=LAGS, at=clock())
            return 0
        seen = _ask(traders, ground, desk=desk)
    except Unavailable as error:
        _wait(traders, reason=error.message, at=clock())
        log.warning("reconciliation.waits", reason=error.message, **error.facts)
        return 0
    return sum(_conclude_one(trader, seen[trader.address], ground, desk=desk, clock=clock) for trader in traders)


def _ground(*, desk: Desk) -> Ground | None:
    """Where our books stand; None while that is too far behind the chain's head, or nothing was read yet."""
    cursor = Cursor.objects.filter(stream=indexing.STREAM).first()
    heads = desk.chain.heads()
    if cursor is None or heads.latest.number - cursor.number > MAX_LAG_BLOCKS:
        return None
    block = ChainBlock.objects.canonical().filter(chain_id=cursor.chain_id, hash=cursor.hash).first()
    return None if block is None else Ground(block=block, is_final=block.number <= heads.finalized)


def _ask(traders: Sequence[Trader], ground: Ground, *, desk: Desk) -> dict[str, VenueAccount]:
    pairs = list(Market.objects.order_by("pair_index").values_list("pair_index", flat=True))
    addresses = [trader.address for trader in traders]
    told = desk.venue.accounts_at(addresses, pairs=pairs, block_hash=ground.block.hash, chain=desk.chain)
    return {account.trader: account for account in told}


def _conclude_one(trader: Trader, theirs: VenueAccount, ground: Ground, *, desk: Desk, clock: Clock) -> bool:
    flow = balances.flow(trader.pk, theirs, block=ground.block)
    try:
        transferred = _transferred(trader, flow, ground, desk=desk)
    except Unavailable as error:
        _wait([trader], reason=error.message, at=clock())
        return False
    return _conclude(trader.pk, theirs, ground, judged=Judged(flow=flow, transferred=transferred), at=clock())


def _transferred(trader: Trader, flow: Usdc | None, ground: Ground, *, desk: Desk) -> Usdc:
    """What the owner moved himself; asked only when something moved."""
    since = AccountLook.objects.filter(trader=trader).values_list("judged_block", flat=True).first()
    if not flow or since is None:
        return Usdc.zero()
    return desk.venue.transferred(trader.address, first=since + 1, last=ground.block.number, chain=desk.chain)


@write
def _conclude(trader_id: int, theirs: VenueAccount, ground: Ground, *, judged: Judged, at: datetime) -> bool:
    locks.accounts([trader_id])
    row, _ = AccountLook.objects.get_or_create(trader_id=trader_id)
    # A block that was taken back meanwhile took our books with it.
    if not ChainBlock.objects.canonical().filter(pk=ground.block.pk).exists():
        _put_off(row, reason=GONE, at=at)
        return False
    news = differences.keep(trader_id, theirs, block=ground.block, is_final=ground.is_final, at=at)
    balances.judge(row, theirs, judged, block=ground.block, is_clear=news.is_read, is_final=ground.is_final, at=at)
    _note(row, theirs, ground, is_settled=not news.fresh, at=at)
    return True


def _note(row: AccountLook, theirs: VenueAccount, ground: Ground, *, is_settled: bool, at: datetime) -> None:
    row.block_number, row.block_hash = ground.block.number, ground.block.hash
    row.balance_usdc, row.allowance_usdc = theirs.balance, theirs.allowance
    row.positions, row.orders = len(theirs.positions), len(theirs.orders)
    row.looked_at, row.waits_for = at, ""
    row.next_action_at = at + (EVERY + timedelta(seconds=row.trader_id % JITTER_SECONDS) if is_settled else SOON)
    row.save()


@write
def _wait(traders: Sequence[Trader], *, reason: str, at: datetime) -> None:
    for trader in locks.accounts(trader.pk for trader in traders):
        row, _ = AccountLook.objects.get_or_create(trader=trader)
        _put_off(row, reason=reason, at=at)


def _put_off(row: AccountLook, *, reason: str, at: datetime) -> None:
    row.waits_for, row.next_action_at = reason[:200], at + SOON
    row.save(update_fields=["waits_for", "next_action_at"])
