"""An account's signals are decided one at a time, in the order received, with every check kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from risk.domain.decision import Denial
from risk.domain.policy import Scope
from risk.models import Decision, Leg
from risk.services import decisions
from risk.services.decisions import MAX_ATTEMPTS
from tests.factories import NOW
from tests.factories.risk import CloseLegFactory, PolicyFactory
from tests.factories.trading import (
    CloseSignalFactory,
    EtherMarketFactory,
    MarketFactory,
    PositionFactory,
    QuoteFactory,
    SignalFactory,
    TraderFactory,
)
from tests.fakes import doorbell
from tests.fakes.accounts import Accounts
from tests.fakes.switch import UNTROUBLED, Switch
from trading.domain.mode import Book
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Event, Market, ModeState, Signal, Trader

pytestmark = pytest.mark.django_db


@pytest.fixture
def trader(settings: Any) -> Trader:
    settings.EXEC_MODE, settings.COPY_IS_SET, settings.EMERGENCY_STOP = "LIVE", False, False
    settings.MAX_LEVERAGE = 500
    ModeState.objects.update(configured="LIVE", **UNTROUBLED)
    QuoteFactory()
    return TraderFactory(tg_user_id=123)


def drain(trader: Trader, *, at: datetime = NOW, switch: Switch | None = None, accounts: Accounts | None = None) -> bool:
    return decisions.drain(trader_id=trader.pk, switch=switch or Switch(), accounts=accounts or Accounts(), clock=lambda: at)


def verdicts() -> list[tuple[str, str]]:
    return list(Decision.objects.order_by("signal_id").values_list("verdict", "code"))


def closed() -> list[tuple[int | None, str]]:
    return [(leg.position_id, str(leg.collateral_usdc)) for leg in Leg.objects.order_by("decision__signal_id", "number")]


def test_an_approved_entry_owes_one_leg(trader: Trader, django_capture_on_commit_callbacks: Any) -> None:
    signal = SignalFactory(trader=trader, take_profit=Price.of(66_000), stop_loss=Price.of(54_000))
    with django_capture_on_commit_callbacks(execute=True):
        assert drain(trader, at=NOW + timedelta(seconds=1)) is True
    signal.refresh_from_db()
    assert (signal.status, signal.decided_at, signal.next_action_at) == ("APPROVED", NOW + timedelta(seconds=1), None)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.code, decision.message, decision.price) == ("APPROVED", "", "", Price.of(60_000))
    assert all(check["passed"] and check["message"] == "" for check in decision.checks)
    leg = Leg.objects.get()
    assert (leg.number, leg.action, leg.direction, leg.book, leg.market_id) == (1, "OPEN", "LONG", "LIVE", signal.market_id)
    assert (leg.collateral_usdc, leg.leverage_x, leg.slippage_pct) == (Usdc.of(50), Leverage.of(3), Percent.of("0.5"))
    assert (leg.take_profit, leg.stop_loss, leg.expires_at) == (Price.of(66_000), Price.of(54_000), signal.expires_at)
    assert (leg.next_action_at, leg.settled_at, leg.position) == (NOW + timedelta(seconds=1), None, None)
    assert [event.kind for event in Event.objects.all()] == ["decision.approved"]
    assert doorbell.heard() == [("decision.approved", trader.pk)]


def test_a_denial_keeps_all_its_checks_and_owes_nothing(trader: Trader, django_capture_on_commit_callbacks: Any) -> None:
    PolicyFactory(max_leverage_x=Leverage.of(50), circuit_breaker=True)
    signal = SignalFactory(trader=trader, leverage_x=Leverage.of(51))
    with django_capture_on_commit_callbacks(execute=True):
        drain(trader)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.code, decision.message) == (
        "DENIED",
        "LEVERAGE_ABOVE_MAX",
        "Leverage 51x exceeds max 50x",
    )
    assert {check["code"]: check["passed"] for check in decision.checks} == {
        "EMERGENCY_STOP": True,
        "TRADING_REDUCING": True,
        "SIGNALS_DISABLED": True,
        "MAINTENANCE": True,
        "SOURCE_DISABLED": True,
        "MARKET_NOT_OPEN": True,
        "MARKET_CLOSE_ONLY": True,
        "LEVERAGE_ABOVE_MAX": False,
        "LEVERAGE_BELOW_ONE": True,
        "LEVERAGE_OUT_OF_RANGE": True,
        "NOTIONAL_BELOW_MINIMUM": True,
        "CIRCUIT_BREAKER": False,
        "INSUFFICIENT_COLLATERAL": True,
        "PRICE_STALE": True,
        **dict.fromkeys((code for code in Denial if code.startswith("LOCK_")), True),
        "GAS_TOO_LOW": True,
        "ALLOWANCE_TOO_LOW": True,
        "DELEGATE_INVALID": True,
    }
    refused = next(check for check in decision.checks if check["code"] == "LEVERAGE_ABOVE_MAX")
    assert refused == {
        "code": "LEVERAGE_ABOVE_MAX",
        "passed": False,
        "value": "51x",
        "limit": "50x",
        "message": "Leverage 51x exceeds max 50x",
    }
    signal.refresh_from_db()
    assert signal.status == "DENIED"
    assert Leg.objects.count() == 0
    assert doorbell.heard() == []


@pytest.mark.parametrize(("collateral", "verdict"), [(1_000, ("APPROVED", "")), (1_001, ("DENIED", "POSITION_ABOVE_USER_LIMIT"))])
@pytest.mark.parametrize(("scope", "names"), [(Scope.GLOBAL, {}), (Scope.USER, {"tg_user_id": 123})])
def test_a_cap_of_100_000_takes_1_000_at_100x_and_not_a_dollar_more(
    trader: Trader, collateral: int, verdict: tuple[str, str], scope: Scope, names: dict[str, Any]
) -> None:
    PolicyFactory(scope=scope, max_position_usd_1e6=100_000_000_000, **names)
    SignalFactory(trader=trader, collateral_usdc=Usdc.of(collateral), leverage_x=Leverage.of(100))
    drain(trader)
    assert verdicts() == [verdict]


def test_the_environments_ceiling_is_above_every_policy(trader: Trader, settings: Any) -> None:
    settings.MAX_LEVERAGE = 2
    PolicyFactory(max_leverage_x=Leverage.of(50))
    SignalFactory(trader=trader, leverage_x=Leverage.of(3))
    drain(trader)
    assert verdicts() == [("DENIED", "LEVERAGE_ABOVE_MAX")]


@pytest.mark.parametrize(
    ("late", "status"), [(timedelta(0), "APPROVED"), (timedelta(microseconds=1), "EXPIRED"), (timedelta(hours=1), "EXPIRED")]
)
def test_an_entry_waits_no_longer_than_its_lifetime(trader: Trader, late: timedelta, status: str) -> None:
    signal = SignalFactory(trader=trader)
    at = signal.expires_at + late
    market_quote(at)
    drain(trader, at=at)
    signal.refresh_from_db()
    assert (signal.status, signal.decided_at, signal.next_action_at) == (status, at, None)
    assert Decision.objects.count() == (status == "APPROVED")
    assert [event.kind for event in Event.objects.all()] == ["decision.approved" if status == "APPROVED" else "signal.expired"]


def market_quote(at: datetime) -> None:
    Market.objects.get(symbol="BTC-USD").quotes.update(published_at=at)


def test_an_exit_is_taken_however_late(trader: Trader) -> None:
    position = PositionFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader, at=NOW + timedelta(days=30))
    assert verdicts() == [("APPROVED", "")]
    assert closed() == [(position.pk, "50")]


def test_signals_are_decided_in_the_order_received(trader: Trader) -> None:
    position = PositionFactory(trader=trader)
    first, second = (CloseSignalFactory(trader=trader, reduce_usdc=Usdc.of(30)) for _ in range(2))
    third = CloseSignalFactory(trader=trader)
    drain(trader)
    # Together they would take 80 of 50: what the first takes is gone for the second, and the third takes the rest.
    assert list(Decision.objects.order_by("pk").values_list("signal_id", "verdict", "code")) == [
        (first.pk, "APPROVED", ""),
        (second.pk, "DENIED", "CLOSE_ABOVE_POSITION"),
        (third.pk, "APPROVED", ""),
    ]
    assert closed() == [(position.pk, "30"), (position.pk, "20")]


def test_two_closes_of_everything_close_once(trader: Trader) -> None:
    PositionFactory(trader=trader)
    CloseSignalFactory.create_batch(2, trader=trader)
    drain(trader)
    assert verdicts() == [("APPROVED", ""), ("DENIED", "NOTHING_TO_CLOSE")]


def test_what_an_earlier_drain_promised_is_not_promised_again(trader: Trader) -> None:
    position = PositionFactory(trader=trader)
    CloseLegFactory(decision__signal__trader=trader, position=position, collateral_usdc=Usdc.of(40))
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert closed()[-1] == (position.pk, "10")


def test_a_leg_that_has_ended_gives_its_room_back(trader: Trader) -> None:
    position = PositionFactory(trader=trader)
    CloseLegFactory(decision__signal__trader=trader, position=position, collateral_usdc=Usdc.of(40), settled_at=NOW)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert closed()[-1] == (position.pk, "50")


def several(trader: Trader) -> list[int]:
    """Positions of 30, 20 and 10 USDC, the oldest first."""
    amounts = ((30, 3), (20, 2), (10, 1))
    return [
        PositionFactory(trader=trader, collateral_usdc=Usdc.of(amount), opened_at=NOW - timedelta(hours=hours)).pk
        for amount, hours in amounts
    ]


def test_a_close_of_everything_closes_each_position(trader: Trader) -> None:
    first, second, third = several(trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert closed() == [(first, "30"), (second, "20"), (third, "10")]
    assert list(Leg.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_an_amount_is_taken_from_the_oldest_first(trader: Trader) -> None:
    first, second, _ = several(trader)
    CloseSignalFactory(trader=trader, reduce_usdc=Usdc.of("42.5"))
    drain(trader)
    assert closed() == [(first, "30"), (second, "12.5")]


def test_a_share_is_taken_from_each(trader: Trader) -> None:
    first, second, third = several(trader)
    CloseSignalFactory(trader=trader, reduce_pct=Percent.of(25))
    drain(trader)
    assert closed() == [(first, "7.5"), (second, "5"), (third, "2.5")]


@pytest.mark.parametrize(
    ("reduce", "verdict"),
    [
        ({"reduce_usdc": Usdc.of("61.2")}, ("APPROVED", "")),
        ({"reduce_usdc": Usdc.of("61.200001")}, ("DENIED", "CLOSE_ABOVE_POSITION")),
        ({"reduce_pct": Percent.of(102)}, ("APPROVED", "")),
        ({"reduce_pct": Percent.of("102.1")}, ("DENIED", "CLOSE_ABOVE_POSITION")),
        ({"reduce_pct": Percent.of("0.0000001")}, ("DENIED", "NOTHING_TO_CLOSE")),
    ],
)
def test_a_close_is_clamped_up_to_two_percent_and_refused_above(
    trader: Trader, reduce: dict[str, Any], verdict: tuple[str, str]
) -> None:
    several(trader)
    CloseSignalFactory(trader=trader, **reduce)
    drain(trader)
    assert verdicts() == [verdict]
    assert sum((leg.collateral_usdc for leg in Leg.objects.all()), Usdc.zero()) == Usdc.of(60 if verdict[0] == "APPROVED" else 0)


def test_a_close_touches_only_its_own_traders_market_and_book(trader: Trader) -> None:
    own = PositionFactory(trader=trader)
    PositionFactory()
    PositionFactory(trader=trader, market=EtherMarketFactory())
    PositionFactory(trader=trader, book=Book.PAPER)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert closed() == [(own.pk, "50")]


@pytest.mark.parametrize("mode", [{"signals_enabled": False}, {"maintenance": True}])
def test_a_desk_that_takes_no_entries_still_takes_exits(trader: Trader, mode: dict[str, bool]) -> None:
    ModeState.objects.update(**mode)
    PositionFactory(trader=trader)
    SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert [verdict for verdict, _ in verdicts()] == ["DENIED", "APPROVED"]


def test_a_switch_that_is_gone_is_no_denial(trader: Trader) -> None:
    """DRY by trouble holds the signature back, not the decision."""
    switch = Switch()
    switch.is_down = True
    SignalFactory(trader=trader)
    drain(trader, switch=switch)
    assert verdicts() == [("APPROVED", "")]


def test_a_stopped_desk_denies_entries_and_approves_exits(trader: Trader) -> None:
    PositionFactory(trader=trader)
    SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader, switch=Switch(stop=True))
    assert verdicts() == [("DENIED", "EMERGENCY_STOP"), ("APPROVED", "")]
    assert Decision.objects.earliest("pk").message == "emergency stop by the switch"


def test_without_a_price_there_is_no_entry_but_an_exit(trader: Trader) -> None:
    market_quote(NOW - timedelta(days=1))
    PositionFactory(trader=trader)
    SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert verdicts() == [("DENIED", "PRICE_STALE"), ("APPROVED", "")]
    assert [decision.price for decision in Decision.objects.all()] == [None, None]


def test_signals_of_others_and_of_later_are_left_alone(trader: Trader) -> None:
    SignalFactory()
    SignalFactory(trader=trader, next_action_at=NOW + timedelta(seconds=1))
    drain(trader)
    assert Decision.objects.count() == 0
    assert set(Signal.objects.values_list("status", "attempts")) == {("RECEIVED", 0)}


def test_a_lane_that_somebody_works_is_left_to_him(trader: Trader) -> None:
    SignalFactory(trader=trader)
    Trader.objects.filter(pk=trader.pk).update(leased_until=timezone.now() + timedelta(seconds=60))
    assert drain(trader) is False
    assert Decision.objects.count() == 0


def test_a_second_drain_finds_nothing_to_do(trader: Trader) -> None:
    SignalFactory(trader=trader)
    drain(trader)
    drain(trader)
    assert (Decision.objects.count(), Leg.objects.count(), Event.objects.count()) == (1, 1, 1)


def queries_for(trader: Trader, number: int) -> int:
    SignalFactory.create_batch(number, trader=trader)
    with CaptureQueriesContext(connection) as queries:
        drain(trader)
    return len(queries)


def test_a_hundred_signals_cost_as_many_queries_as_one(trader: Trader) -> None:
    PolicyFactory(max_leverage_x=Leverage.of(50))
    assert queries_for(trader, 1) == queries_for(trader, 100)
    assert Decision.objects.count() == 101


def poison(trader: Trader) -> Signal:
    """A row that no rule expects: an entry without collateral, from before the constraint there was."""
    Market.objects.update(min_notional_usdc=Usdc.zero())
    signal = SignalFactory(trader=trader)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE signals DROP CONSTRAINT signal_entry_has_leverage_and_collateral_or_a_size")
        cursor.execute("UPDATE signals SET collateral_usdc = NULL WHERE id = %s", [signal.pk])
    return signal


def test_a_signal_that_raises_is_set_aside_and_its_lane_goes_on(trader: Trader) -> None:
    before = SignalFactory(trader=trader)
    bad = poison(trader)
    after = SignalFactory(trader=trader)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(ValueError, match=r"^an entry has collateral and leverage$"):
            drain(trader)
    drain(trader)
    assert dict(Signal.objects.values_list("pk", "status")) == {before.pk: "APPROVED", bad.pk: "SET_ASIDE", after.pk: "APPROVED"}
    assert list(Decision.objects.order_by("pk").values_list("signal_id", flat=True)) == [before.pk, after.pk]
    event = Event.objects.get(kind="signal.set_aside")
    assert (event.subject, event.facts) == (f"signal:{bad.pk}", {"attempts": MAX_ATTEMPTS})


def test_attempts_are_counted_before_the_work(trader: Trader) -> None:
    bad = poison(trader)
    for attempt in (1, 2, 3):
        with pytest.raises(ValueError, match="an entry has"):
            drain(trader)
        bad.refresh_from_db()
        assert (bad.attempts, bad.status) == (attempt, "RECEIVED")
    trader.refresh_from_db()
    assert trader.leased_until is None


def test_a_market_that_closed_takes_nothing(trader: Trader) -> None:
    MarketFactory()
    Market.objects.update(is_listed=False)
    PositionFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert verdicts() == [("DENIED", "MARKET_NOT_OPEN")]
