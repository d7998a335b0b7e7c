"""How many questions the database is asked on an intent's way."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.domain.intent import IntentStatus
from execution.models import Sender, TxIntent
from execution.services import building, submission
from tests.scenario import way
from tests.scenario.hand import Hand
from tests.scenario.world import World
from trading import lanes
from trading.lanes import Lease
from trading.models import Fill

# One pass over two blocks, one of which changes a position's margin.
SETTLING = 34


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


@pytest.mark.parametrize("events", [1, 6])
def test_settling_an_event_costs_the_same_however_many_came_before(world: World, events: int) -> None:
    hand = Hand(rpc=world.rpc, deployment=world.deployment, address=world.admit(123).address)
    hand.open(collateral="100", leverage="10")
    _read(world)
    for _ in range(events):
        hand.margin(amount="1")
        _read(world)
    hand.margin(amount="1")
    world.mine()

    with CaptureQueriesContext(connection) as queries:
        way.index(world)

    assert Fill.objects.count() == events + 2
    assert len(queries) == SETTLING


def _read(world: World) -> None:
    world.mine()
    way.keep(world)
    way.index(world)
