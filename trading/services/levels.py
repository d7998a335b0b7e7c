"""Levels: where the venue itself closes a position is the last canonical word on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.domain.position import LevelKind
from trading.domain.units import Price
from trading.kinds import piece
from trading.models import Position, PositionLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The log that says something."""

    chain_id: int
    tx_hash: str
    log_index: int
    block_number: int
    block_hash: str
    at: datetime


@piece
def note(position: Position, levels: Mapping[LevelKind, Price | None], *, told: Told) -> None:
    """Write down what a log says of a position's levels, or find it, and set the position's own columns.

    The caller holds the account's lock.
    """
    PositionLevel.objects.bulk_create(
        (_row(position, level, price, told=told) for level, price in levels.items()),
        update_conflicts=True,
        unique_fields=["chain_id", "block_hash", "log_index", "level"],
        # A block that comes back after a reorganization brings its levels back.
        update_fields=["is_canonical"],
    )
    refold(position)


@piece
def refold(position: Position) -> None:
    """Set a position's levels to the last canonical words; what nobody spoke of stays."""
    newest = {row.level: row.price for row in position.levels.canonical().newest()}
    if newest:
        position.take_profit = newest.get(LevelKind.TAKE_PROFIT)
        position.stop_loss = newest.get(LevelKind.STOP_LOSS)
        position.save(update_fields=["take_profit", "stop_loss"])


@piece
def take_back(block_hashes: list[str]) -> list[int]:
    """Strike what these blocks said; the positions whose levels are to be folded again."""
    gone = PositionLevel.objects.canonical().filter(block_hash__in=block_hashes)
    touched = list(gone.values_list("position", flat=True))
    gone.update(is_canonical=False)
    return touched


def _row(position: Position, level: LevelKind, price: Price | None, *, told: Told) -> PositionLevel:
    return PositionLevel(
        position=position,
        level=level,
        price=price,
        chain_id=told.chain_id,
        tx_hash=told.tx_hash,
        log_index=told.log_index,
        block_number=told.block_number,
        block_hash=told.block_hash,
        changed_at=told.at,
        is_canonical=True,
    )
