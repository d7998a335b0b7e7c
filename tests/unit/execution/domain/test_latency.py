"""The paper venue's delay: by the order's key alone, lognormal, and never longer than the longest."""

from datetime import timedelta
from statistics import median

import pytest

from execution.domain.latency import fill_delay

MEDIAN, LONGEST = timedelta(seconds=2), timedelta(seconds=15)


def delays(*, seed: int = 1, orders: int = 4_000) -> list[float]:
    found = (fill_delay(f"sig:test:{number}", seed=seed, median=MEDIAN, longest=LONGEST) for number in range(orders))
    return [each.total_seconds() for each in found]


def test_the_same_order_waits_as_long_again() -> None:
    first, second = (fill_delay("sig:test:1", seed=1, median=MEDIAN, longest=LONGEST) for _ in range(2))

    assert first == second == timedelta(microseconds=971_640)


def test_another_seed_gives_other_delays() -> None:
    assert delays(orders=10) != delays(seed=2, orders=10)


def test_half_of_the_orders_wait_less_than_the_median_and_one_in_a_hundred_the_longest() -> None:
    found = delays()

    assert median(found) == 2.0732285
    assert max(found) == 15.0
    assert sum(each == 15.0 for each in found) == 45
    assert min(found) > 0


@pytest.mark.parametrize("key", ["a", "b"])
def test_without_a_median_nothing_waits(key: str) -> None:
    assert fill_delay(key, seed=1, median=timedelta(0), longest=LONGEST) == timedelta(0)
