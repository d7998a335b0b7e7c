"""Replacement: more is offered for the same nonce, only for the lowest, never above the ceiling; one of the offers is mined."""

import pytest
from pytest_django.fixtures import Settings

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose, SendState
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Wei
from trading.models import Event, Position

GWEI = 10**9


def _spike(world: World, gwei: float) -> None:
    """The chain asks this much for a gas from the next block on; what offers less stays in the pool, as on a real node."""
    world.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(int(gwei * GWEI)))


def _block(world: World, gwei: float) -> None:
    """A block at a price; the desk reads it and looks."""
    _spike(world, gwei)
    world.mine()
    way.index(world)
    way.drain(world)


def _stuck(world: World, gwei: float, blocks: int) -> None:
    for _ in range(blocks):
        _block(world, gwei)


def test_timeout_triggers_rbf(world: World) -> None:
    world.admit(123)
    intent = way.send(world)

    _stuck(world, 50, blocks=3)
    first, second = TxSend.objects.order_by("seq")
    way.settle(world, blocks=10)

    assert way.fresh(intent).status == IntentStatus.FINAL
    assert (first.intent_id, second.intent_id, second.purpose) == (intent.pk, intent.pk, Purpose.CALL)
    assert second.fee_cap_wei.raw * 10 >= first.fee_cap_wei.raw * 11
    assert second.tip_cap_wei.raw * 10 >= first.tip_cap_wei.raw * 11
    assert [send.receipts.filter(is_canonical=True).count() for send in (first, second)] == [0, 1]
    assert way.nonces(world) == (1, 1)
    kinds = Event.objects.filter(subject=f"txintent:{intent.pk}").order_by("pk").values_list("kind", flat=True)
    assert "intent.rbf_pending" in kinds


def test_without_rbf_the_same_bytes_go_out_again_and_nothing_more_is_offered(world: World, settings: Settings) -> None:
    settings.ENABLE_RBF = False
    world.admit(123)
    intent = way.send(world)

    _stuck(world, 50, blocks=6)

    send = TxSend.objects.get()
    assert (way.fresh(intent).status, send.times_sent) == (IntentStatus.SENT, 7)


def test_more_is_offered_only_for_the_lowest_nonce(world: World) -> None:
    world.admit(123)
    intents = [way.owe(world) for _ in range(3)]
    way.drain(world)

    _stuck(world, 50, blocks=1)
    offered = [intent.sends.count() for intent in intents]
    _stuck(world, 50, blocks=1)
    offered_next = [intent.sends.count() for intent in intents]
    way.settle(world, blocks=12)

    assert offered == [1, 1, 1]
    assert offered_next == [2, 1, 1]
    assert {way.fresh(intent).status for intent in intents} == {IntentStatus.FINAL}
    assert way.nonces(world) == (3, 3)


def test_what_the_chain_is_only_slow_with_is_waited_for_three_blocks_and_an_exit_two(world: World) -> None:
    world.admit(123)
    way.fill(world)
    exit_ = way.owe(world, side="CLOSE")
    way.drain(world)
    raised = []

    for _ in range(3):
        world.rpc.call("anvil_dropAllTransactions")
        world.mine()
        way.index(world)
        way.drain(world)
        raised.append(exit_.sends.count())

    assert raised == [1, 1, 2]


def test_at_the_ceiling_it_is_held_and_sent_again_and_goes_on_when_the_ceiling_is_raised(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    (offered,) = TxSend.objects.values_list("fee_cap_wei", flat=True)
    # A tenth more wouldn't fit anymore.
    Sender.objects.update(fee_ceiling_wei=offered.times_up(12, 10))

    _stuck(world, 50, blocks=8)
    held, send = way.fresh(intent), TxSend.objects.get()
    Sender.objects.update(fee_ceiling_wei=Wei(500 * GWEI))
    _stuck(world, 50, blocks=3)
    way.settle(world, blocks=8)

    assert (held.status, held.blocked_reason, held.nonce) == (IntentStatus.SENT, "fee ceiling", 0)
    assert send.times_sent == 9
    assert way.fresh(intent).status == IntentStatus.FINAL
    assert way.nonces(world) == (1, 1)


def test_below_the_market_nothing_gets_a_nonce_at_all(world: World) -> None:
    world.admit(123)
    Sender.objects.update(fee_ceiling_wei=Wei(GWEI))
    intent = way.owe(world)
    _spike(world, 50)
    world.mine()

    way.drain(world)
    held = way.fresh(intent)
    Sender.objects.update(fee_ceiling_wei=Wei(500 * GWEI))
    way.wait(world, 1)
    way.drain(world)

    assert (held.status, held.nonce, held.blocked_reason) == (IntentStatus.BUILT, None, "fee ceiling")
    assert way.fresh(intent).status == IntentStatus.SENT


def test_after_its_deadline_a_stuck_entry_is_replaced_by_a_cancellation(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    way.wait(world, 61)

    _stuck(world, 50, blocks=3)
    way.settle(world, blocks=10)

    call, cancellation = TxSend.objects.order_by("seq")
    assert (call.purpose, cancellation.purpose) == (Purpose.CALL, Purpose.CANCELLATION)
    intent = way.fresh(intent)
    assert (intent.status, intent.failure_code) == (IntentStatus.CANCELED, "DEADLINE_PASSED")
    assert (intent.order.status, way.nonces(world)) == (OrderStatus.CANCELED, (1, 1))
    assert not Position.objects.exists()


def test_while_nothing_may_be_signed_what_is_stuck_is_only_sent_again(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    world.switch.empty()

    _stuck(world, 50, blocks=6)

    assert (way.fresh(intent).status, TxSend.objects.count()) == (IntentStatus.SENT, 1)
    assert TxSend.objects.get().times_sent > 3


@pytest.mark.parametrize("mined", [0, 1])
def test_whichever_of_the_offers_is_mined_ends_the_intent(world: World, mined: int) -> None:
    world.admit(123)
    intent = way.send(world)
    _stuck(world, 50, blocks=2)
    sends = list(TxSend.objects.order_by("seq"))
    assert len(sends) == 2
    # The node that mines next knows only one of them, and the price has fallen again.
    world.rpc.call("anvil_dropAllTransactions")
    world.rpc.call("eth_sendRawTransaction", sends[mined].raw) if _fits(world, 0.1) else None
    world.mine()
    way.settle(world, blocks=10)

    assert (way.fresh(intent).status, way.nonces(world)) == (IntentStatus.FINAL, (1, 1))
    assert [send.receipts.filter(is_canonical=True).count() for send in sends] == [int(mined == at) for at in (0, 1)]
    assert sends[0].state == SendState.SENT


def _fits(world: World, gwei: float) -> bool:
    _spike(world, gwei)
    world.mine()
    _spike(world, gwei)
    return True


def test_an_intent_that_was_bumped_is_still_one_intent(world: World) -> None:
    world.admit(123)
    way.send(world)
    _stuck(world, 50, blocks=3)

    assert TxIntent.objects.count() == 1
    assert set(TxSend.objects.values_list("intent__nonce", flat=True)) == {0}
