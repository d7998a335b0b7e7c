"""A short market day, and what a broken rule would leave of the proof."""

import random

import pytest

from tests.scenario import day_verdict
from tests.scenario.day import Day, Size
from tests.scenario.world import World
from trading.domain.units import Usdc
from trading.models import Fill

SEED = 20_261_121


@pytest.fixture
def day(world: World) -> Day:
    """A day that is over."""
    day = Day(world=world, size=Size(traders=6, orders=60, fork=0.15, death=0.15), draw=random.Random(SEED))
    day.begin()
    day.live()
    return day


def test_after_a_day_the_books_are_the_venues_to_the_last_unit(day: Day) -> None:
    verdict = day_verdict.judge(day)

    assert verdict.differences == []
    assert day.did["reorganizations"] > 0 < day.did["indexer's deaths"]
    assert {"OPEN", "CLOSE", "INCREASE", "MARGIN"} <= set(verdict.fills)
    # The twin: one fill whose parts are wrong by the smallest unit, and the proof fails.
    fill = Fill.objects.canonical().filter(kind="OPEN").latest("pk")
    Fill.objects.filter(pk=fill.pk).update(fee_usdc=fill.fee_usdc + Usdc.from_raw(1))
    assert len(day_verdict.judge(day).differences) == 2
