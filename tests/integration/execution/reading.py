"""The endpoints by themselves, on a clock that a test moves."""

import time
from collections.abc import Callable
from typing import Any

from execution.adapters import background
from execution.adapters.endpoints import Endpoints
from execution.domain.broadcast import Meaning
from tests.fakes.node import CHAIN_ID, Node
from trading.domain.errors import Unavailable

ADDRESS = "0x" + "11" * 20
PATIENCE = 1.0


class Clock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Reader:
    """The endpoints by themselves, on a clock of the test."""

    def __init__(self, *nodes: Node) -> None:
        self.clock = Clock()
        urls = [each.url for each in nodes]
        self.endpoints = Endpoints(urls, chain_id=CHAIN_ID, patience_seconds=PATIENCE, max_bytes=10**6, clock=self.clock)

    def balance(self) -> int:
        """What somebody says an address has: 1 is the first endpoint's word, 2 the second's."""
        asked = [("eth_getBalance", [ADDRESS, "latest"])]
        _, said = background.finish(self.endpoints.read(asked, lambda responses: int(responses[0]["result"], 16)))
        return said

    def offer(self, *raws: str) -> list[Meaning]:
        """What is said to bytes."""
        return [answer.meaning for answer in background.finish(self.endpoints.offer(raws))]

    def rest(self, number: int) -> None:
        """Open an endpoint's circuit."""
        endpoint = self.endpoints.every[number]
        endpoint.circuit = endpoint.circuit.opened(now=self.clock(), chance=0)

    def try_to_read(self) -> bool:
        """Whether somebody answers."""
        try:
            self.balance()
        except Unavailable:
            return False
        return True


def until(claim: Callable[[], bool]) -> bool:
    """Whether something comes true within the patience: for what nobody waits for."""
    ends = time.monotonic() + 3 * PATIENCE
    while not claim() and time.monotonic() < ends:
        time.sleep(0.005)
    return claim()


def elapsed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def slow(seconds: float, response: dict[str, Any]) -> Callable[[list[Any]], dict[str, Any]]:
    def script(_: list[Any]) -> dict[str, Any]:
        time.sleep(seconds)
        return response

    return script


def equals(found: object, expected: object) -> None:
    assert found == expected
