"""A guard at work: price paths that fire and paths that don't, for longs and for shorts, and what must hold on any path."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW
from trading.domain import guarding
from trading.domain.guarding import Band, Firing, Guard, Memory, StopReason
from trading.domain.position import Direction
from trading.domain.protection import AtMove, AtPrice, AtReward, Protection, Target, Trail
from trading.domain.units import Multiple, Percent, Price, Usdc

HUNDRED = Price.of(100)
STOP = Protection(stop=AtMove(share=Percent.of(5)))
LADDER = Protection(
    stop=AtMove(share=Percent.of(5)),
    targets=(
        Target(level=AtMove(share=Percent.of(2)), close_share=Percent.of(50)),
        Target(level=AtReward(multiple=Multiple.of(1)), close_share=Percent.of(30)),
        Target(level=AtMove(share=Percent.of(10)), close_share=Percent.of(20)),
    ),
)
RUNNER = replace(LADDER, targets=LADDER.targets[:2])
BREAKEVEN = replace(LADDER, breakeven_after=1)
TRAIL = Protection(trail=Trail(activate=Percent.of(3), distance=Percent.of(2)))
TIME = Protection(time_stop=timedelta(minutes=1))

# A guard, the gains that a position of either direction sees second by second, and what fires at the last of them.
FIRES: list[tuple[Protection, list[str], str]] = [
    (STOP, ["1", "-4.99", "-5"], "stop"),
    (STOP, ["-60"], "stop"),
    (LADDER, ["1", "2"], "tp1"),
    (LADDER, ["2", "5"], "tp2"),
    (LADDER, ["2", "5", "10"], "tp3"),
    (LADDER, ["11"], "tp3"),
    (LADDER, ["2", "-5"], "stop"),
    (BREAKEVEN, ["2", "0.12", "0.11"], "stop"),
    (TRAIL, ["3", "1"], "stop"),
    (TRAIL, ["3", "8", "6.01", "6"], "stop"),
    (TIME, ["0"] * 61, "time"),
]
SLEEPS: list[tuple[Protection, list[str]]] = [
    (STOP, ["-4.9999999999", "80", "-4.99"]),
    (LADDER, ["1.9999999999", "-4.99"]),
    (LADDER, ["2", "1", "2", "4.99"]),
    (BREAKEVEN, ["1.99", "0.11", "0", "-4.99"]),
    (BREAKEVEN, ["2", "0.1100000001"]),
    (TRAIL, ["2.99", "0.5", "-40"]),
    (TRAIL, ["3", "1.01", "2.9"]),
    (TIME, ["0"] * 60),
    (Protection(), ["-90", "90"]),
]


def guard_of(protection: Protection, direction: Direction = Direction.LONG) -> Guard:
    """One entered at 100 whose way in and out costs 0.11 %."""
    return guarding.of(protection, entry=HUNDRED, direction=direction, cost=Percent.of("0.11"), opened_at=NOW)


def walk(protection: Protection, gains: list[str], direction: Direction) -> tuple[list[str], Memory]:
    """What fires along a path, a second apart, and what is remembered at its end."""
    guard, fired = guard_of(protection, direction), []
    memory = guarding.begin(protection, entry=HUNDRED, direction=direction)
    for second, gain in enumerate(gains):
        memory, firing = guarding.judge(guard, memory, price=guard.at(Price.of(gain)), at=NOW + timedelta(seconds=second))
        fired += [] if firing is None else [firing.name]
    return fired, memory


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("protection", "gains", "name"), FIRES)
def test_a_path_that_reaches_a_level_fires_it(protection: Protection, gains: list[str], name: str, direction: Direction) -> None:
    before, _ = walk(protection, gains[:-1], direction)
    fired, _ = walk(protection, gains, direction)

    assert fired == [*before, name]


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("protection", "gains"), SLEEPS)
def test_a_path_that_reaches_no_further_level_fires_nothing(
    protection: Protection, gains: list[str], direction: Direction
) -> None:
    at_most_the_first, _ = walk(protection, gains[:1], direction)

    assert walk(protection, gains, direction)[0] == at_most_the_first


@pytest.mark.parametrize("direction", Direction)
def test_a_rung_fires_once_however_often_it_is_reached(direction: Direction) -> None:
    assert walk(LADDER, ["2", "1", "2", "3"], direction)[0] == ["tp1"]


@pytest.mark.parametrize("direction", Direction)
def test_rungs_that_are_jumped_over_fire_as_the_last_of_them(direction: Direction) -> None:
    fired, memory = walk(LADDER, ["7"], direction)

    assert (fired, memory.hits) == (["tp2"], 2)


@pytest.mark.parametrize("direction", Direction)
def test_the_stop_says_why_it_stands_where_it_stands(direction: Direction) -> None:
    both = replace(BREAKEVEN, trail=TRAIL.trail)
    guard = guard_of(both, direction)

    def stands(gains: list[str]) -> tuple[str, StopReason | None]:
        memory = walk(both, gains, direction)[1]
        return str(guard.gain(memory.stop or HUNDRED)), memory.reason

    assert stands(["1"]) == ("-5", StopReason.SET)
    assert stands(["2"]) == ("0.11", StopReason.BREAKEVEN)
    assert stands(["2", "3"]) == ("1", StopReason.TRAIL)
    assert stands(["2", "3", "1.5"]) == ("1", StopReason.TRAIL)


def test_a_breakeven_that_would_fire_at_once_waits_for_the_price() -> None:
    near = Protection(targets=(Target(level=AtMove(share=Percent.of("0.05")), close_share=Percent.of(50)),), breakeven_after=1)

    assert walk(near, ["0.05", "0.11"], Direction.LONG)[1].stop is None
    assert walk(near, ["0.05", "0.1100000001"], Direction.LONG)[1].stop == Price.of("100.11")


def test_a_level_names_itself() -> None:
    assert Firing(cause=guarding.Cause.TARGET, level=HUNDRED, number=2).name == "tp2"
    assert guarding.judge_time(guard_of(TIME), at=NOW) is None


@pytest.mark.parametrize(
    ("protection", "number", "claimed", "closes"),
    [
        (LADDER, 1, "0", "50"),
        (LADDER, 2, "50", "30"),
        (LADDER, 2, "0", "80"),
        # The last of targets that close all: the rest, whatever it is.
        (LADDER, 3, "80", None),
        # Targets that leave something leave it to the stop.
        (RUNNER, 2, "50", "30"),
        (RUNNER, 2, "80", "0"),
    ],
)
def test_a_target_closes_its_share_of_what_was_guarded(
    protection: Protection, number: int, claimed: str, closes: str | None
) -> None:
    firing = Firing(cause=guarding.Cause.TARGET, level=HUNDRED, number=number)

    found = guarding.amount(guard_of(protection), firing, guarded=Usdc.of(100), claimed=Usdc.of(claimed))

    assert found == (None if closes is None else Usdc.of(closes))


@pytest.mark.parametrize("cause", [guarding.Cause.STOP, guarding.Cause.TIME])
def test_a_stop_closes_everything(cause: guarding.Cause) -> None:
    assert guarding.amount(guard_of(LADDER), Firing(cause=cause), guarded=Usdc.of(100), claimed=Usdc.of(50)) is None


def test_a_share_is_rounded_up_so_that_it_is_never_nothing() -> None:
    firing = Firing(cause=guarding.Cause.TARGET, level=HUNDRED, number=1)
    dust = Protection(targets=(Target(level=AtPrice(price=Price.of(101)), close_share=Percent.from_raw(1)),))

    assert guarding.amount(guard_of(dust), firing, guarded=Usdc.of(1), claimed=Usdc.zero()) == Usdc.from_raw(1)


def test_nothing_happens_between_the_bands_ends() -> None:
    guard, memory = guard_of(LADDER), walk(LADDER, ["2"], Direction.LONG)[1]

    assert guarding.band(guard, memory) == Band(below=Price.of(95), above=Price.of(105))
    assert guarding.band(guard_of(Protection()), Memory()) == Band(below=None, above=None)


# On any path.

PERCENTS = st.integers(1, 20 * 10**10).map(Percent.from_raw)
GAINS = st.lists(st.integers(-30 * 10**10, 30 * 10**10).map(Price.from_raw), min_size=1, max_size=20)
TARGETS = st.lists(PERCENTS, max_size=3).map(
    lambda shares: tuple(Target(level=AtMove(share=share), close_share=Percent.of(30)) for share in shares)
)
PROTECTIONS = st.builds(
    Protection,
    stop=st.none() | PERCENTS.map(lambda share: AtMove(share=share)),
    targets=TARGETS,
    breakeven_after=st.none() | st.integers(1, 3),
    trail=st.none() | st.builds(Trail, activate=PERCENTS, distance=PERCENTS),
    time_stop=st.none() | st.integers(1, 20).map(lambda seconds: timedelta(seconds=seconds)),
)


def steps(protection: Protection, gains: list[Price], direction: Direction, **start: Any) -> list[tuple[Memory, Firing | None]]:
    """Each second's memory and firing, in gains."""
    guard, found = guard_of(protection, direction), []
    memory = replace(guarding.begin(protection, entry=HUNDRED, direction=direction), **start)
    for second, gain in enumerate(gains):
        memory, firing = guarding.judge(guard, memory, price=guard.at(gain), at=NOW + timedelta(seconds=second))
        found.append((memory, firing))
    return found


@given(protection=PROTECTIONS, gains=GAINS, direction=st.sampled_from(Direction))
def test_a_stop_never_moves_against_the_trader(protection: Protection, gains: list[Price], direction: Direction) -> None:
    guard = guard_of(protection, direction)
    stops = [guard.gain(memory.stop) for memory, _ in steps(protection, gains, direction) if memory.stop is not None]

    assert stops == sorted(stops)


@given(protection=PROTECTIONS, gains=GAINS)
def test_a_short_is_a_long_in_the_mirror(protection: Protection, gains: list[Price]) -> None:
    long, short = guard_of(protection, Direction.LONG), guard_of(protection, Direction.SHORT)

    def mirrored(guard: Guard, found: list[tuple[Memory, Firing | None]]) -> list[Any]:
        def gain(price: Price | None) -> Price | None:
            return None if price is None else guard.gain(price)

        return [
            (gain(memory.stop), memory.reason, gain(memory.best), memory.hits, firing and (firing.name, gain(firing.level)))
            for memory, firing in found
        ]

    assert mirrored(long, steps(protection, gains, Direction.LONG)) == mirrored(short, steps(protection, gains, Direction.SHORT))


@given(protection=PROTECTIONS, gains=GAINS, closer=st.integers(0, 10 * 10**10).map(Price.from_raw))
def test_a_tighter_stop_fires_no_later(protection: Protection, gains: list[Price], closer: Price) -> None:
    guard = guard_of(protection)
    loose = steps(protection, gains, Direction.LONG)
    first = guarding.begin(protection, entry=HUNDRED, direction=Direction.LONG)
    tight = replace(first, stop=(first.stop or Price.of(70)) + closer, reason=StopReason.SET)

    def stopped(found: list[tuple[Memory, Firing | None]]) -> int:
        names = [firing.name if firing else "" for _, firing in found]
        return names.index("stop") if "stop" in names else len(names)

    assert stopped(steps(protection, gains, Direction.LONG, stop=tight.stop, reason=tight.reason)) <= stopped(loose)
    assert guard.gain(guard.breakeven) > Price.zero()


@given(protection=PROTECTIONS, gains=GAINS, direction=st.sampled_from(Direction))
def test_between_the_bands_ends_judging_changes_nothing(protection: Protection, gains: list[Price], direction: Direction) -> None:
    timeless = replace(protection, time_stop=None)
    guard, memory = guard_of(timeless, direction), guarding.begin(timeless, entry=HUNDRED, direction=direction)

    for gain in gains:
        price, ends = guard.at(gain), guarding.band(guard, memory)
        is_inside = (ends.below is None or price > ends.below) and (ends.above is None or price < ends.above)
        after, firing = guarding.judge(guard, memory, price=price, at=NOW)
        assert not is_inside or (after, firing) == (memory, None)
        memory = after


@given(
    protection=PROTECTIONS, stop=st.integers(-10 * 10**10, 10 * 10**10).map(Price.from_raw), direction=st.sampled_from(Direction)
)
def test_exactly_at_the_stop_fires(protection: Protection, stop: Price, direction: Direction) -> None:
    guard = guard_of(protection, direction)
    memory = Memory(stop=guard.at(stop), reason=StopReason.SET)

    assert guarding.judge_stop(guard, memory, price=guard.at(stop)) == Firing(cause=guarding.Cause.STOP, level=memory.stop)
    assert guarding.judge_stop(guard, memory, price=guard.at(stop + Price.from_raw(1))) is None
