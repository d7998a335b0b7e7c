"""What recent closes ask for follows from the closes alone, each boundary on both sides."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain import guard
from risk.domain.guard import Closing, ProfitFloor, StopLossGuard
from risk.domain.lock import LockKind
from tests.factories import NOW
from trading.domain.position import FillKind
from trading.domain.units import Usdc

HOUR = timedelta(hours=1)
THREE = StopLossGuard(count=3, window=HOUR, lasts=2 * HOUR)
FLOOR = ProfitFloor(floor=Usdc.of(-10), window=HOUR, lasts=2 * HOUR)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def closing(minutes: float = 0, *, kind: FillKind = FillKind.STOP_LOSS, profit: str = "-5", **said: Any) -> Closing:
    told: dict[str, Any] = {"symbol": "BTC-USD", "is_last": True} | said
    return Closing(kind=kind, profit=Usdc.of(profit), closed_at=after(minutes), **told)


def test_a_market_rests_after_its_newest_close() -> None:
    plan = guard.cooldown([closing(0), closing(3), closing(9, symbol="ETH-USD")], symbol="BTC-USD", lasts=HOUR)

    assert plan is not None
    assert (plan.kind, plan.symbol, plan.caused_at, plan.until) == (LockKind.COOLDOWN, "BTC-USD", after(3), after(63))
    assert plan.reason == "A position in BTC-USD was closed at 03:07:05 UTC; entries rest for 60 min"


@pytest.mark.parametrize("closings", [[], [closing(symbol="ETH-USD")], [closing(is_last=False)]])
def test_without_a_close_of_a_whole_position_no_market_rests(closings: list[Closing]) -> None:
    assert guard.cooldown(closings, symbol="BTC-USD", lasts=HOUR) is None


def test_as_many_stop_losses_as_the_guard_counts_lock_the_account() -> None:
    plan = guard.stop_loss_guard([closing(0), closing(10, symbol="ETH-USD"), closing(20)], guard=THREE)

    assert plan is not None
    assert (plan.kind, plan.symbol, plan.caused_at, plan.until) == (LockKind.STOP_LOSS_GUARD, None, after(20), after(140))
    assert plan.reason == "3 stop-losses within 60 min, the last at 03:24:05 UTC"
    assert guard.stop_loss_guard([closing(0), closing(20)], guard=THREE) is None


@pytest.mark.parametrize(("last", "is_locked"), [(59, True), (60, True), (60.01, False)])
def test_stop_losses_count_within_the_window_its_end_included(last: float, is_locked: bool) -> None:
    assert (guard.stop_loss_guard([closing(0), closing(1), closing(last)], guard=THREE) is not None) is is_locked


def test_the_newest_run_counts_also_when_another_stop_came_long_after() -> None:
    plan = guard.stop_loss_guard([closing(each) for each in (0, 10, 20, 500)], guard=THREE)

    assert plan is not None
    assert plan.caused_at == after(20)


@pytest.mark.parametrize(
    ("kind", "is_counted"), [("STOP_LOSS", True), ("LIQUIDATION", True), ("CLOSE", False), ("TAKE_PROFIT", False)]
)
def test_a_liquidation_is_a_stop_loss_and_no_other_close_is(kind: str, is_counted: bool) -> None:
    closings = [closing(0), closing(1), closing(2, kind=FillKind(kind))]

    assert (guard.stop_loss_guard(closings, guard=THREE) is not None) is is_counted


@given(minutes=st.lists(st.integers(0, 600), max_size=9), count=st.integers(1, 4), window=st.integers(1, 120))
def test_the_guard_says_what_counting_every_window_says(minutes: list[int], count: int, window: int) -> None:
    span = timedelta(minutes=window)
    plan = guard.stop_loss_guard([closing(each) for each in minutes], guard=StopLossGuard(count=count, window=span, lasts=HOUR))

    ends = [end for end in minutes if sum(end - window <= each <= end for each in minutes) >= count]
    assert (plan and plan.caused_at) == (after(max(ends)) if ends else None)


@pytest.mark.parametrize(("profit", "is_locked"), [("-4.999999", False), ("-5", False), ("-5.000001", True)])
def test_a_market_at_its_floor_passes_and_one_unit_below_does_not(profit: str, is_locked: bool) -> None:
    plan = guard.low_profit([closing(0), closing(30, profit=profit)], symbol="BTC-USD", floor=FLOOR)

    assert (plan is not None) is is_locked


def test_a_market_that_earns_nothing_says_how_little() -> None:
    plan = guard.low_profit([closing(0, profit="-9"), closing(30, profit="-2")], symbol="BTC-USD", floor=FLOOR)

    assert plan is not None
    assert (plan.value, plan.limit, plan.caused_at, plan.until) == ("$-11", "$-10", after(30), after(150))
    assert plan.reason == "BTC-USD realised $-11 within 60 min, limit $-10"


@pytest.mark.parametrize(
    "closings",
    [
        [],
        [closing(0, profit="-11", symbol="ETH-USD")],
        [closing(0, profit="-12"), closing(60, profit="1")],  # an hour before the last close lies outside
        [closing(0, profit="-11"), closing(30, profit="2")],
    ],
)
def test_a_market_that_earns_enough_stays_open(closings: list[Closing]) -> None:
    assert guard.low_profit(closings, symbol="BTC-USD", floor=FLOOR) is None


def test_closes_of_thirty_days_are_read() -> None:
    assert timedelta(days=30) == guard.LONGEST_WINDOW
