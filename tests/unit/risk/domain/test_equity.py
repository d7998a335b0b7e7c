"""Realised and unrealised together; money that comes or goes is no part of what trading earned."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain.equity import Account, Held, Marks, Measure, measure, stake, unrealised
from tests.factories import NOW
from trading.domain.position import Direction
from trading.domain.units import Leverage, Price, Usdc

LONG = Held(
    symbol="BTC-USD",
    direction=Direction.LONG,
    collateral=Usdc.of(100),
    leverage=Leverage.of(10),
    entry=Price.of(60_000),
    opened_at=NOW - timedelta(hours=1),
)


def marks(price: int | None = None, *, last: int | None = None) -> Marks:
    return Marks(
        agreed={} if price is None else {"BTC-USD": Price.of(price)},
        last_known={} if last is None else {"BTC-USD": Price.of(last)},
    )


def account(*held: Held, price: int | None = 60_000, **said: Any) -> Account:
    told: dict[str, Any] = {
        "earned": Usdc.of(-5),
        "earned_before": Usdc.of(-3),
        "held": held,
        "marks": marks(price),
        "stake": Usdc.of(10_000),
    }
    return Account(**told | said)


@pytest.mark.parametrize(
    ("direction", "price", "profit"),
    [("LONG", 60_600, "10"), ("LONG", 59_400, "-10"), ("SHORT", 59_400, "10"), ("SHORT", 60_600, "-10"), ("LONG", 60_000, "0")],
)
def test_what_is_open_is_worth_the_move_of_its_price(direction: str, price: int, profit: str) -> None:
    assert unrealised([replace(LONG, direction=Direction(direction))], marks=marks(price)) == Usdc.of(profit)


def test_a_position_loses_no_more_than_its_collateral() -> None:
    assert unrealised([LONG], marks=marks(54_000)) == Usdc.of(-100)
    assert unrealised([LONG], marks=marks(1)) == Usdc.of(-100)


def test_a_price_that_is_missing_is_the_last_known_one_and_otherwise_the_entry() -> None:
    last, never = marks(last=60_600), marks()

    assert unrealised([LONG], marks=last) == Usdc.of(10)
    assert unrealised([LONG], marks=never) == Usdc.zero()
    assert last.doubts(["BTC-USD"]) == ("BTC-USD at its last known price",)
    assert never.doubts(["BTC-USD", "BTC-USD"]) == ("BTC-USD at its entry price",)
    assert marks(60_000, last=1).doubts(["BTC-USD"]) == ()


def test_an_account_is_worth_what_was_put_in_and_what_it_earned() -> None:
    assert measure(account(LONG, price=60_600), since=NOW) == Measure(
        earned=Usdc.of(5), earned_before=Usdc.of(7), equity=Usdc.of(10_005), doubts=()
    )


def test_what_was_opened_since_the_reset_counts_for_the_day_only() -> None:
    young = replace(LONG, opened_at=NOW)

    assert measure(account(young, price=60_600), since=NOW).earned_before == Usdc.of(-3)


def test_until_somebody_has_seen_the_wallet_nobody_knows_what_an_account_is_worth() -> None:
    blind = measure(account(LONG, price=59_400, stake=None), since=NOW)

    assert (blind.equity, blind.earned) == (None, Usdc.of(-15))


AMOUNTS = st.integers(0, 10**12).map(Usdc.from_raw)


@given(paid_in=AMOUNTS, put_up=AMOUNTS, fee=AMOUNTS, payout=AMOUNTS)
def test_a_wallet_tells_what_was_paid_in_whatever_was_opened_and_closed(
    paid_in: Usdc, put_up: Usdc, fee: Usdc, payout: Usdc
) -> None:
    opened = stake(balance=paid_in - put_up - fee, put_up=put_up, earned=-fee)
    closed = stake(balance=paid_in - put_up - fee + payout, put_up=Usdc.zero(), earned=payout - put_up - fee)

    assert (opened, closed) == (paid_in, paid_in)


@given(paid_in=AMOUNTS, moved=st.integers(-(10**12), 10**12), price=st.integers(1, 200_000))
def test_a_deposit_or_a_withdrawal_is_nothing_that_trading_earned(paid_in: Usdc, moved: int, price: int) -> None:
    before = measure(account(LONG, price=price, stake=paid_in), since=NOW)
    after = measure(account(LONG, price=price, stake=paid_in + Usdc(moved)), since=NOW)

    assert (after.earned, after.earned_before) == (before.earned, before.earned_before)
    assert before.equity is not None
    assert after.equity == before.equity + Usdc(moved)
