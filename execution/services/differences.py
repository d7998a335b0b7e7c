"""Differences: one row for each thing that books and venue say differently, from the first look that saw it to its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from execution.domain import reconciliation
from execution.domain.reconciliation import (
    UNREAD,
    DifferenceKind,
    DifferenceState,
    Finding,
    VenueAccount,
)
from execution.models import ChainBlock, Difference
from execution.services import adoption, booked
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.services import journal

GONE = "gone"
ADOPTED = "adopted"
# Judged beside the others: by what an account is worth.
_APART = (DifferenceKind.BALANCE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a look found: whether something was seen for the first time, and whether all that happened was read."""

    fresh: bool
    is_read: bool


@piece
def keep(trader_id: int, theirs: VenueAccount, *, block: ChainBlock, is_final: bool, at: datetime) -> News:
    """Compare an account, and write down what differs. The caller holds the account's lock."""
    ours = booked.as_of(trader_id, block_number=block.number, chain_id=block.chain_id)
    found = reconciliation.compare(ours, theirs, least_allowance=Usdc.of(settings.LEAST_ALLOWANCE_USDC))
    rows = [see(each, trader_id=trader_id, block=block, is_final=is_final, at=at) for each in found]
    _end_others(trader_id, rows, at=at)
    _adopt(rows, trader_id=trader_id, theirs=theirs, block=block, at=at)
    unread = any(row.kind in UNREAD for row in rows)
    return News(fresh=any(row.state == DifferenceState.SEEN for row in rows), is_read=not unread)


@piece
def see(finding: Finding, *, trader_id: int, block: ChainBlock, is_final: bool, at: datetime) -> Difference:
    """Write down what a look saw; a second look at a later block, or a final block, confirms it."""
    row, is_new = Difference.objects.get_or_create(
        trader_id=trader_id,
        kind=finding.kind,
        what=finding.what,
        resolved_at=None,
        defaults={
            "ours": finding.ours,
            "theirs": finding.theirs,
            "first_seen_at": at,
            "first_block": block.number,
            "last_seen_at": at,
            "last_block": block.number,
        },
    )
    is_sure = is_final or block.number > row.first_block
    row.ours, row.theirs, row.last_seen_at, row.last_block = finding.ours, finding.theirs, at, block.number
    if row.state == DifferenceState.SEEN and is_sure:
        row.state, row.confirmed_at = DifferenceState.CONFIRMED, at
        _tell("reconciliation.differs", row, at=at)
    if not is_new or is_sure:
        row.save()
    return row


@piece
def resolve(row: Difference, *, resolution: str, at: datetime) -> None:
    """Say that something is no difference anymore; that one look saw it only, nobody was told."""
    was_told = row.state == DifferenceState.CONFIRMED
    row.state, row.resolved_at, row.resolution = DifferenceState.RESOLVED, at, resolution
    row.save(update_fields=["state", "resolved_at", "resolution"])
    if was_told:
        _tell("reconciliation.agrees", row, at=at, resolution=resolution)


def _end_others(trader_id: int, rows: Sequence[Difference], *, at: datetime) -> None:
    seen = {row.pk for row in rows}
    for row in Difference.objects.unresolved().filter(trader_id=trader_id).exclude(kind__in=_APART).exclude(pk__in=seen):
        resolve(row, resolution=GONE, at=at)


def _adopt(rows: Sequence[Difference], *, trader_id: int, theirs: VenueAccount, block: ChainBlock, at: datetime) -> None:
    positions = {str(each.place): each for each in theirs.positions}
    for row in rows:
        if (row.kind, row.state) != (DifferenceKind.POSITION_UNKNOWN, DifferenceState.CONFIRMED):
            continue
        if adoption.adopt(positions[row.what], trader_id=trader_id, block=block, at=at) is not None:
            resolve(row, resolution=ADOPTED, at=at)


def _tell(kind: str, row: Difference, *, at: datetime, **facts: str) -> None:
    said: dict[str, Any] = {"kind": row.kind, "what": row.what, "ours": row.ours, "theirs": row.theirs, "block": row.last_block}
    journal.record(kind, row, at=at, tg_user_id=row.trader.tg_user_id, **said, **facts)
