"""The mode switch in memory: settable as redis-cli would set it, and able to fail."""

from trading.domain.errors import Unavailable
from trading.domain.mode import Mode, SwitchReading
from trading.kinds import ask


class Switch:
    """Says LIVE with a long streak unless told otherwise. Each read counts toward the streak."""

    def __init__(self, *, mode: Mode = Mode.LIVE, stop: bool | None = False, streak: int = 1_000) -> None:
        self.mode: Mode | None = mode
        self.stop = stop
        self.is_own = True
        self.is_down = False
        self._streak = streak

    @ask
    def read(self) -> SwitchReading:
        """One look, as the port promises it."""
        if self.is_down:
            return self._failed("down")
        if self.mode is None:
            return self._failed("no such key")
        self._streak += 1
        return SwitchReading(is_healthy=True, mode=self.mode, stop=self.stop, is_own=self.is_own, streak=self._streak)

    @ask
    def write(self, *, mode: Mode, stop: bool) -> None:
        """Set it, unless it is down."""
        if self.is_down:
            raise Unavailable("the mode switch can't be reached", error="down")
        self.mode, self.stop, self.is_own = mode, stop, True

    def set_from_outside(self, *, mode: Mode, stop: bool | None = None) -> None:
        """What a person does with redis-cli."""
        self.mode, self.stop, self.is_own = mode, stop, False

    def empty(self) -> None:
        """What a restart without its file does."""
        self.mode = None

    def _failed(self, problem: str) -> SwitchReading:
        self._streak = 0
        return SwitchReading(is_healthy=False, mode=Mode.DRY, problem=problem)
