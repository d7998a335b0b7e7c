"""How often a token may call: counted in this process, so that no other server's absence stops anybody."""

import time
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from trading.api.authentication import caller_of

WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class _Window:
    begun: float
    calls: int = 0


# One entry for each token that ever called this process.
_windows: dict[str, _Window] = {}
_turn = Lock()


class TokenThrottle(BaseThrottle):
    """At most API_CALLS_PER_MINUTE calls of one token in a minute. Views of exits and stops don't name it."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, _: Any) -> bool:
        """Count a call; a person's own hands are never counted."""
        caller = caller_of(request)
        if not caller.is_program:
            return True
        self._wait = count(caller.source, limit=settings.API_CALLS_PER_MINUTE, now=time.monotonic())
        return not self._wait

    def wait(self) -> float:
        """Seconds until the next window."""
        return ceil(self._wait)


def count(key: str, *, limit: int, now: float) -> float:
    """Count one call; 0.0 if it is within the limit, else the seconds until the window ends."""
    with _turn:
        window = _windows.get(key)
        if window is None or now - window.begun >= WINDOW_SECONDS:
            window = _windows[key] = _Window(begun=now)
        window.calls += 1
        return 0.0 if window.calls <= limit else window.begun + WINDOW_SECONDS - now


def forget() -> None:
    """Begin anew, for tests."""
    _windows.clear()
