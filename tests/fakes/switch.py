"""The mode switch in memory: settable as redis-cli would set it, and able to fail."""

from datetime import datetime
from typing import Any

from trading.domain.errors import Unavailable
from trading.domain.mode import EMPTY, Mode, SwitchReading
from trading.kinds import ask

# The mode's row as if no process had ever had trouble with a switch.
UNTROUBLED: dict[str, Any] = {"switch_failed_at": None, "switch_failed_by": "", "health_streak": 0}


class Switch:
    """Says LIVE with a long streak unless told otherwise. Each read counts toward the streak."""

    def __init__(self, *, mode: Mode = Mode.LIVE, stop: bool | None = False, streak: int = 1_000) -> None:
        self.mode: Mode | None = mode
        self.stop = stop
        self.is_own = True
        self.is_down = False
        self._streak = streak
        self._doubted_until: datetime | None = None

    @ask
    def read(self, *, doubted_until: datetime | None = None) -> SwitchReading:
        """One look, as the port promises it."""
        if self.is_down:
            return self._failed("down")
        if self.mode is None:
            return self._failed("no such key", version=EMPTY)
        if doubted_until != self._doubted_until:
            self._doubted_until, self._streak = doubted_until, 0
        self._streak += 1
        return SwitchReading(
            is_healthy=True, mode=self.mode, stop=self.stop, is_own=self.is_own, streak=self._streak, version=self._version
        )

    @ask
    def replace(self, seen: SwitchReading, *, mode: Mode, stop: bool) -> bool:
        """Set it, unless it is down or says something else than was seen."""
        if self.is_down:
            raise Unavailable("the mode switch can't be reached", error="down")
        if seen.version != self._version:
            return False
        self.mode, self.stop, self.is_own = mode, stop, True
        return True

    def set_from_outside(self, *, mode: Mode, stop: bool | None = None) -> None:
        """What a person does with redis-cli."""
        self.mode, self.stop, self.is_own = mode, stop, False

    def empty(self) -> None:
        """What a restart without its file does."""
        self.mode = None

    @property
    def _version(self) -> str:
        return EMPTY if self.mode is None else f"{self.mode} {self.stop} {self.is_own}"

    def _failed(self, problem: str, *, version: str = "") -> SwitchReading:
        self._streak = 0
        return SwitchReading(is_healthy=False, mode=Mode.DRY, problem=problem, version=version)
