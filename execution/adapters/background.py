"""One event loop in a thread of its own, one a process: it is begun when first needed, so that a fork inherits none.

What waits for several nodes at once runs here. The thread is a daemon: nothing that it does keeps the process alive.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Said = TypeVar("Said")

# What is under way when the process ends, bytes for a second node perhaps, gets this many seconds.
_LAST_MOMENT = 0.2


class _Loops:
    """The loop of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: asyncio.AbstractEventLoop | None = None

    def own(self) -> asyncio.AbstractEventLoop:
        """It, begun if it has to be."""
        with self._lock:
            if self._running is None:
                self._running = asyncio.new_event_loop()
                threading.Thread(target=self._running.run_forever, name="chain", daemon=True).start()
            return self._running

    def forget(self) -> None:
        """Begin anew in a child: its parent's thread isn't there, and its lock may be shut for ever."""
        self._lock = threading.Lock()
        self._running = None

    def end(self) -> None:
        """Let what is under way end, for a moment."""
        if self._running is not None:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_others_end(), self._running).result(timeout=2 * _LAST_MOMENT)


async def _others_end() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=_LAST_MOMENT)


_loops = _Loops()
os.register_at_fork(after_in_child=_loops.forget)
atexit.register(_loops.end)


def finish(work: Coroutine[Any, Any, Said]) -> Said:
    """What a coroutine returns or raises, once it has ended on the loop; called from any other thread."""
    return asyncio.run_coroutine_threadsafe(work, _loops.own()).result()


def later(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Have a coroutine run on the loop, and don't wait."""
    loop = _loops.own()
    loop.call_soon_threadsafe(lambda: loop.create_task(work()))
