"""A program that should be running, its present incarnation, and when it is started again."""

import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from devnet.logs import LineLog

SHORTEST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0


class Stage(IntEnum):
    """Who ends first: the door, then those who work, then those they talk to."""

    DOOR = 0
    WORKER = 1
    VENUE = 2
    SERVER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process that should be running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stage: Stage
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends when the supervisor is gone: servers get the chance to leave clean files.
    last_signal: signal.Signals = signal.SIGKILL
    folder: Path | None = None
    # Done before each start.
    prepare: Callable[[], None] = lambda: None
    is_shown: bool = True


@dataclass(slots=True, kw_only=True)
class Child:
    """One program's present incarnation, or the wait for the next."""

    program: Program
    log: LineLog
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    delay_seconds: float = 0.0
    restart_at: float | None = None
    restarts: int = 0

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None


def next_delay(*, previous_seconds: float, ran_seconds: float) -> float:
    """How long to wait before a dead process is started again: doubling, forgotten after a healthy minute."""
    if ran_seconds >= HEALTHY_SECONDS or previous_seconds == 0:
        return SHORTEST_DELAY_SECONDS
    return min(LONGEST_DELAY_SECONDS, previous_seconds * 2)


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
