"""Reorganizations of any depth below finality: what we keep is what the new chain says, and nothing happens twice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings

from devnet import faults
from devnet.deploy import OPERATOR
from devnet.keeper import GAS_LIMIT
from devnet.ports import pick_free
from devnet.rpc import Rpc
from execution.adapters.rpc import RpcChain
from execution.domain.intent import LIFECYCLE
from execution.models import ChainBlock, Cursor, TxIntent, TxSend
from execution.services import indexing
from tests.chaos import campaigns_reorgs as reorgs
from tests.chaos.campaigns_reorgs import Fate
from tests.integration.execution import nodes
from tests.scenario import way
from tests.scenario.world import World
from trading.models import Fill, Position


@pytest.fixture(autouse=True)
def _finality_by_tag(settings: Settings) -> None:
    settings.FINALITY_BLOCKS = 0


@pytest.fixture
def proxied(world: World) -> Iterator[World]:
    """The world behind one strict node."""
    (port,) = pick_free(1, first=nodes.FIRST_PORT, last=nodes.LAST_PORT)
    with faults.proxy(upstream=settings.BASE_RPC_URLS[0], port=port) as node, Rpc(node.url) as rpc:
        yield replace(world, rpc=rpc, desk=replace(world.desk, chain=RpcChain([node.url])))


@pytest.mark.parametrize("depth", [1, 2, 5, 13, 34, 63])
def test_after_reorganizations_of_a_depth_everything_equals_a_fresh_index(world: World, depth: int) -> None:
    found = reorgs.suffer(world, depth=depth)

    assert found == [{}, {}, {}, {}]
    assert Fill.objects.canonical().count() >= 3
    assert set(TxIntent.objects.values_list("status", flat=True)) <= {str(status) for status in LIFECYCLE.terminal}
    # Of the nonce that had two offers, the first one is on the chain.
    sends = TxSend.objects.filter(receipts__is_canonical=True, intent__sends__seq=2)
    assert set(sends.values_list("seq", flat=True)) == {1}
    assert way.nonces(world)[0] == way.nonces(world)[1]


@pytest.mark.parametrize("below", [0, 1])
def test_a_reorganization_of_the_block_at_which_the_stream_began_is_found(world: World, below: int) -> None:
    began = Cursor.objects.get()
    depth = world.desk.chain.head().number - began.number + 1 + below

    way.fork(world, depth=depth)
    way.index(world)

    assert not ChainBlock.objects.canonical().filter(hash=began.hash).exists()
    assert reorgs.differences(world) == {}


@pytest.mark.parametrize("depth", [1, 13])
def test_what_a_node_puts_back_by_itself_is_mined_again_once(proxied: World, depth: int) -> None:
    reorgs.crowd(proxied)
    reorgs.traffic(proxied, blocks=depth + 2)

    reorgs.reorganize(proxied, depth=depth, fate=Fate.RETURNED)
    reorgs.calm(proxied)

    assert reorgs.differences(proxied) == {}
    assert Fill.objects.canonical().exists()


def test_without_taking_back_the_books_differ_from_a_fresh_index(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing.settlement, "unsettle", lambda *_, **__: None)
    world.admit(123)
    way.fill(world)
    reorgs.reorganize(world, depth=2, fate=Fate.LOST)

    way.index(world)

    assert {"fills", "positions", "orders"} <= set(reorgs.differences(world))


def test_a_slot_that_another_order_takes_in_the_new_chain_at_the_same_second_is_that_orders(world: World) -> None:
    # On Base a block's number gives its time: the same slot in the same second is nothing unusual.
    world.admit(123)
    long, short = (way.accept(world, side=side) for side in ("LONG", "SHORT"))
    way.keep(world)
    way.index(world)
    seen = sorted(Position.objects.values_list("venue_index", "direction"))
    world.rpc.call("anvil_rollback", 1)
    world.rpc.call("anvil_dropAllTransactions")
    _fill_in_order(world, short, long)

    way.index(world)

    assert seen == [(0, "LONG"), (1, "SHORT")]
    assert sorted(Position.objects.values_list("venue_index", "direction")) == [(0, "SHORT"), (1, "LONG")]
    assert reorgs.differences(world) == {}


def _fill_in_order(world: World, *intents: TxIntent) -> None:
    """Have the keeper fill these one after the other, in a block of the present second."""
    router = world.deployment.contract("TradingRouter")
    for intent in intents:
        call = router.transaction("executeMarketOrder", way.fresh(intent).order.venue_order_id)
        world.rpc.call("eth_sendTransaction", {**call, "from": OPERATOR, "gas": hex(GAS_LIMIT)})
    world.rpc.call("evm_mine", hex(int(world.now.timestamp())))
