"""STOP is an OR, LIVE is an AND."""

from itertools import product

import pytest

from trading.domain.mode import Book, Latches, Mode, SwitchReading, book_for, effective


def reading(*, healthy: bool = True, mode: Mode = Mode.LIVE, stop: bool | None = None, streak: int = 3) -> SwitchReading:
    return SwitchReading(is_healthy=healthy, mode=mode, stop=stop, streak=streak, problem="" if healthy else "no such key")


def latches(*, ceiling: Mode = Mode.LIVE, environment: bool = False, database: bool = False, confirmed: bool = True) -> Latches:
    return Latches(ceiling=ceiling, environment_stop=environment, database_stop=database, is_confirmed=confirmed)


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
        (reading(healthy=False, mode=Mode.DRY, streak=0), latches(), ("the switch can't be read: no such key",)),
        (reading(mode=Mode.DRY), latches(), ("the switch says DRY",)),
        (reading(streak=2), latches(), ("health streak 2 of 3",)),
        (reading(), latches(confirmed=False), ("LIVE waits for a second person",)),
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


def test_only_a_chosen_dry_papers_an_entry() -> None:
    assert (book_for(configured=Mode.LIVE), book_for(configured=Mode.DRY)) == (Book.LIVE, Book.PAPER)
