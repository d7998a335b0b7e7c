"""What an account has, holds and did lately, as its decisions see it."""

from datetime import timedelta
from typing import Any

import pytest

from risk.domain.halt import HaltScope, TradingState
from risk.domain.lock import LockKind
from risk.models import Leg
from tests.factories import NOW
from tests.factories.risk import CloseLegFactory, DecisionFactory, HaltFactory, LegFactory, LockFactory, PolicyFactory
from tests.factories.trading import (
    CloseSignalFactory,
    EtherMarketFactory,
    PositionFactory,
    QuoteFactory,
    SignalFactory,
    SourceFactory,
    TraderFactory,
)
from tests.integration.risk.deciding import MICROSECOND, check_of, codes, drain, trader
from trading.domain.mode import Book
from trading.domain.signal import SignalStatus
from trading.domain.units import Leverage, Price, Usdc
from trading.models import Market, Signal, Trader

pytestmark = pytest.mark.django_db

__all__ = ["trader"]


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
    with django_assert_max_num_queries(39):
        drain(trader)
    assert codes(trader) == [""] * 100


# What is blocked, and what the price says.


def test_a_state_and_a_lock_keep_entries_out_and_let_exits_pass(trader: Trader) -> None:
    HaltFactory(scope=HaltScope.SYMBOL, key="BTC-USD", state=TradingState.REDUCING)
    LockFactory(trader=trader, kind=LockKind.COOLDOWN, market=None, value="closed", limit="30 min")
    PositionFactory(trader=trader)
    entry = SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert check_of(entry, "TRADING_REDUCING") == ("REDUCING", "ACTIVE", False)
    assert check_of(entry, "LOCK_COOLDOWN") == ("closed", "30 min", False)
    assert codes(trader) == ["TRADING_REDUCING", ""]


def test_a_halt_of_a_source_knows_it_by_its_row_and_our_own_by_their_whole_name(trader: Trader) -> None:
    HaltFactory(scope=HaltScope.SOURCE, key="tv", state=TradingState.REDUCING)
    HaltFactory(scope=HaltScope.SOURCE, key="copy:0xabc", state=TradingState.REDUCING)
    tv, copying = SourceFactory(name="tv"), SourceFactory(name="copy", is_internal=True)
    SignalFactory(trader=trader, source=tv, source_name="tv")
    SignalFactory(trader=trader, source=copying, source_name="copy:0xabc")
    SignalFactory(trader=trader, source=copying, source_name="copy:0xdef")
    drain(trader)
    assert codes(trader) == ["TRADING_REDUCING", "TRADING_REDUCING", ""]


def test_sources_that_disagree_refuse_an_entry_and_no_exit(trader: Trader) -> None:
    QuoteFactory(source="pyth", price=Price.of(61_000))
    PositionFactory(trader=trader)
    SignalFactory(trader=trader)
    CloseSignalFactory(trader=trader)
    drain(trader)
    assert codes(trader) == ["PRICE_DISAGREEMENT", ""]


def test_an_exit_that_names_a_position_closes_no_other(trader: Trader) -> None:
    first, second = PositionFactory(trader=trader), PositionFactory(trader=trader)
    CloseSignalFactory(trader=trader, position=second)
    drain(trader)
    assert list(Leg.objects.values_list("position", flat=True)) == [second.pk]
    assert first.pk != second.pk
