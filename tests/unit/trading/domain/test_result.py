"""Results add up, and what is said of them is rounded against us."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.result import Drawdown, Performance, Point, Result, curve, drawdown, performance, total
from trading.domain.units import Multiple, Percent, Usdc

FIRST = date(2026, 1, 1)
amounts = st.integers(-(10**12), 10**12).map(Usdc.from_raw)
counts = st.integers(0, 10**6)
results = st.builds(
    Result,
    fills=counts,
    trades=counts,
    won=counts,
    gains=amounts,
    losses=amounts,
    price_pnl=amounts,
    fees=amounts,
    rollover=amounts,
    funding=amounts,
    volume=amounts,
)


def earned(*amounts: str) -> list[tuple[date, Result]]:
    return [(FIRST + timedelta(days=number), Result(price_pnl=Usdc.of(amount))) for number, amount in enumerate(amounts)]


def fallen(*amounts: str) -> Drawdown | None:
    return drawdown(curve(earned(*amounts)))


def test_what_is_earned_is_what_price_moves_made_less_every_cost() -> None:
    result = Result(price_pnl=Usdc.of(100), fees=Usdc.of(3), rollover=Usdc.of(2), funding=Usdc.of("0.5"))

    assert result.net == Usdc.of("94.5")


def test_funding_that_was_received_is_earned() -> None:
    assert Result(funding=Usdc.of(-2)).net == Usdc.of(2)


@given(one=results, other=results)
def test_the_parts_add_up_to_the_whole(one: Result, other: Result) -> None:
    both = total([one, other])

    assert both.net == one.net + other.net
    assert (both.fills, both.trades, both.won) == (one.fills + other.fills, one.trades + other.trades, one.won + other.won)
    assert (both.gains, both.losses, both.volume) == (
        one.gains + other.gains,
        one.losses + other.losses,
        one.volume + other.volume,
    )


def test_nothing_adds_up_to_nothing() -> None:
    assert total([]) == Result()


def test_the_win_rate_is_the_share_of_won_trades_rounded_down() -> None:
    assert Result(trades=3, won=2).win_rate == Percent.of("66.6666666666")


def test_the_profit_factor_is_gains_over_losses_rounded_down() -> None:
    assert Result(gains=Usdc.of(10), losses=Usdc.of(3)).profit_factor == Multiple.of("3.3333333333")


def test_the_expectancy_is_what_a_trade_made_on_average_rounded_against_us() -> None:
    assert Result(trades=3, gains=Usdc.of(10), losses=Usdc.of(0)).expectancy == Usdc.of("3.333333")
    assert Result(trades=3, gains=Usdc.of(0), losses=Usdc.of(10)).expectancy == Usdc.of("-3.333334")


def test_without_a_trade_nothing_is_said_of_trades() -> None:
    nothing = Result(fills=1, fees=Usdc.of(1))

    assert (nothing.win_rate, nothing.profit_factor, nothing.expectancy) == (None, None, None)


def test_gains_without_a_loss_have_no_factor() -> None:
    assert Result(trades=1, won=1, gains=Usdc.of(5)).profit_factor is None


def test_a_curve_is_what_had_been_earned_by_the_end_of_each_day() -> None:
    assert [point.earned for point in curve(earned("5", "-2", "4"))] == [Usdc.of(5), Usdc.of(3), Usdc.of(7)]


@pytest.mark.parametrize(
    ("days", "depth", "peak", "trough"),
    [
        (("5", "-2", "4"), "2", 0, 1),
        (("-3", "-1", "10"), "4", 0, 1),  # it begins at nothing
        (("5", "-2", "1", "-6", "20"), "7", 0, 3),
        (("5", "-2", "10", "-6", "1"), "6", 2, 3),
        (("1", "0", "-4"), "4", 0, 2),  # the first day of a peak
        (("5", "-2", "4", "-2"), "2", 0, 1),  # the first of two as deep
    ],
)
def test_a_drawdown_is_the_deepest_fall_from_an_earlier_end_of_a_day(
    days: tuple[str, ...], depth: str, peak: int, trough: int
) -> None:
    found = fallen(*days)

    assert found == Drawdown(depth=Usdc.of(depth), peak=FIRST + timedelta(days=peak), trough=FIRST + timedelta(days=trough))


def test_a_curve_that_never_fell_has_no_drawdown() -> None:
    assert fallen("0", "1", "0", "2") is None
    assert drawdown([]) is None


@given(days=st.lists(st.integers(-100, 100), max_size=20))
def test_no_fall_is_deeper_than_the_drawdown(days: list[int]) -> None:
    points = curve((FIRST + timedelta(days=number), Result(price_pnl=Usdc.of(amount))) for number, amount in enumerate(days))
    ends = [Usdc.zero(), *(point.earned for point in points)]
    falls = [earlier - later for number, earlier in enumerate(ends) for later in ends[number:]]
    found = drawdown(points)

    assert (found.depth if found else Usdc.zero()) == max(falls)


def test_a_point_is_a_day_and_what_had_been_earned() -> None:
    assert curve(earned("1")) == [Point(day=FIRST, earned=Usdc.of(1))]


def test_a_performance_names_the_best_and_the_worst_day_and_adds_all_of_them_up() -> None:
    days = [
        (FIRST, Result(fills=1, price_pnl=Usdc.of(3))),
        (FIRST + timedelta(days=1), Result()),  # a day whose fills were reorganized out
        (FIRST + timedelta(days=2), Result(fills=2, price_pnl=Usdc.of(-4))),
        (FIRST + timedelta(days=3), Result(trades=1)),
        (FIRST + timedelta(days=4), Result(fills=1, price_pnl=Usdc.of(3))),
    ]

    found = performance(days)

    assert (found.days, found.total) == (4, Result(fills=4, trades=1, price_pnl=Usdc.of(2)))
    assert (found.best, found.worst) == ((FIRST, Usdc.of(3)), (FIRST + timedelta(days=2), Usdc.of(-4)))
    assert found.drawdown == Drawdown(depth=Usdc.of(4), peak=FIRST, trough=FIRST + timedelta(days=2))


def test_without_a_day_nothing_was_performed() -> None:
    assert performance([]) == Performance(total=Result(), days=0, best=None, worst=None, drawdown=None)
