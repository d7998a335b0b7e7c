"""How the desk stands: the execution mode with every voice in it, for the console, `/health` and the metrics."""

from dataclasses import dataclass, replace

import structlog

from trading import clock, conf
from trading.domain.mode import Ceiling, EffectiveMode, Mode, effective
from trading.models import ModeState
from trading.services import mode, switching

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The mode that people want and the one that holds.

    `streak` is the longer of this process's own and of the one that the watch has counted. `could_be`
    leaves streaks out: each worker counts its own.
    """

    state: ModeState
    ceiling: Ceiling
    copy_ceiling: Ceiling
    holds: EffectiveMode
    could_be: EffectiveMode
    streak: int
    streak_needed: int

    @property
    def face(self) -> str:
        """The banner's word. LIVE wherever money may move, even while a streak is yet to be counted."""
        if self.holds.emergency_stop:
            return "STOPPED"
        return "LIVE" if self.could_be.may_sign else "PAPER"

    @property
    def summary(self) -> str:
        """Why, in one line."""
        return "; ".join(self.holds.reasons) or "transactions are signed and sent"

    @property
    def waits_for_second_person(self) -> bool:
        """Whether somebody wants LIVE and somebody else has to agree (`mode.confirm_live`)."""
        return self.state.configured == Mode.LIVE and not switching.is_confirmed(self.state)


def read() -> Standing:
    """One look at the switch and the database. A switch that is down is a reason, never an error."""
    reading, state = switching.read(switch=conf.mode_switch(), at=clock.now())
    latches = mode.latches(state, reading)
    streak = max(reading.streak, state.health_streak) if reading.is_healthy else 0
    patient = replace(reading, streak=max(streak, latches.streak_needed))
    return Standing(
        state=state,
        ceiling=latches.ceiling,
        copy_ceiling=mode.copy_ceiling(),
        holds=effective(reading=replace(reading, streak=streak), latches=latches),
        could_be=effective(reading=patient, latches=latches),
        streak=streak,
        streak_needed=latches.streak_needed,
    )


def announce() -> None:
    """Say at a process's start which ceilings hold; what else holds is read each time."""
    whole, copying = mode.ceiling(), mode.copy_ceiling()
    log.info("mode.ceiling", ceiling=whole.mode, by=whole.by, copy_ceiling=copying.mode, copy_by=copying.by)
