"""Rings of a process that answers requests: off their path, and together."""

import threading
import time
from collections.abc import Callable

from vanta_site import pipeline

# Whoever rings within this time after another shares the next question to Redis.
GATHER_SECONDS = 0.01


class Ringer:
    """Rings for the others, in a thread of its own. What a dying process hasn't rung is found by the sweep."""

    def __init__(self, ring: Callable[[str, int], None]) -> None:
        self._ring = ring
        self._waiting: set[tuple[str, int]] = set()
        self._is_due = threading.Event()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()

    def ring(self, event: str, key: int) -> None:
        """Have an event rung in a moment, once for all who ask until then."""
        self._waiting.add((event, key))
        # After the line above: what is added while the others are rung is rung after them, never forgotten.
        self._is_due.set()
        if self._thread is None or not self._thread.is_alive():
            self._begin()

    def _begin(self) -> None:
        with self._turn:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._go_on, name="ringer", daemon=True)
                self._thread.start()

    def _go_on(self) -> None:
        while self._is_due.wait():
            self._is_due.clear()
            while self._waiting:
                self._ring(*self._waiting.pop())
            time.sleep(GATHER_SECONDS)


ring = Ringer(pipeline.ring).ring
