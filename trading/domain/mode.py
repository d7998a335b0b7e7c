"""The execution mode: what may be signed right now, and why.

STOP is an OR, LIVE is an AND: any store, person or process can stop; LIVE needs them all.
"""

from dataclasses import dataclass, field
from enum import StrEnum

# The version of a switch without a value.
EMPTY = "none"


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
    we wrote ourselves; any other was set from outside. `version` stands for the value itself: a value
    is only ever replaced by its version; empty if the switch couldn't be asked.
    """

    is_healthy: bool
    mode: Mode
    stop: bool | None = None
    is_own: bool = False
    streak: int = 0
    problem: str = ""
    version: str = field(default="", compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all: nobody has set one, or Redis was emptied."""
        return self.version == EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The highest mode that the environment allows, and the variable that says so."""

    mode: Mode
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Latches:
    """What is kept outside the switch: settings of this process, and the database's row.

    `wish` is the mode that people want; it vetoes nothing, but explains.
    """

    ceiling: Ceiling
    environment_stop: bool
    database_stop: bool
    wish: Mode = Mode.DRY
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


def ceiling(*, exec_mode: Mode | None, copy_mode: Mode | None) -> Ceiling:
    """The global ceiling: EXEC_MODE, COPY_EXECUTION_MODE where only that is set, the more cautious where both are."""
    if exec_mode is None and copy_mode is not None:
        return Ceiling(mode=copy_mode, by="COPY_EXECUTION_MODE")
    if exec_mode is Mode.LIVE and copy_mode is Mode.DRY:
        return Ceiling(mode=Mode.DRY, by="COPY_EXECUTION_MODE")
    return Ceiling(mode=exec_mode or Mode.DRY, by="EXEC_MODE")


def copy_ceiling(*, whole: Ceiling, copy_mode: Mode | None) -> Ceiling:
    """The ceiling of copy trading: DRY until COPY_EXECUTION_MODE says LIVE, and never above the global one."""
    if whole.mode is Mode.LIVE and copy_mode is not Mode.LIVE:
        return Ceiling(mode=Mode.DRY, by="COPY_EXECUTION_MODE")
    return whole


def _live_vetoes(reading: SwitchReading, latches: Latches) -> tuple[tuple[bool, str], ...]:
    says_dry = reading.is_healthy and reading.mode is Mode.DRY
    is_asked_for = Mode.LIVE in (latches.wish, reading.mode)
    was_emptied = says_dry and reading.is_own and latches.wish is Mode.LIVE and latches.is_confirmed
    return (
        (latches.ceiling.mode is Mode.DRY, f"{latches.ceiling.by} is DRY"),
        (not reading.is_healthy, f"the switch can't be read: {reading.problem}"),
        (says_dry and not was_emptied, "the switch says DRY"),
        (was_emptied, "the switch says DRY until somebody confirms LIVE"),
        (
            reading.is_healthy and reading.streak < latches.streak_needed,
            f"health streak {reading.streak} of {latches.streak_needed}",
        ),
        (is_asked_for and not latches.is_confirmed, "LIVE waits for a second person"),
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
