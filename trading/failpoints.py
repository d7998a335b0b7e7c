"""Named places where a process may end: one on each side of every commit and of every ask.

`kinds.write`, `kinds.ask` and `lanes` reach them by themselves, so none can be forgotten. While nobody
listens a point costs one comparison. A listener may end the process (`os._exit`), count, or wait.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Listener = Callable[[str], None]

_listener: Listener | None = None


def reach(point: str, side: str) -> None:
    """Say that a place is reached: `point` is whose it is, `side` where in it."""
    if _listener is not None:
        _listener(f"{point} {side}")


def name_of(function: Callable[..., Any]) -> str:
    """A function's place in the house, in short: `execution.submission.record`."""
    app, _, rest = function.__module__.partition(".")
    module = rest.rpartition(".")[2]
    inside = function.__qualname__.replace("._", ".").removeprefix("_")
    return ".".join(part for part in (app, module, inside) if part)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have every point of this process told to a listener."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
