"""Rings are gathered for a moment, and none is forgotten."""

import threading

import pytest

from vanta_site.ringing import Ringer

PATIENCE_SECONDS = 10


class Bell:
    """Rings slowly: whoever rings meanwhile must wait for the next time."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.is_ringing, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, event: str, key: int) -> None:
        self.heard.append((event, key))
        self.is_ringing.release()
        assert self.may_end.acquire(timeout=PATIENCE_SECONDS)

    def await_ring(self) -> None:
        assert self.is_ringing.acquire(timeout=PATIENCE_SECONDS)


def test_a_burst_for_one_account_is_one_more_ring_and_it_comes_after_the_last() -> None:
    bell = Bell()
    ringer = Ringer(bell)

    ringer.ring("signal.accepted", 1)
    bell.await_ring()
    for _ in range(50):
        ringer.ring("signal.accepted", 1)
    bell.may_end.release()
    bell.await_ring()
    bell.may_end.release()
    ringer.ring("signal.accepted", 2)
    bell.await_ring()
    bell.may_end.release()

    assert bell.heard == [("signal.accepted", 1)] * 2 + [("signal.accepted", 2)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_ringer_that_died_is_replaced() -> None:
    rung = threading.Event()

    def ring(_: str, key: int) -> None:
        if key == 0:
            raise SystemExit
        rung.set()

    ringer = Ringer(ring)
    ringer.ring("signal.accepted", 0)
    assert ringer._thread is not None
    ringer._thread.join(PATIENCE_SECONDS)

    ringer.ring("signal.accepted", 1)

    assert rung.wait(PATIENCE_SECONDS)
