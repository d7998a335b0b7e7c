"""The execution mode: asked before each signature, switched by people, stopped by anybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum

import structlog
from django.conf import settings

from trading import locks
from trading.domain import mode as domain
from trading.domain.errors import Conflict, Unavailable
from trading.domain.mode import Book, Ceiling, EffectiveMode, Latches, Mode, SwitchReading, effective
from trading.domain.people import Act, NotAllowed, Person, may
from trading.kinds import piece, step, write
from trading.models import ModeState
from trading.ports import ModeSwitch
from trading.services import switching
from trading.services.switching import BY_SWITCH

log = structlog.get_logger(__name__)

# The row of the source whose signals copy somebody.
COPY_SOURCE = "copy"


class DeskSwitch(StrEnum):
    """The desk's other switches: columns of the mode's row."""

    SIGNALS_ENABLED = "signals_enabled"
    MAINTENANCE = "maintenance"
    AUTOMATION_PAUSED = "automation_paused"


class StoppedMeanwhile(Conflict):
    """Somebody set another stop in the switch a moment ago; whoever lifts must have seen it."""

    code = "STOPPED_MEANWHILE"


class NothingToConfirm(Conflict):
    """No wish for LIVE waits for a second person."""

    code = "NOTHING_TO_CONFIRM"


@step
def current(*, switch: ModeSwitch, at: datetime) -> EffectiveMode:
    """The mode that holds for this process now."""
    reading, state = switching.read(switch=switch, at=at)
    return effective(reading=reading, latches=latches(state, reading))


def ceiling() -> Ceiling:
    """The highest mode that the environment allows."""
    return domain.ceiling(exec_mode=_said(settings.EXEC_MODE, settings.EXEC_IS_SET), copy_mode=_copy_mode())


def copy_ceiling() -> Ceiling:
    """The highest mode that the environment allows to copy trading."""
    return domain.copy_ceiling(whole=ceiling(), copy_mode=_copy_mode())


def ceiling_for(source_name: str) -> Ceiling:
    """The highest mode that the environment allows to what a source asks: copies have one of their own."""
    return copy_ceiling() if source_name == COPY_SOURCE else ceiling()


def copy_book() -> Book:
    """The book of a copied entry now."""
    return domain.book_for(configured=Mode.DRY if copy_ceiling().mode is Mode.DRY else configured())


def latches(state: ModeState, reading: SwitchReading) -> Latches:
    """What is kept outside the switch, beside a reading of it."""
    whole = ceiling()
    return Latches(
        ceiling=whole,
        environment_stop=settings.EMERGENCY_STOP,
        database_stop=state.emergency_stop,
        wish=Mode(state.configured),
        is_confirmed=switching.is_confirmed(state, reading),
        streak_needed=settings.ALLOW_LIVE_AFTER_STREAK,
    )


def configured() -> Mode:
    """The mode that people want and agree on, never above the ceiling; it fixes the book of a new entry."""
    return Mode.DRY if ceiling().mode is Mode.DRY else switching.wish(ModeState.objects.get(pk=1))


def is_automation_paused() -> bool:
    """Whether targets, trailing stops and copying rest; a stop-loss never does."""
    return ModeState.objects.filter(pk=1, automation_paused=True).exists()


@step
def switch_to(*, mode: Mode, switch: ModeSwitch, actor: str, reason: str, at: datetime) -> None:
    """Set the mode that people want, in the database first, then in the switch.

    With LIVE_REQUIRES_TWO, LIVE is a wish until somebody else confirms it (`confirm_live`).

    Raises:
        Unavailable: if the switch can't be reached: the wish is kept, the mode that holds is DRY.
    """
    reading, state = switching.read(switch=switch, at=at)
    if switching.is_news(state, reading):
        # Older than this wish, but a stop in it stays.
        switching.hear(reading, at=at)
    _choose(mode=mode, actor=actor, reason=reason, at=at)
    switching.tell(switch=switch, at=at)


@write
def _choose(*, mode: Mode, actor: str, reason: str, at: datetime) -> None:
    choose(mode=mode, actor=actor, reason=reason, at=at)


@piece
def choose(*, mode: Mode, actor: str, reason: str, at: datetime) -> None:
    """Set the mode that is wanted, in the database; `switching.tell`, or the next watch, brings DRY to the switch."""
    switching.change(locks.mode_state(), actor=actor, reason=reason, at=at, configured=mode, is_chosen=True)


@step
def confirm_live(*, by: Person, switch: ModeSwitch, reason: str, at: datetime) -> None:
    """Agree, as somebody else, to a wish for LIVE.

    Raises:
        NotAllowed: if the person may not let money move, or the wish is his own.
        NothingToConfirm: if no wish for LIVE waits for anybody.
        Unavailable: if the switch can't be reached: the agreement is kept, the mode that holds is DRY.
    """
    _confirm(by=by, reason=reason, at=at)
    switching.tell(switch=switch, at=at)


@write
def _confirm(*, by: Person, reason: str, at: datetime) -> None:
    state = locks.mode_state()
    if not may(by, Act.GO_LIVE):
        raise NotAllowed("only a super-admin confirms LIVE", person=by.name)
    if state.configured != Mode.LIVE or switching.is_confirmed(state):
        raise NothingToConfirm("no wish for LIVE waits for a second person")
    if by.name == state.wished_by:
        raise NotAllowed("somebody else must confirm LIVE", person=by.name)
    switching.change(state, actor=by.name, reason=reason, at=at, confirmed_by=by.name)


@step
def stop_everything(*, switch: ModeSwitch, actor: str, origin: str, reason: str, at: datetime) -> None:
    """Raise the emergency stop: latched in the database, then told to the switch, which may be down."""
    _raise(actor=actor, origin=origin, reason=reason, at=at)
    with _unreachable_is_no_failure():
        switching.tell(switch=switch, at=at)


@step
def lift_stop(*, switch: ModeSwitch, actor: str, reason: str, at: datetime) -> None:
    """Lift the emergency stop by a person's audited act.

    Raises:
        StoppedMeanwhile: if another stop was set in the switch of which nobody has heard yet.
    """
    reading, state = switching.read(switch=switch, at=at)
    if switching.is_news(state, reading):
        switching.hear(reading, at=at)
        if reading.stop is True and state.emergency_stop:
            raise StoppedMeanwhile("another stop was set in the switch a moment ago: look again")
    _lift(actor=actor, reason=reason, at=at)
    with _unreachable_is_no_failure():
        switching.tell_lifted(switch=switch, at=at)


@contextmanager
def _unreachable_is_no_failure() -> Iterator[None]:
    """The database's word stands; a stop that the switch still knows of is lifted once more when it can be reached."""
    try:
        yield
    except Unavailable as error:
        log.warning("mode.switch_unreachable", words="emergency stop", **error.facts)


@write
def _raise(*, actor: str, origin: str, reason: str, at: datetime) -> None:
    state = locks.mode_state()
    if not state.emergency_stop:
        switching.change(state, actor=actor, reason=reason, at=at, emergency_stop=True, stopped_by=origin)
        log.warning("mode.emergency_stop", words="emergency stop", is_up=True, actor=actor)
    elif state.stopped_by == BY_SWITCH:
        # From now on the switch alone doesn't lift it.
        switching.change(state, actor=actor, reason=reason, at=at, stopped_by=origin)


@write
def _lift(*, actor: str, reason: str, at: datetime) -> None:
    state = locks.mode_state()
    if state.emergency_stop:
        switching.change(state, actor=actor, reason=reason, at=at, emergency_stop=False, stopped_by="")
        log.warning("mode.emergency_stop", words="emergency stop", is_up=False, actor=actor)


@write
def set_desk(*, name: DeskSwitch, is_on: bool, actor: str, reason: str, at: datetime) -> None:
    """Turn one of the desk's other switches; turning it to where it stands is no change."""
    state = locks.mode_state()
    if getattr(state, name) != is_on:
        switching.change(state, actor=actor, reason=reason, at=at, **{name: is_on})


def _copy_mode() -> Mode | None:
    return _said(settings.COPY_EXECUTION_MODE, settings.COPY_IS_SET)


def _said(word: str, is_set: bool) -> Mode | None:  # noqa: FBT001 - the setting's own twin
    return Mode(word) if is_set else None
