"""STOP is an OR, LIVE is an AND."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from trading.domain.mode import (
    EMPTY,
    Book,
    Ceiling,
    EffectiveMode,
    Latches,
    Mode,
    SwitchReading,
    book_for,
    ceiling,
    copy_ceiling,
    effective,
)

Voices = tuple[SwitchReading, Latches]
Caution = Callable[[SwitchReading, Latches], Voices]


def reading(*, healthy: bool = True, mode: Mode = Mode.LIVE, stop: bool | None = None, streak: int = 3) -> SwitchReading:
    return SwitchReading(is_healthy=healthy, mode=mode, stop=stop, streak=streak, problem="" if healthy else "no such key")


def latches(
    *,
    ceiling: Mode = Mode.LIVE,
    by: str = "EXEC_MODE",
    environment: bool = False,
    database: bool = False,
    confirmed: bool = True,
    wish: Mode = Mode.DRY,
) -> Latches:
    return Latches(
        ceiling=Ceiling(mode=ceiling, by=by),
        environment_stop=environment,
        database_stop=database,
        is_confirmed=confirmed,
        wish=wish,
    )


VOICES = list(product((True, False), repeat=8))


@pytest.mark.parametrize("voices", VOICES)
def test_live_needs_every_voice_and_any_voice_can_stop(voices: tuple[bool, ...]) -> None:
    ceiling, healthy, switch, streak, confirmed, environment, database, by_switch = voices
    found = effective(
        reading=reading(
            healthy=healthy,
            mode=Mode.LIVE if switch else Mode.DRY,
            stop=by_switch,
            streak=3 if streak else 2,
        ),
        latches=latches(
            ceiling=Mode.LIVE if ceiling else Mode.DRY, environment=environment, database=database, confirmed=confirmed
        ),
    )
    is_stopped = environment or database or by_switch
    # An unreadable switch says neither mode nor streak: its own veto is enough.
    consents = ceiling and healthy and switch and streak and confirmed
    assert found.emergency_stop is is_stopped
    assert found.mode is (Mode.LIVE if consents and not is_stopped else Mode.DRY)
    assert found.may_sign is (consents and not is_stopped)
    assert bool(found.reasons) is not found.may_sign


@pytest.mark.parametrize(
    ("given_reading", "given_latches", "reasons"),
    [
        (reading(), latches(), ()),
        (reading(), latches(ceiling=Mode.DRY), ("EXEC_MODE is DRY",)),
        (reading(), latches(ceiling=Mode.DRY, by="COPY_EXECUTION_MODE"), ("COPY_EXECUTION_MODE is DRY",)),
        (reading(healthy=False, mode=Mode.DRY, streak=0), latches(), ("the switch can't be read: no such key",)),
        (reading(mode=Mode.DRY), latches(), ("the switch says DRY",)),
        (reading(streak=2), latches(), ("health streak 2 of 3",)),
        (reading(), latches(confirmed=False), ("LIVE waits for a second person",)),
        (reading(mode=Mode.DRY), latches(confirmed=False), ("the switch says DRY",)),
        (
            reading(mode=Mode.DRY),
            latches(confirmed=False, wish=Mode.LIVE),
            ("the switch says DRY", "LIVE waits for a second person"),
        ),
        (
            replace(reading(mode=Mode.DRY), is_own=True),
            latches(wish=Mode.LIVE),
            ("the switch says DRY until somebody confirms LIVE",),
        ),
        (reading(), latches(environment=True), ("emergency stop by environment",)),
        (reading(), latches(database=True), ("emergency stop latched in the database",)),
        (reading(stop=True), latches(), ("emergency stop by the switch",)),
        (reading(stop=True, mode=Mode.DRY), latches(), ("emergency stop by the switch", "the switch says DRY")),
    ],
)
def test_each_voice_that_holds_the_mode_down_is_named(
    given_reading: SwitchReading, given_latches: Latches, reasons: tuple[str, ...]
) -> None:
    assert effective(reading=given_reading, latches=given_latches).reasons == reasons


@pytest.mark.parametrize("streak", [3, 4, 1_000])
def test_a_long_enough_streak_of_health_is_enough(streak: int) -> None:
    assert effective(reading=reading(streak=streak), latches=latches()).may_sign


def test_a_switch_that_does_not_mention_the_stop_neither_stops_nor_lifts() -> None:
    assert not effective(reading=reading(stop=None), latches=latches()).emergency_stop
    assert effective(reading=reading(stop=False), latches=latches(database=True)).emergency_stop


def test_what_a_voice_does_not_mention_is_the_cautious_thing_or_nothing() -> None:
    bare = SwitchReading(is_healthy=True, mode=Mode.LIVE)
    kept = Latches(ceiling=Ceiling(mode=Mode.LIVE, by="EXEC_MODE"), environment_stop=False, database_stop=False)

    assert (bare.stop, bare.is_own, bare.streak) == (None, False, 0)
    assert (kept.wish, kept.is_confirmed, kept.streak_needed) == (Mode.DRY, True, 3)


def test_a_version_names_a_value_and_is_no_part_of_it() -> None:
    assert replace(reading(), version="1") == replace(reading(), version="2")
    assert replace(reading(), version=EMPTY).is_empty
    assert not replace(reading(), version="1").is_empty


def test_only_a_chosen_dry_papers_an_entry() -> None:
    assert (book_for(configured=Mode.LIVE), book_for(configured=Mode.DRY)) == (Book.LIVE, Book.PAPER)


READINGS = some.builds(
    SwitchReading,
    is_healthy=some.booleans(),
    mode=some.sampled_from(Mode),
    stop=some.sampled_from((True, False, None)),
    is_own=some.booleans(),
    streak=some.integers(0, 6),
    problem=some.just("down"),
    version=some.sampled_from(("", EMPTY, "1")),
)
LATCHES = some.builds(
    Latches,
    ceiling=some.builds(Ceiling, mode=some.sampled_from(Mode), by=some.just("EXEC_MODE")),
    environment_stop=some.booleans(),
    database_stop=some.booleans(),
    wish=some.sampled_from(Mode),
    is_confirmed=some.booleans(),
    streak_needed=some.integers(1, 5),
)
# What each voice can say that is more cautious than what it said.
CAUTIONS: tuple[Caution, ...] = (
    lambda reading, latches: (replace(reading, is_healthy=False), latches),
    lambda reading, latches: (replace(reading, mode=Mode.DRY), latches),
    lambda reading, latches: (replace(reading, stop=True), latches),
    lambda reading, latches: (replace(reading, streak=0), latches),
    lambda reading, latches: (reading, replace(latches, ceiling=Ceiling(mode=Mode.DRY, by="EXEC_MODE"))),
    lambda reading, latches: (reading, replace(latches, environment_stop=True)),
    lambda reading, latches: (reading, replace(latches, database_stop=True)),
    lambda reading, latches: (reading, replace(latches, is_confirmed=False)),
    lambda reading, latches: (reading, replace(latches, streak_needed=latches.streak_needed + 1)),
)


def _of(voices: Voices) -> EffectiveMode:
    return effective(reading=voices[0], latches=voices[1])


@given(READINGS, LATCHES)
def test_any_stop_stops_and_live_needs_everybody(reading: SwitchReading, latches: Latches) -> None:
    found = _of((reading, latches))

    stops = (reading.stop is True, latches.environment_stop, latches.database_stop)
    consents = (
        reading.is_healthy,
        reading.mode is Mode.LIVE,
        reading.streak >= latches.streak_needed,
        latches.ceiling.mode is Mode.LIVE,
        latches.is_confirmed,
    )
    assert found.emergency_stop is any(stops)
    assert (found.mode is Mode.LIVE) is (all(consents) and not any(stops))
    assert found.may_sign is (found.mode is Mode.LIVE)
    assert bool(found.reasons) is not found.may_sign


@given(READINGS, LATCHES, some.lists(some.sampled_from(CAUTIONS), min_size=1))
def test_more_caution_in_any_voice_never_makes_the_result_less_cautious(
    reading: SwitchReading, latches: Latches, cautions: list[Caution]
) -> None:
    voices: Voices = (reading, latches)
    for more in cautions:
        before, voices = _of(voices), more(*voices)
        after = _of(voices)
        assert after.may_sign <= before.may_sign
        assert after.emergency_stop >= before.emergency_stop
        assert (after.mode is Mode.LIVE) <= (before.mode is Mode.LIVE)


@given(READINGS, LATCHES, some.sampled_from(Mode))
def test_what_people_want_explains_and_vetoes_nothing(reading: SwitchReading, latches: Latches, wish: Mode) -> None:
    before, after = _of((reading, latches)), _of((reading, replace(latches, wish=wish)))

    assert (after.mode, after.emergency_stop) == (before.mode, before.emergency_stop)


@pytest.mark.parametrize(
    ("exec_mode", "copy_mode", "whole", "by", "copying"),
    [
        (None, None, Mode.DRY, "EXEC_MODE", Mode.DRY),
        (None, Mode.LIVE, Mode.LIVE, "COPY_EXECUTION_MODE", Mode.LIVE),
        (None, Mode.DRY, Mode.DRY, "COPY_EXECUTION_MODE", Mode.DRY),
        (Mode.LIVE, None, Mode.LIVE, "EXEC_MODE", Mode.DRY),
        (Mode.LIVE, Mode.LIVE, Mode.LIVE, "EXEC_MODE", Mode.LIVE),
        (Mode.LIVE, Mode.DRY, Mode.DRY, "COPY_EXECUTION_MODE", Mode.DRY),
        (Mode.DRY, None, Mode.DRY, "EXEC_MODE", Mode.DRY),
        (Mode.DRY, Mode.LIVE, Mode.DRY, "EXEC_MODE", Mode.DRY),
        (Mode.DRY, Mode.DRY, Mode.DRY, "EXEC_MODE", Mode.DRY),
    ],
)
def test_two_words_of_the_environment_make_two_ceilings(
    exec_mode: Mode | None, copy_mode: Mode | None, whole: Mode, by: str, copying: Mode
) -> None:
    found = ceiling(exec_mode=exec_mode, copy_mode=copy_mode)

    assert (found.mode, found.by) == (whole, by)
    assert copy_ceiling(whole=found, copy_mode=copy_mode).mode is copying
