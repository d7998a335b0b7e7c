"""Workers as processes of their own: forked, with fresh connections, and able to die at a failpoint.

A worker does one round of its lanes when told, at the time that it is told, and says what went wrong.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from django.db import connections

from trading import failpoints

# What a worker that reached its failpoint leaves as its status.
DOOMED = 86

# Longer than any round: a worker that needs more hangs.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """What a worker works: the lanes of some senders and accounts, and the index."""

    senders: tuple[int, ...]
    traders: tuple[int, ...]

    def turned(self, by: int) -> "Lanes":
        """The same, begun elsewhere: workers that all begin with the same lane would only meet in one."""
        return Lanes(senders=_turned(self.senders, by), traders=_turned(self.traders, by))


def _turned(keys: tuple[int, ...], by: int) -> tuple[int, ...]:
    start = by % len(keys) if keys else 0
    return keys[start:] + keys[:start]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a worker is told: the time, the bodies that come to the door, and its lanes."""

    now: datetime
    lanes: Lanes
    bodies: tuple[bytes, ...] = ()


# What a worker does in a round; what each thing that went wrong said.
Work = Callable[[Round], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """Where a worker dies: at this failpoint, the first time or a later one."""

    point: str
    reach: int = 1


@dataclass(kw_only=True)
class Worker:
    """A worker's process, seen from outside."""

    pid: int
    link: Connection
    status: int | None = None

    def begin(self, told: Round) -> None:
        """Have it work a round; it may be dead already."""
        try:
            self.link.send(told)
        except OSError:
            self.reap()

    def finish(self) -> list[str]:
        """What went wrong in its round; nothing, if it died."""
        if self.status is not None:
            return []
        try:
            if self.link.poll(PATIENCE_SECONDS):
                troubles: list[str] = self.link.recv()
                return troubles
        except (EOFError, OSError):
            self.reap()
            return []
        self.kill()
        self.reap()
        return [f"a worker hung for {PATIENCE_SECONDS:.0f} s"]

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal."""
        if self.status is None:
            os.kill(self.pid, by)

    def reap(self) -> None:
        """Wait for its end, and keep its status."""
        if self.status is None:
            _, ended = os.waitpid(self.pid, 0)
            self.status = os.waitstatus_to_exitcode(ended)
            _parents_ends.discard(self.link)
            self.link.close()


@dataclass(kw_only=True)
class Crew:
    """Some workers on the same lanes."""

    workers: list[Worker]
    troubles: list[str] = field(default_factory=list)

    @property
    def alive(self) -> list[Worker]:
        """Those that didn't die yet."""
        return [worker for worker in self.workers if worker.status is None]

    @property
    def doomed(self) -> int:
        """How many died at their failpoint."""
        return sum(worker.status == DOOMED for worker in self.workers)

    def round(self, told: Round) -> None:
        """Have everybody alive work a round at the same time, and wait for all of them."""
        working = self.alive
        for number, worker in enumerate(working):
            # What comes to the door comes to one of them.
            bodies = told.bodies[number :: len(working)]
            worker.begin(Round(now=told.now, lanes=told.lanes.turned(number), bodies=bodies))
        for worker in working:
            self.troubles += worker.finish()

    def end(self) -> None:
        """Kill those still alive: between rounds nobody holds anything."""
        for worker in self.alive:
            worker.kill()
            worker.reap()


# Our ends of the pipes: a child that kept one would hold its sibling's line open.
_parents_ends: set[Connection] = set()


@contextmanager
def crew(size: int, make: Callable[[], Work], *, doom: Doom | None = None) -> Iterator[Crew]:
    """Some workers for the length of a `with`. Each makes what it works with itself."""
    running = Crew(workers=[_forked(make, doom) for _ in range(size)])
    try:
        yield running
    finally:
        running.end()


def _forked(make: Callable[[], Work], doom: Doom | None) -> Worker:
    # A connection shared by two processes belongs to neither.
    connections.close_all()
    ours, theirs = Pipe()
    _parents_ends.add(ours)
    pid = os.fork()
    if pid == 0:
        _live(theirs, make, doom)
    theirs.close()
    return Worker(pid=pid, link=ours)


def _live(link: Connection, make: Callable[[], Work], doom: Doom | None) -> None:
    """A worker's whole life; it never comes back into its parent's code."""
    try:
        for other in _parents_ends:
            other.close()
        with failpoints.listening(_dying(doom)):
            work = make()
            while True:
                link.send(work(link.recv()))
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a fork of a test must not go on as the test
        traceback.print_exc()
        os._exit(1)


def _dying(doom: Doom | None) -> failpoints.Listener:
    left = doom.reach if doom else 0

    def reached(point: str) -> None:
        nonlocal left
        if doom is not None and point == doom.point:
            left -= 1
            if left == 0:
                os._exit(DOOMED)

    return reached
