"""What each day brought: sums of fills and closed positions, right after every change of either."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW
from tests.factories.trading import FillFactory, MarketFactory, PositionFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind, PositionStatus
from trading.domain.result import Grain, Result
from trading.domain.units import Leverage, Price, Usdc
from trading.kinds import write
from trading.models import DayResult, Fill, Position, Trader
from trading.models.position import EARNED
from trading.services import positions, results
from trading.services.positions import Execution, Slot

pytestmark = pytest.mark.django_db

TODAY = date(2026, 1, 2)
OPENING = Execution(
    kind=FillKind.OPEN,
    direction=Direction.LONG,
    price=Price.of(60_000),
    collateral=Usdc.of(50),
    leverage=Leverage.of(10),
    fee=Usdc.of("0.25"),
    payout=Usdc.zero(),
    chain_id=31_337,
    tx_hash="0xopen",
    log_index=0,
    block_number=10,
    block_hash="0xblock10",
    filled_at=NOW,
)


@pytest.fixture
def account() -> Trader:
    return TraderFactory()


@write
def opened(account: Trader, *, symbol: str = "BTC-USD", block: int = 10, at: datetime = NOW) -> Position:
    execution = replace(OPENING, block_number=block, block_hash=f"0x{block}", tx_hash=f"0xopen{block}", filled_at=at)
    market = MarketFactory(symbol=symbol, pair_index=1 if symbol == "BTC-USD" else 0)
    slot = Slot(trader_id=account.pk, market_id=market.pk, book=Book.LIVE, venue_index=block, opened_at=at)
    position = positions.opened(execution, slot=slot, signal_id=None)
    positions.record(execution, position=position, trace_id="t")
    return position


@write
def closed(position: Position, *, collateral: str = "50", payout: str, at: datetime, block: int = 11) -> Fill:
    execution = replace(
        OPENING,
        kind=FillKind.CLOSE,
        collateral=Usdc.of(collateral),
        payout=Usdc.of(payout),
        rollover=Usdc.of("0.5"),
        funding=Usdc.of("-0.125"),
        tx_hash=f"0xclose{block}",
        block_number=block,
        block_hash=f"0x{block}",
        filled_at=at,
    )
    return positions.record(execution, position=position, trace_id="t")


@write
def reorganized(position: Position, fill: Fill) -> None:
    Fill.objects.filter(pk=fill.pk).update(is_canonical=False)
    positions.rebuild(Position.objects.get(pk=position.pk), since=[fill.filled_at])


def days(account: Trader) -> dict[date, Result]:
    return {
        day: result for day, result in DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).by(Grain.DAY) if result.fills
    }


def test_a_day_holds_its_fills_and_the_positions_that_it_closed(account: Trader) -> None:
    closed(opened(account), payout="60", at=NOW + timedelta(hours=1))

    assert days(account) == {
        TODAY: Result(
            fills=2,
            trades=1,
            won=1,
            gains=Usdc.of("9.75"),
            losses=Usdc.zero(),
            price_pnl=Usdc.of("10.625"),
            fees=Usdc.of("0.5"),
            rollover=Usdc.of("0.5"),
            funding=Usdc.of("-0.125"),
            volume=Usdc.of(1_000),
        )
    }


def test_a_trade_belongs_to_the_day_that_closed_it_and_is_won_by_all_that_it_made(account: Trader) -> None:
    position = opened(account)
    closed(position, collateral="20", payout="22", at=NOW + timedelta(hours=1), block=11)
    closed(position, collateral="30", payout="25", at=NOW + timedelta(days=1), block=12)

    made = {day: (each.trades, each.won, each.gains, each.losses, each.net) for day, each in days(account).items()}
    assert made == {
        TODAY: (0, 0, Usdc.zero(), Usdc.zero(), Usdc.of("1.75")),
        TODAY + timedelta(days=1): (1, 0, Usdc.zero(), Usdc.of("3.25"), Usdc.of(-5)),
    }


def test_a_fill_that_is_reorganized_out_leaves_its_day_and_comes_back(account: Trader) -> None:
    position = opened(account)
    before = days(account)
    at = NOW + timedelta(days=1)
    fill = closed(position, payout="60", at=at)
    closed_then = days(account)

    reorganized(position, fill)
    assert days(account) == before

    closed(position, payout="60", at=at)
    assert days(account) == closed_then


def test_a_day_is_the_accounts_own(account: Trader) -> None:
    Trader.objects.filter(pk=account.pk).update(zone="Asia/Tokyo")
    opened(account, at=datetime(2026, 1, 2, 14, 59, 59, tzinfo=UTC), block=1)
    opened(account, at=datetime(2026, 1, 2, 15, tzinfo=UTC), block=2)

    assert {day: each.fills for day, each in days(account).items()} == {TODAY: 1, TODAY + timedelta(days=1): 1}


def test_markets_are_told_apart_and_add_up(account: Trader) -> None:
    closed(opened(account, block=1), payout="60", at=NOW, block=2)
    closed(opened(account, symbol="ETH-USD", block=3), payout="40", at=NOW, block=4)

    by_market = dict(DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).by(Grain.MARKET))
    assert {symbol: each.net for symbol, each in by_market.items()} == {
        "BTC-USD": Usdc.of("9.75"),
        "ETH-USD": Usdc.of("-10.25"),
    }
    assert DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).total().net == Usdc.of("-0.5")


def test_weeks_begin_on_monday_and_months_on_their_first(account: Trader) -> None:
    for number, at in enumerate(("2026-01-04", "2026-01-05", "2026-01-31", "2026-02-01")):
        opened(account, at=datetime.fromisoformat(f"{at}T12:00:00+00:00"), block=number)

    mine = DayResult.objects.of(trader_id=account.pk, book=Book.LIVE)
    assert [(str(key), each.fills) for key, each in mine.by(Grain.WEEK)] == [
        ("2025-12-29", 1),
        ("2026-01-05", 1),
        ("2026-01-26", 2),
    ]
    assert [(str(key), each.fills) for key, each in mine.by(Grain.MONTH)] == [("2026-01-01", 3), ("2026-02-01", 1)]


def test_another_book_and_another_account_have_days_of_their_own(account: Trader) -> None:
    opened(account)
    FillFactory(position=PositionFactory(trader=account, book=Book.PAPER), fee_usdc=Usdc.of(3))
    FillFactory(position=PositionFactory(book=Book.LIVE), fee_usdc=Usdc.of(5))

    assert DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).total().fees == Usdc.of("0.25")


def test_all_days_are_counted_anew_when_midnight_moves(account: Trader) -> None:
    late = datetime(2026, 1, 2, 20, tzinfo=UTC)
    closed(opened(account, at=late), payout="60", at=late + timedelta(days=3))
    before = DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).total()
    Trader.objects.filter(pk=account.pk).update(zone="Asia/Tokyo")

    write(results.rebuild)(Trader.objects.get(pk=account.pk))

    assert sorted(days(account)) == [TODAY + timedelta(days=1), TODAY + timedelta(days=4)]
    assert DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).total() == before


def test_what_the_days_earned_is_what_the_fills_earned_whatever_happens(account: Trader) -> None:
    position = opened(account)
    fill = closed(position, collateral="10", payout="12.5", at=NOW + timedelta(hours=30), block=11)
    closed(position, collateral="40", payout="0", at=NOW + timedelta(hours=40), block=12)
    reorganized(position, fill)
    opened(account, symbol="ETH-USD", block=20, at=NOW + timedelta(hours=50))

    fills = Fill.objects.canonical().filter(trader=account)
    assert DayResult.objects.of(trader_id=account.pk, book=Book.LIVE).total().net == fills.aggregate(sum=Sum(EARNED))["sum"]
    made = Position.objects.exclude(status=PositionStatus.VOID).aggregate(sum=Sum(F("net_pnl_usdc")))
    assert fills.aggregate(sum=Sum(EARNED)) == made


def test_counting_any_number_of_days_anew_is_one_statement(account: Trader) -> None:
    spans = [results.span(account, Book.LIVE, NOW + timedelta(days=number)) for number in range(100)]

    with CaptureQueriesContext(connection) as asked:
        DayResult.objects.recount(spans)

    assert len(asked) == 1


def test_nothing_to_count_asks_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        DayResult.objects.recount([])
