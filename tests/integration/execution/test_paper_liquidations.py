"""Liquidation on paper: at the edge and not before, once, and with nothing paid."""

from datetime import timedelta

import pytest

from execution.services import paper_liquidations
from tests.factories import NOW
from tests.factories.trading import FillFactory, PositionFactory, QuoteFactory
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind, PositionStatus
from trading.domain.units import Leverage, Price, Usdc
from trading.models import Event, Fill, Position

pytestmark = pytest.mark.django_db

# 60,000 less 85 % of a tenth of it.
EDGE = Price.of(54_900)


def held(**said: object) -> Position:
    position: Position = PositionFactory(**({"book": Book.PAPER, "leverage_x": Leverage.of(10)} | said))
    FillFactory(position=position, leverage_x=position.leverage_x, price=position.entry_price)
    return position


def price_is(price: Price) -> None:
    QuoteFactory(price=price)


def close(position: Position) -> int:
    return paper_liquidations.close_reached(trader_id=position.trader_id, at=NOW)


def test_what_the_price_has_reached_is_closed_and_pays_nothing() -> None:
    position = held()
    price_is(EDGE)

    assert paper_liquidations.reached(at=NOW) == [position.trader_id]
    assert close(position) == 1

    fill = Fill.objects.latest("pk")
    position.refresh_from_db()
    assert (fill.kind, fill.collateral_usdc, fill.payout_usdc) == (FillKind.LIQUIDATION, Usdc.of(50), Usdc.zero())
    assert (fill.price, fill.book, fill.filled_at) == (Price.of("54894.51"), Book.PAPER, NOW)
    assert (position.status, position.realised_pnl_usdc, position.closed_at) == (PositionStatus.CLOSED, Usdc.of(-50), NOW)
    assert Event.objects.get(kind="position.filled").facts["kind"] == "LIQUIDATION"


def test_a_second_pass_finds_nothing() -> None:
    position = held()
    price_is(EDGE)

    assert [close(position) for _ in range(3)] == [1, 0, 0]
    assert paper_liquidations.reached(at=NOW) == []
    assert Fill.objects.filter(kind=FillKind.LIQUIDATION).count() == 1


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ({}, EDGE + Price(1)),
        ({"direction": Direction.SHORT}, Price.of(65_100) - Price(1)),
        ({"book": Book.LIVE}, EDGE),
    ],
)
def test_before_the_edge_and_in_the_other_book_nothing_is_taken(said: dict[str, object], price: Price) -> None:
    position = held(**said)
    price_is(price)

    assert (paper_liquidations.reached(at=NOW), close(position)) == ([], 0)
    assert Position.objects.get().status == PositionStatus.OPEN


def test_without_an_agreed_price_nothing_is_taken() -> None:
    position = held()
    QuoteFactory(price=EDGE, published_at=NOW - timedelta(hours=1))

    assert (paper_liquidations.reached(at=NOW), close(position)) == ([], 0)


def test_a_short_is_taken_above() -> None:
    position = held(direction=Direction.SHORT)
    price_is(Price.of(65_100))

    assert close(position) == 1
