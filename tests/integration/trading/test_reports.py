"""Reports over a span of an account's own days: the same rows by fill, by day, and all in all."""

import csv
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.factories.trading import FillFactory, PositionFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.position import FillKind
from trading.domain.result import Grain
from trading.domain.units import Usdc
from trading.models import Fill, Position, Trader
from trading.services import reports
from trading.services.reports import Scope, SpanUnknown

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def account() -> Trader:
    return TraderFactory(zone="Asia/Tokyo")


@pytest.fixture
def position(account: Trader) -> Position:
    return PositionFactory(trader=account, book=Book.LIVE)


def closed(position: Position, profit: str, *, at: datetime) -> Fill:
    amount = Usdc.of(profit)
    return FillFactory(
        position=position,
        kind=FillKind.CLOSE,
        payout_usdc=Usdc.of(50) + amount,
        price_pnl_usdc=amount + Usdc.of("0.25"),
        fee_usdc=Usdc.of("0.25"),
        realised_pnl_usdc=amount,
        filled_at=at,
    )


def scope(account: Trader, **said: Any) -> Scope:
    return Scope(trader=account, book=Book.LIVE, **said)


def read(lines: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(lines))


def test_every_fill_that_stands_is_a_line_the_oldest_first(account: Trader, position: Position) -> None:
    later, first = closed(position, "3", at=FIRST + timedelta(hours=1)), closed(position, "-1.5", at=FIRST)

    told = read(reports.fills_csv(scope(account)))

    assert [(row["fill"], row["realised_pnl_usdc"], row["fee_usdc"], row["price_pnl_usdc"]) for row in told] == [
        (str(first.pk), "-1.5", "0.25", "-1.25"),
        (str(later.pk), "3", "0.25", "3.25"),
    ]
    assert (told[0]["filled_at"], told[0]["day"], told[0]["symbol"], told[0]["direction"]) == (
        "2026-01-05T12:00:00+00:00",
        "2026-01-05",
        "BTC-USD",
        "LONG",
    )


def test_what_a_reorganization_took_away_is_in_no_report(account: Trader, position: Position) -> None:
    closed(position, "3", at=FIRST)
    FillFactory(position=position, is_canonical=False, filled_at=FIRST)

    assert len(read(reports.fills_csv(scope(account)))) == 1


def test_a_span_holds_both_its_days_as_the_account_counts_them(account: Trader, position: Position) -> None:
    # In Tokyo the 6th begins at 15:00 UTC on the 5th.
    for hours, profit in ((2.99, "1"), (3, "2"), (26.99, "4"), (27, "8")):
        closed(position, profit, at=FIRST + timedelta(hours=hours))
    sixth = scope(account, since=date(2026, 1, 6), until=date(2026, 1, 6))

    assert [row["realised_pnl_usdc"] for row in read(reports.fills_csv(sixth))] == ["2", "4"]
    assert reports.performance(sixth).total.net == Usdc.of(6)
    assert [(row["day"], row["net"]) for row in read(reports.results_csv(sixth, by=Grain.DAY))] == [("2026-01-06", "6")]


def test_a_span_that_ends_before_it_begins_is_refused(account: Trader) -> None:
    with pytest.raises(SpanUnknown):
        scope(account, since=date(2026, 1, 6), until=date(2026, 1, 5))


def test_the_fills_of_a_report_add_up_to_its_days(account: Trader, position: Position) -> None:
    for number in range(30):
        closed(position, str(number - 11), at=FIRST + timedelta(hours=7 * number))

    earned = sum((Usdc.of(row["realised_pnl_usdc"]) for row in read(reports.fills_csv(scope(account)))), Usdc.zero())
    for grain in Grain:
        assert sum((Usdc.of(row["net"]) for row in read(reports.results_csv(scope(account), by=grain))), Usdc.zero()) == earned
    assert reports.performance(scope(account)).total.net == earned


def test_fills_of_one_instant_are_each_told_once_across_pages(
    account: Trader, position: Position, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "CHUNK", 2)
    fills = [closed(position, "1", at=FIRST) for _ in range(5)]

    assert [row["fill"] for row in read(reports.fills_csv(scope(account)))] == [str(fill.pk) for fill in fills]


def test_a_report_is_one_query_and_one_for_each_page_of_fills(
    account: Trader, position: Position, django_assert_num_queries: Any
) -> None:
    for number in range(40):
        closed(position, "1", at=FIRST + timedelta(days=number))

    with django_assert_num_queries(1):
        reports.performance(scope(account))
    with django_assert_num_queries(1):
        reports.results(scope(account), by=Grain.WEEK)
    with django_assert_num_queries(1):
        list(reports.fills_csv(scope(account)))
