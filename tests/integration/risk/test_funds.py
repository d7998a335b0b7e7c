"""What an account has free and in all, and what a size makes of it."""

from datetime import timedelta
from typing import Any

import pytest

from risk.models import AccountFacts, Decision, Leg
from tests.factories import NOW
from tests.factories.risk import LegFactory, PolicyFactory
from tests.factories.trading import CloseSignalFactory, FillFactory, PositionFactory, SignalFactory
from tests.fakes.accounts import Accounts
from tests.integration.risk.deciding import MICROSECOND, check_of, codes, drain, trader
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind
from trading.domain.signal import SizeKind
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import Trader

pytestmark = pytest.mark.django_db

__all__ = ["trader"]


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
    after = {"held_usdc": Usdc.of(40), "entry_price": position.entry_price}
    FillFactory(position=position, kind=FillKind.INCREASE, collateral_usdc=Usdc.of(4), fee_usdc=Usdc.of(1), **after)
    FillFactory(position=position, kind=FillKind.MARGIN, collateral_usdc=Usdc.of(3), **after)
    FillFactory(position=position, kind=FillKind.MARGIN, collateral_usdc=Usdc.of(8), payout_usdc=Usdc.of(8), **after)
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
