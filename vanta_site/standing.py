"""How the desk stands: the execution mode with every voice in it, for the console, `/health` and the metrics."""

from dataclasses import dataclass, replace

from trading import conf
from trading.domain.mode import EffectiveMode, Mode, effective
from trading.models import ModeState
from trading.services import mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The mode that people want and the one that holds in this process.

    `could_be` leaves this process's own streak out: the workers count their own.
    """

    state: ModeState
    ceiling: Mode
    holds: EffectiveMode
    could_be: EffectiveMode
    streak: int
    streak_needed: int

    @property
    def face(self) -> str:
        """The banner's word. LIVE wherever money may move, even if this process has yet to count its streak."""
        if self.holds.emergency_stop:
            return "STOPPED"
        return "LIVE" if self.could_be.may_sign else "PAPER"

    @property
    def summary(self) -> str:
        """Why, in one line."""
        return "; ".join(self.holds.reasons) or "transactions are signed and sent"


def read() -> Standing:
    """One look at the switch and the database. A switch that is down is a reason, never an error."""
    reading = conf.mode_switch().read()
    latches = mode.latches()
    patient = replace(reading, streak=max(reading.streak, latches.streak_needed))
    return Standing(
        state=ModeState.objects.get(pk=1),
        ceiling=latches.ceiling,
        holds=effective(reading=reading, latches=latches),
        could_be=effective(reading=patient, latches=latches),
        streak=reading.streak,
        streak_needed=latches.streak_needed,
    )
