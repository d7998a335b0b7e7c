"""Balances: what an account is worth at the venue, against what its fills earned; the rest came or went by itself.

Wallet, escrow and collateral together move by fees, results and transfers alone: an order that is placed, filled or
canceled moves money among them. So what no fill explains is a flow, and what the owner's transfers don't explain either is
missing.
"""

from dataclasses import dataclass
from datetime import datetime

from execution.domain import reconciliation
from execution.domain.reconciliation import Balance, DifferenceKind, VenueAccount
from execution.models import AccountLook, ChainBlock, Difference, WalletFlow
from execution.services import booked, differences
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.services import journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was seen before the write: a flow (None: it can't be told), and how much of it the owner moved."""

    flow: Usdc | None
    transferred: Usdc


def flow(trader_id: int, theirs: VenueAccount, *, block: ChainBlock) -> Usdc | None:
    """What came or went since the account was judged last; None the first time."""
    row = AccountLook.objects.filter(trader_id=trader_id).first()
    return None if row is None else _flow(row, theirs, block=block)


@piece
def judge(
    row: AccountLook,
    theirs: VenueAccount,
    judged: Judged,
    *,
    block: ChainBlock,
    is_clear: bool,
    is_final: bool,
    at: datetime,
) -> None:
    """Keep what came or went, and say what is missing; nothing is judged while something else wasn't read.

    The caller holds the account's lock, and saves the row.
    """
    if not is_clear:
        return
    if row.worth_usdc is None or _was_adopted_since(row):
        # Where it begins, or begins anew: what an adopted position cost before we saw it nobody knows.
        _begin(row, theirs, block=block)
        return
    moved = _flow(row, theirs, block=block)
    if moved is None or moved != judged.flow:
        # A fill was read while we asked: the next look judges.
        return
    if _is_missing(row, judged, block=block, is_final=is_final, at=at):
        return
    if moved:
        _keep(row, judged, block=block, at=at)
    row.earned_usdc = _earned(row, block=block)
    row.worth_usdc = theirs.worth
    row.judged_block, row.judged_hash = block.number, block.hash


def _keep(row: AccountLook, judged: Judged, *, block: ChainBlock, at: datetime) -> None:
    """A flow is a row, and no difference."""
    amount = judged.flow or Usdc.zero()
    WalletFlow.objects.create(
        trader_id=row.trader_id,
        first_block=(row.judged_block or 0) + 1,
        last_block=block.number,
        amount_usdc=amount,
        transferred_usdc=judged.transferred,
        seen_at=at,
    )
    journal.record(
        "wallet.flowed",
        row.trader,
        at=at,
        amount_usdc=amount,
        transferred_usdc=judged.transferred,
        tg_user_id=row.trader.tg_user_id,
    )


def _is_missing(row: AccountLook, judged: Judged, *, block: ChainBlock, is_final: bool, at: datetime) -> bool:
    """Whether money is missing: then the account stays where it was judged last, until it is found or accepted."""
    finding = reconciliation.missing(judged.flow or Usdc.zero(), transferred=judged.transferred)
    if finding is not None:
        differences.see(finding, trader_id=row.trader_id, block=block, is_final=is_final, at=at)
        return True
    for known in Difference.objects.unresolved().filter(trader_id=row.trader_id, kind=DifferenceKind.BALANCE):
        differences.resolve(known, resolution=differences.GONE, at=at)
    return False


def _begin(row: AccountLook, theirs: VenueAccount, *, block: ChainBlock) -> None:
    row.base_block, row.worth_usdc, row.earned_usdc = block.number, theirs.worth, Usdc.zero()
    row.judged_block, row.judged_hash = block.number, block.hash


def _was_adopted_since(row: AccountLook) -> bool:
    adopted = Difference.objects.filter(trader_id=row.trader_id, resolution=differences.ADOPTED)
    return adopted.filter(last_block__gt=row.base_block).exists()


def _flow(row: AccountLook, theirs: VenueAccount, *, block: ChainBlock) -> Usdc | None:
    if row.worth_usdc is None or row.earned_usdc is None:
        return None
    now = Balance(worth=theirs.worth, earned=_earned(row, block=block))
    return now.flow_since(Balance(worth=row.worth_usdc, earned=row.earned_usdc))


def _earned(row: AccountLook, *, block: ChainBlock) -> Usdc:
    """What fills earned since the balance is counted; from the start again if the block that was judged last is gone."""
    base, judged = row.base_block or 0, row.judged_block or 0
    stands = ChainBlock.objects.canonical().filter(chain_id=block.chain_id, hash=row.judged_hash).exists()
    if not stands or row.earned_usdc is None or judged > block.number:
        return booked.earned(row.trader_id, after=base, up_to=block.number)
    known: Usdc = row.earned_usdc
    return known + booked.earned(row.trader_id, after=judged, up_to=block.number)
