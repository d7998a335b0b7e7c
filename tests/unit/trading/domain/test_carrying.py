"""What holding costs, held against fractions."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import carrying
from trading.domain.position import Direction
from trading.domain.units import Percent, Usdc

HOUR = timedelta(hours=1)
sizes = st.integers(0, 10**15).map(Usdc.from_raw)
rates = st.integers(-(10**10), 10**10).map(Percent.from_raw)
seconds = st.integers(0, 10**8)


@given(size=sizes, rate=rates.filter(lambda rate: rate.raw >= 0), elapsed=seconds)
def test_rollover_is_the_rate_for_the_time_rounded_down(size: Usdc, rate: Percent, elapsed: int) -> None:
    exact = Fraction(size.raw * rate.raw * elapsed, 100 * 10**10 * 3600)
    assert carrying.rollover(size, rate=rate, elapsed=timedelta(seconds=elapsed)).raw == exact // 1


@given(size=sizes, rate=rates, elapsed=seconds)
def test_what_one_side_pays_the_other_is_paid(size: Usdc, rate: Percent, elapsed: int) -> None:
    span = timedelta(seconds=elapsed)
    long, short = (carrying.funding(size, rate=rate, elapsed=span, direction=each) for each in Direction)
    assert long == -short
    assert abs(long) == carrying.rollover(size, rate=abs(rate), elapsed=span)


@pytest.mark.parametrize(
    ("direction", "rate", "paid"),
    [
        (Direction.LONG, "0.01", "1"),
        (Direction.SHORT, "0.01", "-1"),
        (Direction.LONG, "-0.01", "-1"),
        (Direction.SHORT, "0", "0"),
    ],
)
def test_at_a_positive_rate_longs_pay(direction: Direction, rate: str, paid: str) -> None:
    found = carrying.funding(Usdc.of(10_000), rate=Percent.of(rate), elapsed=HOUR, direction=direction)
    assert found == Usdc.of(paid)


def test_the_venue_counts_whole_seconds() -> None:
    nearly = timedelta(seconds=1, microseconds=999_999)
    found = carrying.rollover(Usdc.of(36_000_000), rate=Percent.of("0.01"), elapsed=nearly)
    assert found == Usdc.of(1)
