import itertools
import signal

import pytest

from devnet.program import how_it_ended, next_delay


def delays(*, ran_seconds: float) -> list[float]:
    """The delays of a process that dies again and again after the same time."""
    steps = itertools.accumulate(range(9), lambda delay, _: next_delay(previous_seconds=delay, ran_seconds=ran_seconds))
    return list(steps)[1:]


def test_a_process_that_keeps_dying_waits_twice_as_long_each_time_up_to_thirty_seconds() -> None:
    assert delays(ran_seconds=0.1) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_healthy_minute_is_forgiven() -> None:
    assert next_delay(previous_seconds=30.0, ran_seconds=60.0) == 0.5


def test_a_minute_less_a_moment_is_not() -> None:
    assert next_delay(previous_seconds=8.0, ran_seconds=59.9) == 16.0


@pytest.mark.parametrize(("code", "words"), [(0, "exit 0"), (3, "exit 3"), (-signal.SIGKILL, "SIGKILL")])
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert how_it_ended(code) == words
