"""The switch and the database, brought together: trouble is told to every process, what was set from outside is heard.

The switch is never written over blindly: only the value that was seen is replaced, so that a stop which
somebody sets a millisecond before stays.
"""

import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Q

from trading import locks
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode, SwitchReading
from trading.kinds import piece, step, write
from trading.models import ModeState
from trading.ports import ModeSwitch
from trading.services import audit

log = structlog.get_logger(__name__)

BY_SWITCH = "switch"
BY_HAND = "database"
OUT_OF_BAND = "out-of-band"
# One note stands for all trouble within this time: an outage costs one write a second, whoever looks.
NOTE_SPAN = timedelta(seconds=1)
# Somebody would have to set the switch between our look and our write as often as this.
TRIES = 5


@step
def read(*, switch: ModeSwitch, at: datetime) -> tuple[SwitchReading, ModeState]:
    """One look at the switch and at the mode's row; trouble is noted there, so that no process trusts its old streak."""
    state = ModeState.objects.get(pk=1)
    reading = switch.read(doubted_until=_doubted_until(state, at=at))
    if not reading.is_healthy and not _is_noted(state, at=at):
        _note_trouble(reading, at=at)
    return reading, state


def is_news(state: ModeState, reading: SwitchReading) -> bool:
    """Whether the switch has a value from outside that the database hasn't heard of."""
    return reading.is_healthy and not reading.is_own and reading.version != state.switch_heard


def is_confirmed(state: ModeState, reading: SwitchReading | None = None) -> bool:
    """Whether nobody else has to agree to LIVE. Nobody has agreed to what was just set from outside."""
    if not settings.LIVE_REQUIRES_TWO:
        return True
    return bool(state.confirmed_by) and not (reading is not None and is_news(state, reading))


def wish(state: ModeState) -> Mode:
    """The mode that people want, as far as they agree."""
    return Mode(state.configured) if is_confirmed(state) else Mode.DRY


@write
def hear(reading: SwitchReading, *, at: datetime) -> None:
    """Take over what somebody set in the switch from outside."""
    state = locks.mode_state()
    if not is_news(state, reading):
        return
    changes: dict[str, object] = {}
    if reading.mode != state.configured or (reading.mode is Mode.LIVE and settings.LIVE_REQUIRES_TWO):
        changes["configured"] = reading.mode
    if not state.is_chosen:
        changes["is_chosen"] = True
    if reading.stop is True and not state.emergency_stop:
        changes |= {"emergency_stop": True, "stopped_by": BY_SWITCH}
    # Only a stop that came through the switch can be lifted through it.
    if reading.stop is False and state.emergency_stop and state.stopped_by == BY_SWITCH:
        changes |= {"emergency_stop": False, "stopped_by": ""}
    if changes:
        change(state, actor=OUT_OF_BAND, reason="the switch was set directly", at=at, **changes)
    state.switch_heard = reading.version
    state.save(update_fields=["switch_heard"])


@step
def tell(*, switch: ModeSwitch, at: datetime) -> None:
    """Bring the switch to what the database says. A stop in it stays; what is set from outside meanwhile is heard.

    Raises:
        Unavailable: if it can't be reached, or never stands still.
    """
    _bring(switch, at=at, is_lifting=False)


@step
def tell_lifted(*, switch: ModeSwitch, at: datetime) -> None:
    """The same, after a person lifted the stop: what the switch said of it before ends too.

    Raises:
        Unavailable: if it can't be reached, or never stands still.
    """
    _bring(switch, at=at, is_lifting=True)


def _bring(switch: ModeSwitch, *, at: datetime, is_lifting: bool) -> None:
    for _ in range(TRIES):
        reading, state = read(switch=switch, at=at)
        if not reading.version:
            raise Unavailable("the mode switch can't be reached", error=reading.problem)
        if is_news(state, reading):
            hear(reading, at=at)
        # Only now: whoever changes the row tells the switch afterwards, so that what we saw there is too old for our write.
        state = ModeState.objects.get(pk=1)
        stop = state.emergency_stop or (reading.stop is True and not is_lifting)
        if switch.replace(reading, mode=wish(state), stop=stop):
            _forget_heard()
            return
    raise Unavailable("the mode switch can't be set: somebody else keeps setting it")


@step
def sync(*, switch: ModeSwitch, at: datetime) -> None:
    """At a start: a mode that nobody chose follows the environment; an empty switch is filled, as DRY if somebody chose."""
    _follow_environment(at=at)
    reading, _ = read(switch=switch, at=at)
    state = ModeState.objects.get(pk=1)
    is_ours = reading.is_empty or (reading.is_own and not state.is_chosen)
    mode = Mode.DRY if state.is_chosen else wish(state)
    if is_ours and (reading.is_empty or reading.mode is not mode):
        _fill(switch, reading, mode=mode, stop=state.emergency_stop or reading.stop is True)


@step
def watch(*, switch: ModeSwitch, at: datetime) -> SwitchReading:
    """Each second: hear what was set from outside, fill an emptied switch with DRY, and bring it caution that it missed."""
    reading, state = read(switch=switch, at=at)
    streak = min(reading.streak, settings.ALLOW_LIVE_AFTER_STREAK)
    if reading.is_healthy and streak > state.health_streak:
        _note_health(state, streak=streak)
    if state.emergency_stop and not state.stopped_by:
        _own_up(at=at)
    if is_news(state, reading):
        hear(reading, at=at)
    elif reading.is_empty:
        _fill(switch, reading, mode=Mode.DRY, stop=state.emergency_stop)
    elif reading.is_healthy and _is_bolder(reading, state):
        with suppress(Unavailable):
            tell(switch=switch, at=at)
    return reading


@piece
def change(state: ModeState, *, actor: str, reason: str, at: datetime, **changes: object) -> None:
    """Change the locked row, and say so in the audit log. A wish has an owner, and begins with nobody's agreement."""
    before = {name: getattr(state, name) for name in changes}
    for name, value in changes.items():
        setattr(state, name, value)
    state.updated_at = at
    if "configured" in changes:
        state.wished_by, state.confirmed_by = actor, ""
    state.save(update_fields=[*changes, "wished_by", "confirmed_by", "updated_at"])
    audit.record(actor=actor, action="mode.change", subject="mode", before=before, after=dict(changes), reason=reason, at=at)


@write
def _forget_heard() -> None:
    """The switch says our own words now: the same old words typed in again are news."""
    ModeState.objects.filter(pk=1).exclude(switch_heard="").update(switch_heard="")


def _doubted_until(state: ModeState, *, at: datetime) -> datetime | None:
    """Until when there was trouble. Within a note's span that is now: trouble in the rest of it isn't noted again."""
    return None if state.switch_failed_at is None else min(at, state.switch_failed_at + NOTE_SPAN)


def _is_noted(state: ModeState, *, at: datetime) -> bool:
    return state.switch_failed_at is not None and timedelta(0) <= at - state.switch_failed_at < NOTE_SPAN


@write
def _note_trouble(reading: SwitchReading, *, at: datetime) -> None:
    # Several processes fail at once: the first one writes, for the others the condition no longer holds.
    stale = Q(switch_failed_at=None) | Q(switch_failed_at__lte=at - NOTE_SPAN) | Q(switch_failed_at__gt=at)
    who = f"{socket.gethostname()}:{os.getpid()} {reading.problem}"[:200]
    ModeState.objects.filter(stale, pk=1).update(switch_failed_at=at, switch_failed_by=who, health_streak=0)


@write
def _note_health(state: ModeState, *, streak: int) -> None:
    """Let everybody see how far the watch has counted, unless somebody had trouble meanwhile."""
    ModeState.objects.filter(pk=1, switch_failed_at=state.switch_failed_at).update(health_streak=streak)
    log.info("mode.streak", words="health streak", streak=streak, needed=settings.ALLOW_LIVE_AFTER_STREAK)


def _is_bolder(reading: SwitchReading, state: ModeState) -> bool:
    """Whether the switch lacks caution that people asked for while it couldn't be told."""
    is_too_live = reading.mode is Mode.LIVE and wish(state) is Mode.DRY
    return is_too_live or (state.emergency_stop and reading.stop is not True)


@write
def _own_up(*, at: datetime) -> None:
    """A stop that was put into the row itself is nobody's; from now on an operator lifts it."""
    state = locks.mode_state()
    if state.emergency_stop and not state.stopped_by:
        # It was down before somebody wrote it.
        state.emergency_stop = False
        reason = "the row was set directly"
        change(state, actor=OUT_OF_BAND, reason=reason, at=at, emergency_stop=True, stopped_by=BY_HAND)
        log.warning("mode.emergency_stop", words="emergency stop", is_up=True, actor=OUT_OF_BAND)


def _fill(switch: ModeSwitch, reading: SwitchReading, *, mode: Mode, stop: bool) -> None:
    with suppress(Unavailable):
        if switch.replace(reading, mode=mode, stop=stop):
            log.info("mode.switch_filled", mode=mode, stop=stop)


@write
def _follow_environment(*, at: datetime) -> None:
    state = locks.mode_state()
    changes = {name: value for name, value in _environments_wishes(state).items() if getattr(state, name) != value}
    if changes:
        change(state, actor="environment", reason="the process's environment at a start", at=at, **changes)


def _environments_wishes(state: ModeState) -> dict[str, object]:
    """What the environment says at a start; its caution always counts, its mode only until a person chose one."""
    wishes: dict[str, object] = {"environment_stop": settings.EMERGENCY_STOP}
    if not state.is_chosen:
        wishes["configured"] = Mode(settings.DEFAULT_EXECUTION_MODE)
    if not settings.SIGNALS_ENABLED:
        wishes["signals_enabled"] = False
    if settings.MAINTENANCE_MODE:
        wishes["maintenance"] = True
    if settings.AUTOMATION_PAUSED:
        wishes["automation_paused"] = True
    return wishes
