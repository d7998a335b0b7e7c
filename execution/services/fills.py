"""Fills: what the venue did to a position, in the book's words, and which position it was.

A position is named by its slot and by when it was opened, and every execution says both. So a close finds its own
although the slot was used again since, or although the opening has yet to be read: then the position is VOID until it is.
"""

from dataclasses import dataclass, replace
from typing import Any

import structlog

from execution.domain.events import Costs, Happening, LevelChanged, PositionResized, TradeExecuted
from trading.domain.mode import Book
from trading.domain.position import FillKind, LevelKind, Levels, PositionStatus
from trading.domain.units import Leverage, Price, Usdc, notional
from trading.kinds import piece
from trading.models import Fill, Market, Position, Trader
from trading.services import journal, levels, positions
from trading.services.levels import Told
from trading.services.positions import Execution, Slot

log = structlog.get_logger(__name__)

# Dollars at six decimals over a price at ten are coins at ten.
_COINS = 10**14


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an execution was asked for by, as far as we know: what was put up, and which signal and trace of ours."""

    put_up: Usdc | None = None
    signal_id: int | None = None
    trace_id: str = ""


@piece
def execute(event: TradeExecuted, happening: Happening, *, trader: Trader, asked: Asked) -> Fill | None:
    """Record an open or a close; None: of a market that our catalogue doesn't have. The caller holds the account's lock."""
    fee = _open_fee(event, asked) if event.kind is FillKind.OPEN else Usdc.zero()
    costs = event.costs or _only(fee, moved=event.collateral, leverage=event.leverage)
    execution = Execution(
        kind=event.kind,
        price=event.price,
        collateral=event.collateral,
        leverage=event.leverage,
        payout=event.payout,
        take_profit=event.levels.take_profit,
        stop_loss=event.levels.stop_loss,
        **_common(event, happening, costs),
    )
    return _record(event, execution, happening, trader=trader, asked=asked)


@piece
def resize(event: PositionResized, happening: Happening, *, trader: Trader, asked: Asked) -> Fill | None:
    """Record an increase or a change of margin; None as for `execute`."""
    costs = event.costs or _guessed(event, trader=trader, asked=asked)
    added = costs.moved - costs.fee
    execution = Execution(
        kind=event.kind,
        price=_price(event, added=notional(added, costs.leverage)),
        collateral=added,
        leverage=event.after.leverage,
        payout=costs.moved if event.is_withdrawal else Usdc.zero(),
        after=event.after,
        **_common(event, happening, costs),
    )
    return _record(event, execution, happening, trader=trader, asked=asked)


@piece
def relevel(event: LevelChanged, happening: Happening, *, trader: Trader) -> Position | None:
    """Record that the venue holds another level for a position: which; None if we know none there."""
    position = _named(event, trader=trader)
    if position is None:
        _note_unknown(event, happening, trader=trader)
        return None
    levels.note(position, {event.level: event.price}, told=_told(happening))
    return position


def _record(
    event: TradeExecuted | PositionResized, execution: Execution, happening: Happening, *, trader: Trader, asked: Asked
) -> Fill | None:
    position = _position(event, execution, happening, trader=trader, asked=asked)
    if position is None:
        return None
    if happening.past:
        fill = positions.keep(execution, position=position)
    else:
        fill = positions.record(execution, position=position, trace_id=asked.trace_id)
    if not execution.kind.closes:
        levels.note(fill.position, _by_kind(event.levels), told=_told(happening))
    return fill


def _position(
    event: TradeExecuted | PositionResized, execution: Execution, happening: Happening, *, trader: Trader, asked: Asked
) -> Position | None:
    known = _of_fill(execution)
    if known is not None:
        return known
    opens = event.kind is FillKind.OPEN
    found = _opened(event, execution, trader=trader, asked=asked) if opens else _named(event, trader=trader)
    if found is not None:
        return found
    _note_unknown(event, happening, trader=trader)
    return _opened(event, execution, trader=trader, asked=Asked()) if event.opened_at else None


def _opened(event: TradeExecuted | PositionResized, execution: Execution, *, trader: Trader, asked: Asked) -> Position | None:
    market = Market.objects.filter(pair_index=event.pair_index).first()
    if market is None:
        return None
    slot = Slot(
        trader_id=trader.pk,
        market_id=market.pk,
        book=Book.LIVE,
        venue_index=event.venue_index,
        opened_at=event.opened_at or execution.filled_at,
    )
    return positions.opened(execution, slot=slot, signal_id=asked.signal_id)


def _of_fill(execution: Execution) -> Position | None:
    """The position of a fill that we know already: the block is read again."""
    same = Fill.objects.filter(chain_id=execution.chain_id, block_hash=execution.block_hash, log_index=execution.log_index)
    fill = same.select_related("position").first()
    return fill.position if fill else None


def _named(event: TradeExecuted | PositionResized | LevelChanged, *, trader: Trader) -> Position | None:
    """The position that an event names: by slot and time, or, where it has no time, the one that is open in the slot."""
    slot = Position.objects.filter(book=Book.LIVE, trader=trader, market__pair_index=event.pair_index)
    slot = slot.filter(venue_index=event.venue_index)
    if event.opened_at is None:
        return slot.filter(status=PositionStatus.OPEN).first()
    return slot.filter(opened_at=event.opened_at).first()


def _note_unknown(event: TradeExecuted | PositionResized | LevelChanged, happening: Happening, *, trader: Trader) -> None:
    facts: dict[str, Any] = {"pair_index": event.pair_index, "venue_index": event.venue_index}
    facts |= {"kind": event.level if isinstance(event, LevelChanged) else event.kind}
    facts |= {"tx_hash": happening.log.tx_hash, "log_index": happening.log.log_index}
    if trader.is_leader:
        # He held it before anybody watched: nobody can have copied it.
        log.info("leader.position_unknown", trader=trader.address, **facts)
        return
    journal.record("venue.position_unknown", trader, at=happening.block.mined_at, **facts)
    log.error("venue.position_unknown", trader=trader.address, advice="read the blocks before: manage.py backfill", **facts)


def _common(event: TradeExecuted | PositionResized, happening: Happening, costs: Costs) -> dict[str, Any]:
    return {
        "direction": event.direction,
        "fee": costs.fee,
        "rollover": costs.rollover,
        "funding": costs.funding,
        "chain_id": happening.chain_id,
        "tx_hash": happening.log.tx_hash,
        "log_index": happening.log.log_index,
        "block_number": happening.log.block_number,
        "block_hash": happening.log.block_hash,
        "filled_at": happening.block.mined_at,
    }


def _open_fee(event: TradeExecuted, asked: Asked) -> Usdc:
    return asked.put_up - event.collateral if asked.put_up is not None else Usdc.zero()


def _guessed(event: PositionResized, *, trader: Trader, asked: Asked) -> Costs:
    """What is known where the venue doesn't tell: all that is missing is the margin's fee, or the increase's."""
    before = _named(event, trader=trader)
    held, after = before.collateral_usdc if before else Usdc.zero(), event.after
    if event.margin_fee is None:
        put_up = asked.put_up or after.collateral - held
        return _only(held + put_up - after.collateral, moved=put_up, leverage=after.leverage)
    moved = abs(after.collateral - held + event.margin_fee)
    return replace(_only(Usdc.zero(), moved=moved, leverage=after.leverage), rollover=event.margin_fee)


def _only(fee: Usdc, *, moved: Usdc, leverage: Leverage) -> Costs:
    return Costs(moved=moved, leverage=leverage, fee=fee, rollover=Usdc.zero(), funding=Usdc.zero())


def _price(event: PositionResized, *, added: Usdc) -> Price:
    """At what an increase was filled, as exactly as its coins tell; for margin the entry."""
    return Price(added.raw * _COINS // event.coins) if event.coins else event.after.entry


def _by_kind(held: Levels) -> dict[LevelKind, Price | None]:
    return {LevelKind.TAKE_PROFIT: held.take_profit, LevelKind.STOP_LOSS: held.stop_loss}


def _told(happening: Happening) -> Told:
    return Told(
        chain_id=happening.chain_id,
        tx_hash=happening.log.tx_hash,
        log_index=happening.log.log_index,
        block_number=happening.log.block_number,
        block_hash=happening.log.block_hash,
        at=happening.block.mined_at,
    )
