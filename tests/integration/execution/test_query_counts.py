"""How many questions the database is asked on an intent's way."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.domain.intent import IntentStatus
from execution.models import Sender, TxIntent
from execution.services import building, submission
from tests.scenario import way
from tests.scenario.world import World
from trading import lanes
from trading.lanes import Lease


def _count(work: Callable[[Lease], None]) -> int:
    counted: list[int] = []

    def watched(lease: Lease) -> None:
        with CaptureQueriesContext(connection) as queries:
            work(lease)
        counted.append(len(queries))

    assert lanes.drain(Sender, way.sender().pk, watched)
    return counted[0]


@pytest.mark.parametrize(("number", "queries"), [(1, 24), (50, 24)])
def test_building(world: World, number: int, queries: int) -> None:
    _owe(world, number)

    assert _count(lambda lease: building.build_due(lease, desk=world.desk, clock=world.clock)) == queries


@pytest.mark.parametrize(("number", "queries"), [(1, 54), (50, 54)])
def test_reserving_and_submitting(world: World, number: int, queries: int) -> None:
    _owe(world, number)
    _count(lambda lease: building.build_due(lease, desk=world.desk, clock=world.clock))

    assert _count(lambda lease: submission.submit_due(lease, desk=world.desk, clock=world.clock)) == queries
    assert TxIntent.objects.filter(status=IntentStatus.SENT).count() == number


def _owe(world: World, number: int) -> None:
    Sender.objects.update(window_size=number)
    for each in range(number):
        if each % 5 == 0:
            world.admit(200 + each // 5)
        way.owe(world, tg_user_id=200 + each // 5)
