"""Adoption: a position that the venue holds and we don't know becomes one of ours, as it is at a block.

Its fill says what was found, and nothing that was executed. Its name is the position's own, so that it is adopted once;
should the real opening be read later, that one counts, and what was found doesn't (`trading.services.positions`).
"""

from dataclasses import asdict, replace
from datetime import datetime

from execution.domain.reconciliation import PositionFacts
from execution.models import ChainBlock
from trading.domain.mode import Book
from trading.domain.position import FillKind, LevelKind
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.models import Market, Position
from trading.services import journal, levels, positions
from trading.services.levels import Told
from trading.services.positions import Execution, Slot

# After every event of the block: what was found is how the block left it.
_LAST_LOG = 1_000_000_000


@piece
def adopt(found: PositionFacts, *, trader_id: int, block: ChainBlock, at: datetime) -> Position | None:
    """Take a position into our books; None if its market isn't in our catalogue. The caller holds the account's lock."""
    market = Market.objects.filter(pair_index=found.place.pair_index).first()
    if market is None:
        return None
    slot = Slot(
        trader_id=trader_id,
        market_id=market.pk,
        book=Book.LIVE,
        venue_index=found.place.venue_index,
        opened_at=found.place.opened_at,
    )
    name = f"adopted:{trader_id}:{found.place}"
    execution = Execution(
        kind=FillKind.ADOPTED,
        direction=found.direction,
        price=found.entry,
        collateral=found.collateral,
        leverage=found.leverage,
        fee=Usdc.zero(),
        payout=Usdc.zero(),
        chain_id=block.chain_id,
        tx_hash=name,
        log_index=_LAST_LOG,
        block_number=block.number,
        block_hash=block.hash,
        filled_at=block.mined_at,
        take_profit=found.take_profit,
        stop_loss=found.stop_loss,
    )
    # One that we knew, and lost, keeps what asked for it.
    known = Position.objects.filter(**asdict(slot)).values_list("signal_id", flat=True).first()
    position = positions.opened(execution, slot=slot, signal_id=known)
    # Several may be found in one block: each has a place of its own after the block's logs.
    placed = replace(execution, log_index=_LAST_LOG + position.pk)
    positions.record(placed, position=position, trace_id="")
    _note_levels(position, placed)
    journal.record("position.adopted", position, at=at, block_number=block.number, collateral_usdc=found.collateral)
    return position


def _note_levels(position: Position, found: Execution) -> None:
    """What the venue held then; what it says later goes on from there."""
    told = Told(
        chain_id=found.chain_id,
        tx_hash=found.tx_hash,
        log_index=found.log_index,
        block_number=found.block_number,
        block_hash=found.block_hash,
        at=found.filled_at,
    )
    position.refresh_from_db()
    held = {LevelKind.TAKE_PROFIT: found.take_profit, LevelKind.STOP_LOSS: found.stop_loss}
    levels.note(position, held, told=told)
