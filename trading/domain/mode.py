"""The execution mode: what may be signed right now, and why.

STOP is an OR, LIVE is an AND: any store, person or process can stop; LIVE needs them all.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What happens to an approved decision."""

    DRY = "DRY"  # everything runs, nothing is signed or sent
    LIVE = "LIVE"  # transactions are signed and sent


class Book(StrEnum):
    """Where a signal's effects are kept; fixed when it is accepted."""

    PAPER = "PAPER"
    LIVE = "LIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchReading:
    """One look at the runtime switch (the Redis key `exec_mode`).

    `is_healthy` is false when it couldn't be read or made no sense; then `mode` is DRY.
    `stop` is None when the switch doesn't mention the emergency stop. `is_own` marks a value that
    we wrote ourselves; any other was set from outside.
    """

    is_healthy: bool
    mode: Mode
    stop: bool | None = None
    is_own: bool = False
    streak: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latches:
    """What is kept outside the switch: settings of this process, and the database's row."""

    ceiling: Mode
    environment_stop: bool
    database_stop: bool
    is_confirmed: bool = True
    streak_needed: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveMode:
    """The most cautious of all voices, with the voices that held it down."""

    mode: Mode
    emergency_stop: bool
    reasons: tuple[str, ...]

    @property
    def may_sign(self) -> bool:
        """Whether a new call may be signed."""
        return self.mode is Mode.LIVE and not self.emergency_stop


def effective(*, reading: SwitchReading, latches: Latches) -> EffectiveMode:
    """The mode that holds, from one reading and what is kept elsewhere."""
    vetoes = tuple(text for veto, text in _live_vetoes(reading, latches) if veto)
    stops = tuple(text for stop, text in _stops(reading, latches) if stop)
    mode = Mode.DRY if vetoes or stops else Mode.LIVE
    return EffectiveMode(mode=mode, emergency_stop=bool(stops), reasons=stops + vetoes)


def _live_vetoes(reading: SwitchReading, latches: Latches) -> tuple[tuple[bool, str], ...]:
    return (
        (latches.ceiling is Mode.DRY, "EXEC_MODE is DRY"),
        (not reading.is_healthy, f"the switch can't be read: {reading.problem}"),
        (reading.is_healthy and reading.mode is Mode.DRY, "the switch says DRY"),
        (
            reading.is_healthy and reading.streak < latches.streak_needed,
            f"health streak {reading.streak} of {latches.streak_needed}",
        ),
        (not latches.is_confirmed, "LIVE waits for a second person"),
    )


def _stops(reading: SwitchReading, latches: Latches) -> tuple[tuple[bool, str], ...]:
    return (
        (latches.environment_stop, "emergency stop by environment"),
        (latches.database_stop, "emergency stop latched in the database"),
        (reading.stop is True, "emergency stop by the switch"),
    )


def book_for(*, configured: Mode) -> Book:
    """The book of a new entry: only a configured DRY papers it, a DRY by fail-safe never does."""
    return Book.LIVE if configured is Mode.LIVE else Book.PAPER
