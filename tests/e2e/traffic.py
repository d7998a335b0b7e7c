"""Signed signals that go on while something breaks, sent as a real source sends them: again until they are taken."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from tests.e2e.desk import RunningDesk

SYMBOLS = ("ETH-USD", "BTC-USD", "SOL-USD")
TRADERS = tuple(range(700, 712))
TAKEN = (200, 202)
# What the door may say while something behind it is down; a dead web server says nothing (0).
PASSING = (0, 429, 503)
PAUSE_SECONDS = 0.3


@dataclass(kw_only=True)
class Traffic:
    """Signals of one source from two threads, each waiting for its answer; what was taken is remembered."""

    desk: RunningDesk
    source: str
    pause_seconds: float = PAUSE_SECONDS
    codes: Counter[int] = field(default_factory=Counter)
    # Of each answer; a connection that is refused costs nobody a wait.
    waits: list[float] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    # A new connection for each signal: a web server that was killed leaves none half open.
    _client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=10, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
    )

    def __enter__(self) -> Self:
        numbers = count()
        self._threads = [threading.Thread(target=self._send, args=(numbers,)) for _ in range(2)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=60)
        self._client.close()

    def mark(self) -> int:
        """A place among the answers, for `since`."""
        return len(self.waits)

    def since(self, mark: int) -> list[float]:
        """How long each answer took since a mark, in seconds."""
        return self.waits[mark:]

    def _send(self, numbers: "count[int]") -> None:
        for number in numbers:
            if self._ended.is_set():
                return
            self._insist(signal(self.source, number))
            time.sleep(self.pause_seconds)

    def _insist(self, body: dict[str, Any]) -> None:
        """The same body until it is taken: the answer may have been lost, and the desk must know it again."""
        while (code := self._post(body)) in PASSING:
            if self._ended.is_set():
                return
            time.sleep(self.pause_seconds)
        if code in TAKEN:
            self.taken.append(body["signal_id"])

    def _post(self, body: dict[str, Any]) -> int:
        begun = time.monotonic()
        try:
            code = self.desk.send_over(self._client, **body).status_code
        except httpx.TransportError:
            code = 0
        else:
            self.waits.append(time.monotonic() - begun)
        self.codes[code] += 1
        return code


def signal(source: str, number: int) -> dict[str, Any]:
    """A small open; traders and markets take turns."""
    return {
        "source": source,
        "signal_id": f"{number}",
        "tg_user_id": TRADERS[number % len(TRADERS)],
        "symbol": SYMBOLS[number // len(TRADERS) % len(SYMBOLS)],
        "side": "LONG",
        "collateral_usdc": "20",
        "leverage_x": "2",
        "slippage_pct": "3",
    }


def admit_traders(desk: RunningDesk) -> None:
    """Those who trade in the traffic, with play money."""
    for trader in TRADERS:
        desk.command("python", "manage.py", "trader", "add", "--tg-user-id", str(trader))
