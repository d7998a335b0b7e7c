"""What the person at the terminal sees: phases with their time, and each process's lines behind its name."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COLORS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
NAME_WIDTH = 9
PHASE_WIDTH = 46


@contextmanager
def phase(what: str) -> Iterator[None]:
    """Print one phase of the start and, when it is over, its seconds."""
    print(f"  {what:<{PHASE_WIDTH}}", end="", flush=True)
    begun = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - begun:6.1f} s", flush=True)


def done(what: str, seconds: float) -> None:
    """Print a phase that was timed by somebody else."""
    print(f"  {what:<{PHASE_WIDTH}}{seconds:6.1f} s", flush=True)


def still_missing(what: str) -> None:
    """Say what the start waits for."""
    print(f"  waiting for: {what}", flush=True)


def lines_of(*, is_colored: bool) -> Callable[[str, str], None]:
    """A printer of processes' lines; each name keeps its color."""
    colors: dict[str, int] = {}

    def show(name: str, line: str) -> None:
        color = colors.setdefault(name, COLORS[len(colors) % len(COLORS)])
        label = f"{name:<{NAME_WIDTH}} |"
        print(f"\033[{color}m{label}\033[0m {line}" if is_colored else f"{label} {line}", flush=True)

    return show


def is_terminal() -> bool:
    """Whether a person reads our output."""
    return sys.stdout.isatty()
