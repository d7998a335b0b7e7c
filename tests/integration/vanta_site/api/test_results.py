"""What trading made, over the API."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.factories import NOW
from tests.factories.tokens import Headers, bearer
from tests.factories.trading import FillFactory, PositionFactory
from tests.integration.vanta_site.api.conftest import World
from trading.domain.mode import Book
from trading.domain.people import Role
from trading.domain.position import FillKind
from trading.domain.units import Usdc


@pytest.fixture
def reader(world: World) -> Headers:
    return bearer(world.people[Role.VIEWER])


@pytest.fixture
def number(world: World) -> int:
    """An account that won 6 on paper, in two days."""
    held = PositionFactory(trader=world.own.trader, book=Book.PAPER)
    FillFactory(position=held, fee_usdc=Usdc.of("0.5"), filled_at=NOW)
    parts = {"price_pnl_usdc": Usdc.of(7), "fee_usdc": Usdc.of("0.5"), "realised_pnl_usdc": Usdc.of("6.5")}
    FillFactory(position=held, kind=FillKind.CLOSE, filled_at=NOW + timedelta(days=1), **parts)
    return world.own.number


def test_each_day_is_a_row_with_its_costs(client: Client, number: int, reader: Headers) -> None:
    said = client.get("/api/results", {"tg_user_id": number, "book": "PAPER"}, headers=reader).json()["results"]

    assert [(each["key"], each["fills"], each["net_usdc"]) for each in said] == [
        ("2026-01-02", 1, "-0.5"),
        ("2026-01-03", 1, "6.5"),
    ]
    assert said[1] | {"price_pnl_usdc": "7", "fees_usdc": "0.5", "rollover_usdc": "0", "funding_usdc": "0"} == said[1]


def test_days_add_up_to_months_and_markets(client: Client, number: int, reader: Headers) -> None:
    asked = {"tg_user_id": number, "book": "PAPER"}
    by = {
        grain: client.get("/api/results", {**asked, "by": grain}, headers=reader).json()["results"]
        for grain in ("MONTH", "MARKET")
    }

    assert {grain: [(each["key"], each["net_usdc"]) for each in rows] for grain, rows in by.items()} == {
        "MONTH": [("2026-01-01", "6")],
        "MARKET": [("BTC-USD", "6")],
    }


def test_a_performance_says_it_all(client: Client, number: int, reader: Headers) -> None:
    said = client.get("/api/performance", {"tg_user_id": number, "book": "PAPER"}, headers=reader).json()

    assert (said["total"]["net_usdc"], said["days"], said["win_rate_pct"]) == ("6", 2, None)
    assert said["best"] == {"day": "2026-01-03", "net_usdc": "6.5"}
    assert said["drawdown"] == {"depth_usdc": "0.5", "peak": "2026-01-02", "trough": "2026-01-02"}


def test_an_account_without_a_trade_has_an_empty_report(client: Client, world: World, reader: Headers) -> None:
    said = client.get("/api/performance", {"tg_user_id": world.other.number, "book": "PAPER"}, headers=reader).json()

    assert (said["days"], said["best"], said["worst"], said["drawdown"], said["profit_factor"]) == (0, None, None, None, None)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({}, 422, "FIELD_MISSING"),
        ({"tg_user_id": 99, "book": "PAPER"}, 404, "NOT_FOUND"),
        ({"tg_user_id": 99, "book": "BOTH"}, 422, "FIELD_INVALID"),
        ({"tg_user_id": 99, "book": "PAPER", "since": "2026-02-30"}, 422, "FIELD_INVALID"),
        ({"tg_user_id": 99, "book": "PAPER", "since": "20260101"}, 422, "FIELD_INVALID"),
        ({"tg_user_id": 99, "book": "PAPER", "by": "YEAR"}, 422, "FIELD_INVALID"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: Client, reader: Headers, said: dict[str, object], status: int, code: str
) -> None:
    answer = client.get("/api/results", said, headers=reader)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_span_that_ends_before_it_begins_is_refused(client: Client, number: int, reader: Headers) -> None:
    asked = {"tg_user_id": number, "book": "PAPER", "since": "2026-01-05", "until": "2026-01-04"}

    assert client.get("/api/performance", asked, headers=reader).json()["code"] == "SPAN_UNKNOWN"
