"""The process may die between any two steps: the next drain takes the same next step, and the chain sees one effect."""

from dataclasses import replace

import pytest

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxSend
from tests.scenario import way
from tests.scenario.way import Doomed, Killed
from tests.scenario.world import World
from trading.models import Fill, Position

# The port, the call, and whether the outside still hears it: in the order of one intent's way.
DEATHS = (
    ("chain", "simulate", False),
    ("chain", "simulate", True),
    ("chain", "fees", False),  # reserved, not yet signed
    ("signer", "sign", False),
    ("signer", "sign", True),  # signed, not yet stored
    ("chain", "broadcast", False),  # stored, not yet on the wire
    ("chain", "broadcast", True),  # on the wire, and nobody wrote down that it is
)


@pytest.mark.parametrize(("port", "method", "is_after"), DEATHS)
def test_a_death_on_the_way_to_the_wire_leaves_one_effect_each(world: World, port: str, method: str, is_after: bool) -> None:
    world.admit(123)
    for _ in range(3):
        way.owe(world)

    way.die(world, port, method, is_after=is_after)
    world.run(rounds=7)

    assert set(TxIntent.objects.values_list("status", "order__status")) == {(IntentStatus.FINAL, OrderStatus.FILLED)}
    assert sorted(TxIntent.objects.values_list("nonce", flat=True)) == [0, 1, 2]
    assert way.nonces(world) == (3, 3)
    assert Position.objects.count() == Fill.objects.count() == TxSend.objects.count() == 3


@pytest.mark.parametrize("method", ["heads", "nonce", "receipts", "blocks"])
def test_a_death_while_looking_changes_nothing(world: World, method: str) -> None:
    world.admit(123)
    way.send(world)
    world.mine()

    way.die(world, "chain", method, is_after=True)
    before = TxIntent.objects.get().status
    world.run(rounds=6)

    assert before == IntentStatus.SENT
    assert (TxIntent.objects.get().status, way.nonces(world)) == (IntentStatus.FINAL, (1, 1))


@pytest.mark.parametrize("method", ["head", "blocks", "logs"])
def test_a_death_of_the_indexer_reads_the_same_blocks_again(world: World, method: str) -> None:
    world.admit(123)
    way.accept(world)
    way.keep(world)
    sane = world.desk
    world.desk = replace(sane, chain=Doomed(sane.chain, method, is_after=True))
    with pytest.raises(Killed):
        way.index(world)
    world.desk = sane

    way.index(world)

    assert Order.objects.get().status == OrderStatus.FILLED
    assert Fill.objects.count() == 1


def test_two_deaths_at_the_wire_still_leave_one_effect(world: World) -> None:
    world.admit(123)
    way.owe(world)

    way.die(world, "chain", "broadcast", is_after=True)
    way.die(world, "chain", "broadcast", is_after=True)
    world.run(rounds=4)

    assert (TxSend.objects.count(), way.nonces(world), Position.objects.count()) == (1, (1, 1), 1)
