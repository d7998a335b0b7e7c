"""Building: what can't work fails here, where no nonce is bound yet; what merely can't be asked waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent, TxSend
from execution.services.building import MAX_ATTEMPTS
from tests.fakes.node import Fault, Node
from tests.scenario import way
from tests.scenario.way import Doomed, Killed
from tests.scenario.world import World
from trading.domain.mode import Mode
from trading.domain.units import Price
from trading.models import Quote


def _nothing_was_bound(intent: TxIntent) -> bool:
    return intent.nonce is None and not TxSend.objects.exists() and way.sender().next_nonce == 0


def test_a_call_that_would_revert_fails_with_the_contracts_own_word(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    # Decided on an allowance that the trader takes back before anything is sent.
    world.allow(123, usdc="0")

    way.drain(world)

    intent = way.fresh(intent)
    assert (intent.status, intent.failure_code) == (IntentStatus.FAILED, "InsufficientAllowance")
    assert (intent.order.status, intent.order.reason) == (OrderStatus.DENIED, "InsufficientAllowance")
    assert intent.order.leg.settled_at == intent.order.ended_at == intent.closed_at == world.now
    assert _nothing_was_bound(intent)


def test_without_a_price_it_waits_and_goes_on_when_there_is_one(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    published_at = Quote.objects.first().published_at
    Quote.objects.update(published_at=world.now - timedelta(hours=1))

    way.drain(world)
    waiting = way.fresh(intent)
    Quote.objects.update(published_at=published_at)
    way.wait(world, 1)
    way.drain(world)

    assert (waiting.status, waiting.blocked_reason) == (IntentStatus.BUILDING, "price")
    assert waiting.next_action_at == world.now
    assert way.fresh(intent).status == IntentStatus.SENT


def test_while_the_node_is_silent_it_waits_and_nothing_is_concluded(world: World, proxy: Node) -> None:
    world.admit(123)
    intent = way.owe(world)
    proxy.suffer(Fault.DROP, on="eth_estimateGas")

    way.drain(world)

    waiting = way.fresh(intent)
    assert (waiting.status, waiting.blocked_reason, waiting.attempts) == (IntentStatus.BUILDING, "endpoint", 0)
    assert _nothing_was_bound(waiting)


def test_a_node_in_trouble_is_no_revert(world: World, proxy: Node) -> None:
    world.admit(123)
    intent = way.owe(world)
    proxy.refuse("eth_estimateGas", "missing trie node")

    way.drain(world)

    assert (way.fresh(intent).status, way.fresh(intent).blocked_reason) == (IntentStatus.BUILDING, "endpoint")


def test_an_entry_past_its_deadline_expires(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    way.wait(world, 61)

    way.drain(world)

    intent = way.fresh(intent)
    assert (intent.status, intent.order.status) == (IntentStatus.EXPIRED, OrderStatus.EXPIRED)
    assert intent.order.leg.settled_at == world.now
    assert _nothing_was_bound(intent)


def test_what_kills_its_worker_again_and_again_fails_and_its_lane_goes_on(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    sane = world.desk
    world.desk = replace(sane, chain=Doomed(sane.chain, "simulate"))
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            way.drain(world)
    world.desk = sane
    later = way.owe(world, signal_id="later")

    way.drain(world)

    assert (way.fresh(intent).status, way.fresh(intent).failure_code) == (IntentStatus.FAILED, "BUILD_ATTEMPTS_EXHAUSTED")
    assert way.fresh(intent).order.status == OrderStatus.DENIED
    assert way.fresh(later).status == IntentStatus.SENT


def test_one_that_was_tried_before_goes_last_and_alone(world: World) -> None:
    world.admit(123)
    first = way.owe(world)
    world.desk = replace(world.desk, chain=Doomed(world.desk.chain, "simulate"))
    with pytest.raises(Killed):
        way.drain(world)
    second = way.owe(world)

    tries = []
    for _ in range(2):
        with pytest.raises(Killed):
            way.drain(world)
        tries.append([way.fresh(each).attempts for each in (first, second)])

    assert tries == [[1, 1], [2, 1]]


def test_an_old_build_is_built_again_at_the_new_price(world: World) -> None:
    world.admit(123)
    world.switch.mode = Mode.DRY
    intent = way.owe(world)
    way.drain(world)
    first = way.fresh(intent)
    Quote.objects.filter(market__symbol="BTC-USD").update(price=Price.of(61_000))

    way.wait(world, 11)
    way.drain(world)

    second = way.fresh(intent)
    assert (first.status, first.wanted_price) == (IntentStatus.BUILT, Price.of(60_000))
    assert (second.status, second.wanted_price) == (IntentStatus.BUILT, Price.of(61_000))
    assert (second.built_at, second.calldata != first.calldata) == (world.now, True)
    assert _nothing_was_bound(second)


def test_a_build_within_its_age_is_left_alone(world: World) -> None:
    world.admit(123)
    world.switch.mode = Mode.DRY
    intent = way.owe(world)
    way.drain(world)
    built_at = world.now

    way.wait(world, 10)
    way.drain(world)

    assert way.fresh(intent).built_at == built_at
