"""What an account has, holds and did lately, as its decisions see it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from risk.models import AccountFacts, Decision, Leg
from risk.services import decisions
from tests.factories import NOW
from tests.factories.risk import CloseLegFactory, DecisionFactory, LegFactory, PolicyFactory
from tests.factories.trading import (
    CloseSignalFactory,
    EtherMarketFactory,
    FillFactory,
    PositionFactory,
    QuoteFactory,
    SignalFactory,
    SourceFactory,
    TraderFactory,
)
from tests.fakes.accounts import Accounts
from tests.fakes.switch import Switch
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind
from trading.domain.signal import SignalStatus, SizeKind
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Market, ModeState, Signal, Trader

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def trader(settings: Any) -> Trader:
    settings.EXEC_MODE, settings.COPY_IS_SET, settings.EMERGENCY_STOP = "LIVE", False, False
    ModeState.objects.update(configured="LIVE")
    QuoteFactory()
    return TraderFactory(tg_user_id=123)


def drain(trader: Trader, *, accounts: Accounts | None = None, at: datetime = NOW) -> None:
    decisions.drain(trader_id=trader.pk, switch=Switch(), accounts=accounts or Accounts(), clock=lambda: at)


def check_of(signal: Signal, code: str) -> tuple[str, str, bool] | None:
    """What a rule measured, held it against, and said."""
    checks = Decision.objects.get(signal=signal).checks
    return next(((each["value"], each["limit"], each["passed"]) for each in checks if each["code"] == code), None)


def codes(trader: Trader) -> list[str]:
    return list(Decision.objects.filter(trader=trader).order_by("signal_id").values_list("code", flat=True))


# What an account has.


def test_what_is_promised_is_not_free(trader: Trader) -> None:
    LegFactory(trader=trader, collateral_usdc=Usdc.of(30))
    first, second = (SignalFactory(trader=trader, collateral_usdc=Usdc.of(40)) for _ in range(2))
    drain(trader, accounts=Accounts(balance=Usdc.of(100)))
    assert check_of(first, "INSUFFICIENT_COLLATERAL") == ("$40", "$70", True)
    assert check_of(second, "INSUFFICIENT_COLLATERAL") == ("$40", "$30", False)


@pytest.mark.parametrize(("charged", "free"), [(None, "$70"), (8, "$70"), (7, "$100"), (6, "$100")])
def test_a_promise_that_the_wallet_has_paid_is_not_taken_off_twice(trader: Trader, charged: int | None, free: str) -> None:
    LegFactory(trader=trader, collateral_usdc=Usdc.of(30), charged_in_block=charged)
    signal = SignalFactory(trader=trader)
    drain(trader, accounts=Accounts(balance=Usdc.of(100), block_number=7))
    assert check_of(signal, "INSUFFICIENT_COLLATERAL") == ("$50", free, True)


def test_equity_is_the_wallet_and_what_is_on_its_way_and_what_is_open(trader: Trader) -> None:
    PolicyFactory(max_account_risk_pct=Percent.of(100))
    # Up 10 % at 3x: 50 are worth 65.
    PositionFactory(trader=trader, collateral_usdc=Usdc.of(50), entry_price=Price.of("54545.4545454545"))
    LegFactory(trader=trader, collateral_usdc=Usdc.of(30), charged_in_block=1)
    signal = SignalFactory(trader=trader)
    drain(trader, accounts=Accounts(balance=Usdc.of(100)))
    assert check_of(signal, "ACCOUNT_RISK_ABOVE_MAX") == ("$50", "$195", True)


def test_a_position_is_never_worth_less_than_nothing(trader: Trader) -> None:
    PolicyFactory(max_account_risk_pct=Percent.of(100))
    PositionFactory(trader=trader, direction=Direction.SHORT, leverage_x=Leverage.of(50), entry_price=Price.of(30_000))
    signal = SignalFactory(trader=trader)
    drain(trader, accounts=Accounts(balance=Usdc.of(100)))
    assert check_of(signal, "ACCOUNT_RISK_ABOVE_MAX") == ("$50", "$100", True)


def test_paper_has_what_it_began_with_and_what_its_fills_made_of_it(trader: Trader, settings: Any) -> None:
    settings.PAPER_BALANCE_USDC = 1_000
    position = PositionFactory(trader=trader, book=Book.PAPER, collateral_usdc=Usdc.of(40))
    FillFactory(position=position, collateral_usdc=Usdc.of(90), fee_usdc=Usdc.of(10))
    FillFactory(position=position, kind=FillKind.CLOSE, collateral_usdc=Usdc.of(50), payout_usdc=Usdc.of(75))
    FillFactory(position=position, collateral_usdc=Usdc.of(500), is_canonical=False)
    LegFactory(trader=trader, book=Book.PAPER, collateral_usdc=Usdc.of(25))
    signal = SignalFactory(trader=trader, book=Book.PAPER)
    drain(trader, accounts=Accounts(balance=Usdc.zero()))
    # 1,000 - 90 - 10 + 75 - 25
    assert check_of(signal, "INSUFFICIENT_COLLATERAL") == ("$50", "$950", True)
    assert check_of(signal, "DELEGATE_INVALID") is None


def test_what_was_seen_is_kept(trader: Trader) -> None:
    SignalFactory(trader=trader)
    accounts = Accounts(balance=Usdc.of(77), block_number=5)
    drain(trader, accounts=accounts)
    facts = AccountFacts.objects.get()
    assert (facts.trader, facts.balance_usdc, facts.block_number, facts.seen_at) == (trader, Usdc.of(77), 5, NOW)
    assert accounts.asked == [trader.address]


def test_nobody_is_asked_for_exits_and_paper(trader: Trader) -> None:
    PositionFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    SignalFactory(trader=trader, book=Book.PAPER)
    accounts = Accounts()
    accounts.is_down = True
    drain(trader, accounts=accounts)
    assert accounts.asked == []
    assert codes(trader) == ["", ""]


def test_an_entry_waits_while_nobody_can_say_what_the_account_has_and_exits_go_on(trader: Trader) -> None:
    PositionFactory(trader=trader)
    entry, exit_ = SignalFactory(trader=trader), CloseSignalFactory(trader=trader)
    accounts = Accounts()
    accounts.is_down = True
    drain(trader, accounts=accounts)
    entry.refresh_from_db()
    exit_.refresh_from_db()
    assert (entry.status, entry.attempts, entry.next_action_at) == ("RECEIVED", 0, NOW + timedelta(seconds=1))
    assert exit_.status == "APPROVED"
    accounts.is_down = False
    drain(trader, accounts=accounts, at=NOW + timedelta(seconds=1))
    entry.refresh_from_db()
    assert entry.status == "APPROVED"


def test_an_entry_that_waits_too_long_expires(trader: Trader) -> None:
    entry = SignalFactory(trader=trader)
    accounts = Accounts()
    accounts.is_down = True
    drain(trader, accounts=accounts, at=NOW + timedelta(seconds=61))
    entry.refresh_from_db()
    assert entry.status == "EXPIRED"


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(seconds=30) - MICROSECOND, "APPROVED"), (timedelta(seconds=30), "RECEIVED")]
)
def test_a_recent_reading_stands_in_for_one_that_does_not_come(trader: Trader, age: timedelta, status: str) -> None:
    AccountFacts.objects.create(
        trader=trader,
        balance_usdc=Usdc.of(100),
        allowance_usdc=Usdc.of(100),
        delegated_until=NOW + timedelta(days=1),
        gas_wei=Accounts().reading.gas,
        block_number=1,
        seen_at=NOW - age,
    )
    signal = SignalFactory(trader=trader)
    accounts = Accounts()
    accounts.is_down = True
    drain(trader, accounts=accounts)
    signal.refresh_from_db()
    assert signal.status == status
    assert AccountFacts.objects.get().seen_at == NOW - age


# How big.


def test_a_size_by_risk_becomes_collateral(trader: Trader) -> None:
    SignalFactory(
        trader=trader,
        collateral_usdc=None,
        size_kind=SizeKind.RISK_PCT,
        size_pct=Percent.of(1),
        leverage_x=Leverage.of(5),
        stop_loss=Price.of(59_400),
    )
    drain(trader, accounts=Accounts(balance=Usdc.of(1_000)))
    # 10 over 1 % to the stop and 0.11 % of costs: a notional of 900.900900, less what rounds down.
    assert [str(leg.collateral_usdc) for leg in Leg.objects.all()] == ["180.18018"]


def test_a_size_by_balance_shrinks_with_what_is_promised(trader: Trader) -> None:
    half: dict[str, Any] = {"collateral_usdc": None, "size_kind": SizeKind.BALANCE_PCT, "size_pct": Percent.of(50)}
    SignalFactory.create_batch(2, trader=trader, **half)
    drain(trader, accounts=Accounts(balance=Usdc.of(1_000)))
    assert [str(leg.collateral_usdc) for leg in Leg.objects.order_by("pk")] == ["500", "250"]


def test_a_size_by_risk_without_a_stop_is_refused(trader: Trader) -> None:
    SignalFactory(trader=trader, collateral_usdc=None, size_kind=SizeKind.RISK_PCT, size_pct=Percent.of(1))
    drain(trader)
    decision = Decision.objects.get()
    failed = [each["code"] for each in decision.checks if not each["passed"]]
    assert failed == ["NOTIONAL_BELOW_MINIMUM", "STOP_REQUIRED"]


# What is open and promised.


def test_open_and_promised_count_across_accounts_when_a_cap_is_as_wide(trader: Trader) -> None:
    PolicyFactory(max_exposure_usdc=Usdc.of(1_000))
    other = TraderFactory()
    PositionFactory(trader=other, collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(2))
    LegFactory(trader=other, collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(5))
    LegFactory(trader=other, collateral_usdc=Usdc.of(999), settled_at=NOW, next_action_at=None)
    PositionFactory(trader=other, book=Book.PAPER, collateral_usdc=Usdc.of(999))
    first, second = (SignalFactory(trader=trader, collateral_usdc=Usdc.of(50)) for _ in range(2))
    drain(trader)
    assert check_of(first, "EXPOSURE_ABOVE_DESK_LIMIT") == ("$850", "$1000", True)
    assert check_of(second, "EXPOSURE_ABOVE_DESK_LIMIT") == ("$1000", "$1000", True)


def test_an_accounts_own_cap_counts_its_own_only(trader: Trader) -> None:
    PolicyFactory(scope="USER", tg_user_id=123, max_exposure_usdc=Usdc.of(300), max_open_positions=2)
    PositionFactory(collateral_usdc=Usdc.of(999))
    PositionFactory(trader=trader, collateral_usdc=Usdc.of(50))
    signal = SignalFactory(trader=trader)
    drain(trader)
    assert check_of(signal, "EXPOSURE_ABOVE_ACCOUNT_LIMIT") == ("$300", "$300", True)
    assert check_of(signal, "TOO_MANY_POSITIONS") == ("2", "2", True)


def test_a_markets_cap_and_a_groups_cap_count_what_is_theirs(trader: Trader) -> None:
    Market.objects.update(group_name="crypto")
    PolicyFactory(max_group_exposure_usdc=Usdc.of(300))
    PolicyFactory(scope="SYMBOL", symbol="BTC-USD", max_exposure_usdc=Usdc.of(250))
    PositionFactory(market=EtherMarketFactory(group_name="crypto"), collateral_usdc=Usdc.of(25), leverage_x=Leverage.of(2))
    PositionFactory(market=EtherMarketFactory(symbol="XAU-USD", pair_index=9, group_name="metals"), collateral_usdc=Usdc.of(999))
    PositionFactory(collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(1))
    signal = SignalFactory(trader=trader)
    drain(trader)
    assert check_of(signal, "EXPOSURE_ABOVE_SYMBOL_LIMIT") == ("$250", "$250", True)
    assert check_of(signal, "EXPOSURE_ABOVE_GROUP_LIMIT") == ("$300", "$300", True)


def test_a_sources_own_limits_hold_beside_the_policies(trader: Trader) -> None:
    PolicyFactory(max_leverage_x=Leverage.of(50))
    calm = SourceFactory(name="calm", max_leverage_x=Leverage.of(2), max_exposure_usdc=Usdc.of(200))
    opened = SignalFactory(trader=trader, source=calm, decided=SignalStatus.APPROVED)
    PositionFactory(collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(1), signal=opened)
    LegFactory(trader=trader, decision=DecisionFactory(signal=opened), collateral_usdc=Usdc.of(1), leverage_x=Leverage.of(1))
    signal = SignalFactory(trader=trader, source=calm)
    drain(trader)
    assert check_of(signal, "LEVERAGE_ABOVE_MAX") == ("3x", "2x", False)
    assert check_of(signal, "EXPOSURE_ABOVE_SOURCE_LIMIT") == ("$251", "$200", False)


def test_a_source_trades_what_it_is_allowed(trader: Trader) -> None:
    source = SourceFactory(name="tv", allowed_symbols=["ETH-USD"], allowed_accounts=[7])
    signal = SignalFactory(trader=trader, source=source)
    drain(trader)
    assert check_of(signal, "SOURCE_SYMBOL_NOT_ALLOWED") == ("BTC-USD", "ETH-USD", False)
    assert check_of(signal, "SOURCE_ACCOUNT_NOT_ALLOWED") == ("123", "7", False)


def test_a_source_switched_off_after_its_signal_came_in_trades_no_more(trader: Trader) -> None:
    SignalFactory(trader=trader, source=SourceFactory(name="tv", is_enabled=False))
    drain(trader)
    assert codes(trader) == ["SOURCE_DISABLED"]


# How fast.


def approved(trader: Trader, *, ago: timedelta, **changes: Any) -> Leg:
    signal = SignalFactory(trader=trader, decided=SignalStatus.APPROVED)
    decision = DecisionFactory(signal=signal, decided_at=NOW - ago)
    return LegFactory(decision=decision, settled_at=NOW, next_action_at=None, **changes)


def test_a_window_is_exact_at_its_edge(trader: Trader) -> None:
    PolicyFactory(max_opens_per_minute=5)
    approved(trader, ago=timedelta(seconds=60))
    approved(trader, ago=timedelta(seconds=60) - MICROSECOND)
    signal = SignalFactory(trader=trader)
    drain(trader)
    assert check_of(signal, "RATE_OPENS") == ("2", "5", True)


def test_a_batch_counts_itself_and_exits_count_and_pass(trader: Trader) -> None:
    PolicyFactory(max_opens_per_minute=2, max_trades_per_day=3)
    PositionFactory(trader=trader)
    SignalFactory.create_batch(2, trader=trader)
    CloseSignalFactory(trader=trader, reduce_usdc=Usdc.of(20))
    SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert codes(trader) == ["", "", "", "RATE_OPENS", ""]
    assert check_of(Signal.objects.order_by("pk")[3], "RATE_TRADES") == ("4", "3", False)


def test_collateral_and_volume_are_summed_over_their_windows(trader: Trader) -> None:
    PolicyFactory(max_collateral_per_hour_usdc=Usdc.of(1_000), max_volume_per_day_usdc=Usdc.of(10_000))
    approved(trader, ago=timedelta(hours=1), collateral_usdc=Usdc.of(500), leverage_x=Leverage.of(2))
    approved(trader, ago=timedelta(minutes=59), collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(3))
    approved(trader, ago=timedelta(hours=24), collateral_usdc=Usdc.of(100), leverage_x=Leverage.of(9))
    position = PositionFactory(trader=trader)
    decision = DecisionFactory(
        signal=CloseSignalFactory(trader=trader, decided=SignalStatus.APPROVED), decided_at=NOW - timedelta(minutes=5)
    )
    CloseLegFactory(decision=decision, position=position, collateral_usdc=Usdc.of(10), leverage_x=Leverage.of(1))
    signal = SignalFactory(trader=trader)
    drain(trader)
    assert check_of(signal, "RATE_COLLATERAL") == ("$150", "$1000", True)
    # 1,000 + 300 + 10 + 150
    assert check_of(signal, "RATE_VOLUME") == ("$1460", "$10000", True)


def test_books_have_windows_of_their_own(trader: Trader) -> None:
    PolicyFactory(max_opens_per_minute=1)
    SignalFactory(trader=trader)
    SignalFactory(trader=trader, book=Book.PAPER)
    drain(trader)
    assert codes(trader) == ["", ""]


# In what order.


def test_an_entry_meant_before_the_last_applied_one_is_out_of_order(trader: Trader) -> None:
    at = NOW - timedelta(seconds=10)
    SignalFactory(trader=trader, signaled_at=at, decided=SignalStatus.APPROVED)
    late, same = SignalFactory(trader=trader, signaled_at=at - MICROSECOND), SignalFactory(trader=trader, signaled_at=at)
    elsewhere = SignalFactory(trader=trader, market=EtherMarketFactory(), signaled_at=at - MICROSECOND)
    strangers = TraderFactory()
    SignalFactory(trader=strangers, signaled_at=at - MICROSECOND)
    drain(trader)
    drain(strangers)
    assert check_of(late, "OUT_OF_ORDER") == ((at - MICROSECOND).isoformat(), at.isoformat(), False)
    assert check_of(same, "OUT_OF_ORDER") == (at.isoformat(), at.isoformat(), True)
    assert check_of(elsewhere, "OUT_OF_ORDER") is None
    assert codes(strangers) == [""]


def test_within_a_batch_the_later_word_holds_too(trader: Trader) -> None:
    SignalFactory(trader=trader, signaled_at=NOW - timedelta(seconds=5))
    SignalFactory(trader=trader, signaled_at=NOW - timedelta(seconds=6))
    drain(trader)
    assert codes(trader) == ["", "OUT_OF_ORDER"]


def test_a_denied_signal_is_not_applied(trader: Trader) -> None:
    PolicyFactory(max_leverage_x=Leverage.of(2))
    SignalFactory(trader=trader, signaled_at=NOW - timedelta(seconds=5))
    SignalFactory(trader=trader, signaled_at=NOW - timedelta(seconds=6), leverage_x=Leverage.of(2))
    drain(trader)
    assert codes(trader) == ["LEVERAGE_ABOVE_MAX", ""]


def test_the_canary_caps_everybody_while_it_flies(trader: Trader, settings: Any) -> None:
    settings.CANARY_ENABLED, settings.CANARY_USER_IDS, settings.ALLOWED_SYMBOLS = True, (7,), ("ETH-USD",)
    signal = SignalFactory(trader=trader)
    drain(trader)
    assert check_of(signal, "LEVERAGE_ABOVE_MAX") == ("3x", "2x", False)
    assert check_of(signal, "CANARY_USER_NOT_ALLOWED") == ("123", "7", False)
    assert check_of(signal, "CANARY_SYMBOL_NOT_ALLOWED") == ("BTC-USD", "ETH-USD", False)
    assert check_of(signal, "CANARY_NOTIONAL_ABOVE_MAX") == ("$150", "$10", False)


def test_a_batch_costs_the_same_queries_as_one_signal(trader: Trader, django_assert_max_num_queries: Any) -> None:
    PolicyFactory(max_exposure_usdc=Usdc.of(10**9), max_opens_per_minute=10**6)
    SignalFactory.create_batch(100, trader=trader, signaled_at=NOW)
    with django_assert_max_num_queries(36):
        drain(trader)
    assert codes(trader) == [""] * 100
