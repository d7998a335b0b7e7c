"""One stack in a checkout: a lock that dies with its holder, and the pid of who has it."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process holds the lock."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"it is already running here (pid {pid}): `make down` or its Ctrl-C ends it")
        self.pid = pid


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock, with our pid in its file.

    Raises:
        AlreadyRunning: if somebody else does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(int(file.read() or 0)) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def holder(path: Path) -> int | None:
    """The pid of who holds the lock now. The lock itself is asked: a pid file alone may name a stranger."""
    if not path.exists():
        return None
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(path.read_text() or 0) or None
    return None


def end_holder(path: Path, *, patience_seconds: float) -> bool:
    """Ask the holder to end and wait for it; whether it did. True at once if there is none."""
    deadline = time.monotonic() + patience_seconds
    pid = holder(path)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    while holder(path) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
