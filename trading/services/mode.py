"""The execution mode: read before each signature, switched by people, watched for changes from outside."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import structlog
from django.conf import settings

from trading import locks
from trading.domain.errors import Unavailable
from trading.domain.mode import EffectiveMode, Latches, Mode, SwitchReading, effective
from trading.kinds import step, write
from trading.models import ModeState
from trading.ports import ModeSwitch
from trading.services import audit

log = structlog.get_logger(__name__)

BY_SWITCH = "switch"


class DeskSwitch(StrEnum):
    """The desk's other switches: columns of the mode's row."""

    SIGNALS_ENABLED = "signals_enabled"
    MAINTENANCE = "maintenance"


@step
def current(*, switch: ModeSwitch) -> EffectiveMode:
    """The mode that holds for this process now."""
    reading = switch.read()
    return effective(reading=reading, latches=latches())


def ceiling() -> Mode:
    """The highest mode that the environment allows."""
    both = (settings.EXEC_MODE, settings.COPY_EXECUTION_MODE) if settings.COPY_IS_SET else (settings.EXEC_MODE,)
    return Mode.DRY if Mode.DRY in both else Mode.LIVE


def latches() -> Latches:
    """What is kept outside the switch."""
    state = ModeState.objects.get(pk=1)
    return Latches(
        ceiling=ceiling(),
        environment_stop=settings.EMERGENCY_STOP,
        database_stop=state.emergency_stop,
        streak_needed=settings.ALLOW_LIVE_AFTER_STREAK,
    )


def configured() -> Mode:
    """The mode that people want, never above the ceiling; it fixes the book of a new entry."""
    if ceiling() is Mode.DRY:
        return Mode.DRY
    return Mode(ModeState.objects.values_list("configured", flat=True).get(pk=1))


@step
def sync(*, switch: ModeSwitch, at: datetime) -> None:
    """At a start: a mode that nobody chose follows the environment; an empty switch is filled, as DRY if somebody chose."""
    state = _follow_environment(at=at)
    reading = switch.read()
    if reading.problem == "no such key":
        mode = Mode.DRY if state.is_chosen else Mode(state.configured)
        switch.write(mode=mode, stop=state.emergency_stop)
        log.info("mode.switch_filled", mode=mode)


@write
def _follow_environment(*, at: datetime) -> ModeState:
    state = locks.mode_state()
    changes = {name: wish for name, wish in _wishes(state).items() if getattr(state, name) != wish}
    if changes:
        _change(state, actor="environment", reason="the process's environment at a start", at=at, **changes)
    return state


def _wishes(state: ModeState) -> dict[str, object]:
    """What the environment says at a start; its caution always counts, its mode only until a person chose one."""
    wishes: dict[str, object] = {} if state.is_chosen else {"configured": Mode(settings.DEFAULT_EXECUTION_MODE)}
    if not settings.SIGNALS_ENABLED:
        wishes["signals_enabled"] = False
    if settings.MAINTENANCE_MODE:
        wishes["maintenance"] = True
    return wishes


@step
def switch_to(*, mode: Mode, switch: ModeSwitch, actor: str, reason: str, at: datetime) -> None:
    """Set the mode that people want, in the database first, then in the switch.

    Raises:
        Unavailable: if the switch can't be reached: the wish is kept, the mode that holds is DRY.
    """
    reading = switch.read()
    if reading.is_healthy and not reading.is_own:
        # What somebody set from outside a moment ago, a stop above all, must not be written over.
        _take_over(reading=reading, at=at)
    stop = _choose(mode=mode, actor=actor, reason=reason, at=at)
    switch.write(mode=mode, stop=stop)


@write
def _choose(*, mode: Mode, actor: str, reason: str, at: datetime) -> bool:
    state = locks.mode_state()
    _change(state, actor=actor, reason=reason, at=at, configured=mode, is_chosen=True)
    return state.emergency_stop


@step
def stop_everything(*, switch: ModeSwitch, actor: str, origin: str, reason: str, at: datetime) -> None:
    """Raise the emergency stop: latched in the database, then told to the switch, which may be down."""
    configured_mode = _latch(is_up=True, actor=actor, origin=origin, reason=reason, at=at)
    _tell(switch, mode=configured_mode, stop=True)


@step
def lift_stop(*, switch: ModeSwitch, actor: str, reason: str, at: datetime) -> None:
    """Lift the emergency stop by a person's audited act."""
    configured_mode = _latch(is_up=False, actor=actor, origin="", reason=reason, at=at)
    _tell(switch, mode=configured_mode, stop=False)


def _tell(switch: ModeSwitch, *, mode: Mode, stop: bool) -> None:
    try:
        switch.write(mode=mode, stop=stop)
    except Unavailable as error:
        log.warning("mode.switch_unreachable", words="emergency stop", stop=stop, **error.facts)


@write
def _latch(*, is_up: bool, actor: str, origin: str, reason: str, at: datetime) -> Mode:
    state = locks.mode_state()
    if state.emergency_stop != is_up:
        _change(state, actor=actor, reason=reason, at=at, emergency_stop=is_up, stopped_by=origin)
        log.warning("mode.emergency_stop", words="emergency stop", is_up=is_up, actor=actor)
    return Mode(state.configured)


@write
def set_desk(*, name: DeskSwitch, is_on: bool, actor: str, reason: str, at: datetime) -> None:
    """Turn one of the desk's other switches; turning it to where it stands is no change."""
    state = locks.mode_state()
    if getattr(state, name) != is_on:
        _change(state, actor=actor, reason=reason, at=at, **{name: is_on})


@step
def watch(*, switch: ModeSwitch, at: datetime) -> SwitchReading:
    """Take over what somebody set in the switch from outside, audited as such; fill an emptied switch with DRY."""
    reading = switch.read()
    if reading.problem == "no such key":
        switch.write(mode=Mode.DRY, stop=ModeState.objects.get(pk=1).emergency_stop)
    elif reading.is_healthy and not reading.is_own:
        _take_over(reading=reading, at=at)
    return reading


@write
def _take_over(*, reading: SwitchReading, at: datetime) -> None:
    state = ModeState.objects.get(pk=1)
    if not any(differs(state, reading) for differs in _OUT_OF_BAND):
        return
    state = locks.mode_state()
    raises, lifts, moves = (differs(state, reading) for differs in _OUT_OF_BAND)
    changes: dict[str, object] = {}
    if moves:
        changes |= {"configured": reading.mode, "is_chosen": True}
    if raises or lifts:
        changes |= {"emergency_stop": raises, "stopped_by": BY_SWITCH if raises else ""}
    if changes:
        _change(state, actor="out-of-band", reason="the switch was set directly", at=at, **changes)


_OUT_OF_BAND: tuple[Callable[[ModeState, SwitchReading], bool], ...] = (
    lambda state, reading: reading.stop is True and not state.emergency_stop,
    # Only a stop that came through the switch can be lifted through it.
    lambda state, reading: reading.stop is False and state.emergency_stop and state.stopped_by == BY_SWITCH,
    lambda state, reading: reading.mode != state.configured,
)


def _change(state: ModeState, *, actor: str, reason: str, at: datetime, **changes: object) -> None:
    before = {name: getattr(state, name) for name in changes}
    for name, value in changes.items():
        setattr(state, name, value)
    state.updated_at = at
    state.save(update_fields=[*changes, "updated_at"])
    audit.record(actor=actor, action="mode.change", subject="mode", before=before, after=dict(changes), reason=reason, at=at)
