"""Watching: only a receipt in a block that stands ends an intent's way, and only once it lies deep enough."""

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent, TxReceipt, TxSend
from tests.scenario import way
from tests.scenario.world import World
from trading.models import Event


def _mined(world: World) -> TxIntent:
    intent = way.send(world)
    world.mine()
    way.drain(world)
    return way.fresh(intent)


def test_a_mined_intent_is_final_once_it_lies_five_blocks_deep(world: World) -> None:
    world.admit(123)
    intent = _mined(world)
    seen = [intent.status]

    for _ in range(7):
        world.mine()
        way.index(world)
        way.drain(world)
        seen.append(way.fresh(intent).status)

    # The only node must say the same again two blocks later.
    assert seen == [IntentStatus.MINED] * 7 + [IntentStatus.FINAL]
    assert way.fresh(intent).next_action_at is None


def test_a_receipt_says_what_the_chain_says(world: World) -> None:
    world.admit(123)
    intent = _mined(world)

    receipt = TxReceipt.objects.get()
    said = world.rpc.call("eth_getTransactionReceipt", receipt.send.tx_hash)
    assert receipt.send.intent == intent
    assert (receipt.block_number, receipt.block_hash) == (int(said["blockNumber"], 16), said["blockHash"])
    assert (receipt.gas_used, receipt.gas_price_wei.raw) == (int(said["gasUsed"], 16), int(said["effectiveGasPrice"], 16))
    assert (receipt.is_success, receipt.is_canonical) == (True, True)


def test_a_call_that_reverts_on_the_chain_is_rejected(world: World) -> None:
    world.admit(123)
    first, second = (way.owe(world) for _ in range(2))
    # Enough for one: each of the two works alone, and the second to be mined doesn't.
    world.allow(123, usdc="60")

    way.drain(world)
    world.run(rounds=6)

    first, second = way.fresh(first), way.fresh(second)
    assert (first.status, first.order.status) == (IntentStatus.FINAL, OrderStatus.FILLED)
    assert (second.status, second.failure_code) == (IntentStatus.REVERTED, "REVERTED_ON_CHAIN")
    assert (second.order.status, second.order.reason) == (OrderStatus.REJECTED, "REVERTED_ON_CHAIN")
    assert second.order.leg.settled_at == second.order.ended_at == second.closed_at
    assert way.nonces(world) == (2, 2)


def test_what_was_reorganized_out_goes_out_again_with_the_same_bytes(world: World) -> None:
    world.admit(123)
    intent = _mined(world)
    way.index(world)
    way.fork(world)

    way.index(world)
    way.drain(world)
    taken_back = way.fresh(intent).status
    world.mine()
    way.wait(world, 2)
    way.drain(world)

    send = TxSend.objects.get()
    assert (taken_back, way.fresh(intent).status) == (IntentStatus.SENT, IntentStatus.MINED)
    assert (send.times_sent, send.receipts.count(), send.receipts.filter(is_canonical=True).count()) == (2, 2, 1)
    assert way.nonces(world) == (1, 1)
    kinds = Event.objects.filter(subject=f"txintent:{intent.pk}", kind__in=["intent.mined", "intent.sent"]).order_by("pk")
    assert [event.kind for event in kinds] == ["intent.sent", "intent.mined", "intent.sent", "intent.mined"]


def test_a_block_that_was_replaced_before_we_read_it_mines_nothing(world: World) -> None:
    world.admit(123)
    intent = _mined(world)
    way.fork(world)

    way.index(world)

    assert way.fresh(intent).status == IntentStatus.SENT
    assert not TxReceipt.objects.filter(is_canonical=True).exists()


def test_a_deep_reorganization_before_finality_ends_in_one_transaction_each(world: World) -> None:
    world.admit(123)
    intents = [way.owe(world) for _ in range(3)]
    way.drain(world)
    world.mine()
    way.drain(world)
    world.mine(3)
    world.rpc.call("anvil_reorg", 4, [])

    world.run(rounds=8)

    assert {way.fresh(intent).status for intent in intents} == {IntentStatus.FINAL}
    assert [way.fresh(intent).nonce for intent in intents] == [0, 1, 2]
    assert way.nonces(world) == (3, 3)
    assert {send.receipts.filter(is_canonical=True).count() for send in TxSend.objects.all()} == {1}


def test_what_every_node_dropped_goes_out_again(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    world.rpc.call("anvil_dropAllTransactions")

    way.wait(world, 2)
    way.drain(world)
    world.mine()
    way.wait(world, 2)
    way.drain(world)

    assert way.fresh(intent).status == IntentStatus.MINED
    assert (TxSend.objects.get().times_sent, way.nonces(world)) == (2, (1, 1))


def test_what_is_in_flight_is_watched_while_the_mode_isnt_live(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    world.switch.empty()
    world.rpc.call("anvil_dropAllTransactions")

    way.wait(world, 2)
    way.drain(world)
    world.mine()
    way.wait(world, 2)
    way.drain(world)

    assert way.fresh(intent).status == IntentStatus.MINED


def test_a_look_before_its_time_asks_nothing(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    world.rpc.call("evm_mine")

    way.drain(world)

    assert way.fresh(intent).status == IntentStatus.SENT
