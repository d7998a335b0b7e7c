"""A guard's prices, and the guard as a row keeps it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import levels, protection
from trading.domain.levels import Levels
from trading.domain.position import Direction
from trading.domain.protection import AtMove, AtPrice, AtReward, Protection, Target, Trail
from trading.domain.units import Multiple, Percent, Price

HUNDRED = Price.of(100)
ONE = AtMove(share=Percent.of(1))
LADDER = Protection(
    stop=ONE,
    targets=(
        Target(level=AtReward(multiple=Multiple.of(2)), close_share=Percent.of(50)),
        Target(level=AtPrice(price=Price.of(105)), close_share=Percent.of(25)),
        Target(level=AtMove(share=Percent.of(10)), close_share=Percent.of(25)),
    ),
    breakeven_after=1,
    trail=Trail(activate=Percent.of("1.5"), distance=Percent.of("0.5")),
    time_stop=timedelta(hours=2),
)


def test_a_long_stops_below_and_gains_above() -> None:
    expected = Levels(stop=Price.of(99), targets=(Price.of(102), Price.of(105), Price.of(110)))

    assert levels.of(LADDER, entry=HUNDRED, direction=Direction.LONG) == expected


def test_a_short_stops_above_and_gains_below() -> None:
    expected = Levels(stop=Price.of(101), targets=(Price.of(98), Price.of(105), Price.of(90)))

    assert levels.of(LADDER, entry=HUNDRED, direction=Direction.SHORT) == expected


def test_a_stop_at_a_price_measures_the_reward() -> None:
    guard = Protection(stop=AtPrice(price=Price.of(96)), targets=(Target(level=AtReward(multiple=Multiple.of("1.5"))),))

    assert levels.of(guard, entry=HUNDRED, direction=Direction.LONG) == Levels(stop=Price.of(96), targets=(Price.of(106),))


def test_without_a_stop_a_reward_has_no_price() -> None:
    guard = Protection(targets=(Target(level=AtReward(multiple=Multiple.of(1))),))

    assert levels.of(guard, entry=HUNDRED, direction=Direction.LONG) == Levels(targets=(None,))


def test_no_guard_has_no_prices() -> None:
    assert levels.of(Protection(), entry=HUNDRED, direction=Direction.LONG) == Levels()


@given(
    entry=st.integers(1, 10**16).map(Price.from_raw),
    share=st.integers(1, 10**12).map(Percent.from_raw),
    direction=st.sampled_from(Direction),
)
def test_a_level_is_never_further_than_asked(entry: Price, share: Percent, direction: Direction) -> None:
    guard = Protection(stop=AtMove(share=share), targets=(Target(level=AtMove(share=share)),))

    found = levels.of(guard, entry=entry, direction=direction)

    assert found.stop is not None
    assert found.targets[0] is not None
    for level in (found.stop, found.targets[0]):
        assert abs(level - entry).raw * Percent.HUNDRED <= entry.raw * share.raw


@pytest.mark.parametrize("guard", [Protection(), LADDER, Protection(stop=AtPrice(price=Price.of("0.5")))])
def test_a_row_keeps_all_of_it(guard: Protection) -> None:
    assert protection.of_json(protection.as_json(guard)) == guard


def test_a_row_says_it_in_plain_words() -> None:
    assert protection.as_json(LADDER) == {
        "stop": {"move_pct": "1"},
        "targets": [
            {"reward": "2", "close_pct": "50"},
            {"price": "105", "close_pct": "25"},
            {"move_pct": "10", "close_pct": "25"},
        ],
        "breakeven_after": 1,
        "trail": {"activate_pct": "1.5", "distance_pct": "0.5"},
        "time_stop_minutes": 120,
    }


def test_a_row_from_before_there_was_a_time_stop_is_read() -> None:
    kept = protection.as_json(LADDER)
    del kept["time_stop_minutes"]

    assert protection.of_json(kept).time_stop is None


def test_a_row_whose_stop_measures_itself_is_refused() -> None:
    kept = protection.as_json(Protection()) | {"stop": {"reward": "1"}}

    with pytest.raises(TypeError, match="measured by itself"):
        protection.of_json(kept)


@pytest.mark.parametrize(
    ("guard", "is_simple"),
    [
        (Protection(), True),
        (Protection(stop=ONE), True),
        (Protection(stop=ONE, targets=(Target(level=ONE),)), True),
        (Protection(targets=(Target(level=ONE, close_share=Percent.of(99)),)), False),
        (Protection(targets=(Target(level=ONE), Target(level=ONE))), False),
        (Protection(targets=(Target(level=ONE),), breakeven_after=1), False),
        (Protection(trail=LADDER.trail), False),
        (Protection(time_stop=LADDER.time_stop), False),
    ],
)
def test_two_levels_are_all_that_the_venue_knows(guard: Protection, is_simple: bool) -> None:
    assert guard.is_simple is is_simple


def test_a_multiple_has_ten_decimals() -> None:
    assert Multiple.of("1.5") == Multiple.from_raw(15_000_000_000)


@pytest.mark.parametrize(("shares", "closes_all"), [((50, 50), True), ((100,), True), ((50, 49), False), ((), False)])
def test_targets_close_everything_or_leave_a_rest(shares: tuple[int, ...], closes_all: bool) -> None:
    guard = Protection(targets=tuple(Target(level=ONE, close_share=Percent.of(share)) for share in shares))

    assert guard.closes_all is closes_all
