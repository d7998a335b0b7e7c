"""Liquidation on paper: what the price has reached is closed, once, and pays nothing, as at the venue."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max

from execution.domain import paper
from execution.domain.paper import PaperFill
from execution.services import paper_positions
from trading import locks, selectors
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind
from trading.domain.units import Price
from trading.kinds import piece, write
from trading.models import Position
from trading.models.position import PositionQuerySet
from trading.services import positions
from trading.services.positions import Execution


def reached(*, at: datetime) -> list[int]:
    """The accounts of which the agreed price has reached a paper position's edge, ascending. Three queries."""
    return sorted({position.trader_id for position, _ in _reached(_open(), at=at)})


@write
def close_reached(*, trader_id: int, at: datetime) -> int:
    """Liquidate an account's paper positions that the price has reached; how many."""
    locks.accounts([trader_id])
    # Read under the account's lock: what a close took meanwhile isn't open anymore.
    found = list(_reached(_open().filter(trader_id=trader_id), at=at))
    for position, price in found:
        _liquidate(position, price=price, at=at)
    return len(found)


def _open() -> PositionQuerySet:
    return Position.objects.open().filter(book=Book.PAPER).select_related("market").order_by("pk")


def _reached(rows: PositionQuerySet, *, at: datetime) -> Iterator[tuple[Position, Price]]:
    """Those at or beyond their edge, with the price that did it. Without an agreed price nothing is taken from anybody."""
    held = list(rows)
    agreed = selectors.agreed_prices(now=at, symbols={each.market.symbol for each in held}) if held else {}
    for position in held:
        found = agreed.get(position.market.symbol)
        if found and paper.is_liquidated(paper_positions.held(position, at=at), price=found.price):
            yield position, found.price


@piece
def _liquidate(position: Position, *, price: Price, at: datetime) -> None:
    fill = paper.liquidate(price=price, terms=paper_positions.terms(position.market), held=paper_positions.held(position, at=at))
    positions.record(_execution(position, fill, at=at), position=position, trace_id="")


def _execution(position: Position, fill: PaperFill, *, at: datetime) -> Execution:
    # One position is liquidated once: its number is what names the fill.
    name = f"liquidation:{position.pk}"
    newest = position.fills.aggregate(block=Max("block_number"))["block"] or 0
    return Execution(
        kind=FillKind.LIQUIDATION,
        direction=Direction(position.direction),
        price=fill.price,
        collateral=fill.collateral,
        leverage=position.leverage_x,
        fee=fill.fee,
        payout=fill.payout,
        chain_id=0,
        tx_hash=name,
        log_index=0,
        # After every fill that it ends.
        block_number=newest + 1,
        block_hash=name,
        filled_at=at,
        rollover=fill.rollover,
        funding=fill.funding,
    )
