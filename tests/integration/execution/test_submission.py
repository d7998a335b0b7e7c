"""Submission: what each answer of a node does, and that none of them gives an effect a second nonce."""

from datetime import timedelta

import pytest
from django.db import connection
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent, TxSend
from execution.models.send import Purpose, SendState
from tests.fakes.node import Fault, Node
from tests.scenario import way
from tests.scenario.world import World
from trading.models import Event, Position

SENT, RETRYING = IntentStatus.SENT, IntentStatus.RETRYING
RAW = "eth_sendRawTransaction"

# A node's words → where the intent stands, what its send is, why it waits, and for how many seconds.
ANSWERS = (
    ("already known", SENT, SendState.SENT, "", 1),
    ("transaction already imported", SENT, SendState.SENT, "", 1),
    ("nonce too low", SENT, SendState.SENT, "", 1),
    ("replacement transaction underpriced", RETRYING, SendState.REFUSED, "fees", 1),
    ("a word that no table has", SENT, SendState.SENT, "", 1),
    ("", SENT, SendState.SENT, "", 1),
    ("transaction underpriced", RETRYING, SendState.REFUSED, "fees", 1),
    ("max fee per gas less than block base fee", RETRYING, SendState.REFUSED, "fees", 1),
    ("insufficient funds for gas * price + value", RETRYING, SendState.READY, "funds", 5),
    ("txpool is full", RETRYING, SendState.READY, "backpressure", 1),
    ("nonce too high", RETRYING, SendState.READY, "backpressure", 1),
    ("intrinsic gas too low", RETRYING, SendState.REFUSED, "content refused", 1),
    ("exceeds block gas limit", RETRYING, SendState.REFUSED, "content refused", 1),
)
FATAL = {"intrinsic gas too low", "exceeds block gas limit"}


@pytest.mark.parametrize(("words", "status", "state", "blocked", "pause"), ANSWERS)
def test_an_answer_leads_where_the_table_says(
    world: World, proxy: Node, words: str, status: IntentStatus, state: SendState, blocked: str, pause: int
) -> None:
    world.admit(123)
    proxy.refuse(RAW, words)

    intent = way.send(world)

    send = TxSend.objects.get()
    assert (intent.status, intent.nonce, intent.blocked_reason) == (status, 0, blocked)
    assert (send.state, send.times_sent, send.last_answer, send.first_sent_at) == (state, 1, words, world.now)
    assert intent.next_action_at == world.now + timedelta(seconds=pause)
    assert intent.order.status == (OrderStatus.SUBMITTED if status == SENT else OrderStatus.INITIALIZED)
    assert way.nonces(world) == (1, 0)


@pytest.mark.parametrize("words", [words for words, *_ in ANSWERS if words not in FATAL])
def test_whatever_a_node_says_the_same_nonce_reaches_the_chain_once(world: World, proxy: Node, words: str) -> None:
    world.admit(123)
    proxy.refuse(RAW, words)
    intent = way.send(world)
    proxy.mend()

    world.run(rounds=7)

    intent = way.fresh(intent)
    assert (intent.status, intent.nonce, intent.order.status) == (IntentStatus.FINAL, 0, OrderStatus.FILLED)
    assert way.nonces(world) == (1, 1)
    assert Position.objects.count() == 1
    assert {TypedTransaction.from_bytes(HexBytes(send.raw)).as_dict()["nonce"] for send in TxSend.objects.all()} == {0}


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.DROP, Fault.ERROR_500, Fault.HTML, Fault.MALFORMED, Fault.SHORT])
def test_a_lost_answer_is_unknown_and_never_sends_anything_twice(world: World, proxy: Node, fault: Fault) -> None:
    world.admit(123)
    proxy.suffer(fault, on=RAW)
    intent = way.send(world)
    unknown = (intent.status, intent.blocked_reason, TxSend.objects.get().state)
    proxy.mend()

    world.run(rounds=7)

    assert unknown == (SENT, "", SendState.SENT)
    assert (way.fresh(intent).status, TxSend.objects.count()) == (IntentStatus.FINAL, 1)
    assert way.nonces(world) == (1, 1)
    assert Position.objects.count() == 1


def test_an_underpriced_offer_is_followed_by_a_higher_one_for_the_same_nonce(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse(RAW, "transaction underpriced")
    intent = way.send(world)
    proxy.mend()

    way.wait(world, 1)
    way.drain(world)

    first, second = TxSend.objects.order_by("seq")
    assert (first.state, second.state, way.fresh(intent).status) == (SendState.REFUSED, SendState.SENT, SENT)
    assert (first.purpose, second.purpose) == (Purpose.CALL, Purpose.CALL)
    assert second.fee_cap_wei.raw * 10 >= first.fee_cap_wei.raw * 11
    assert second.tip_cap_wei.raw * 10 >= first.tip_cap_wei.raw * 11
    assert way.fresh(intent).nonce == 0


def test_refused_content_is_canceled_on_its_own_nonce(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse(RAW, "intrinsic gas too low")
    intent = way.send(world)
    proxy.mend()

    world.run(rounds=7)

    call, cancellation = TxSend.objects.order_by("seq")
    assert (call.purpose, call.state) == (Purpose.CALL, SendState.REFUSED)
    assert cancellation.purpose == Purpose.CANCELLATION
    fields = TypedTransaction.from_bytes(HexBytes(cancellation.raw)).as_dict()
    assert (fields["nonce"], bytes(fields["data"]), fields["value"], fields["gas"]) == (0, b"", 0, 21_000)
    assert bytes(fields["to"]).hex() == world.desk.signer.address[2:].lower()
    intent = way.fresh(intent)
    assert (intent.status, intent.failure_code, intent.nonce) == (
        IntentStatus.CANCELED,
        "CONTENT_REFUSED: intrinsic gas too low",
        0,
    )
    assert (intent.order.status, intent.order.leg.settled_at) == (OrderStatus.CANCELED, intent.closed_at)
    assert way.nonces(world) == (1, 1)
    assert not Position.objects.exists()


def test_a_cancellation_isnt_final_before_its_block_is(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse(RAW, "intrinsic gas too low")
    intent = way.send(world)
    proxy.mend()
    way.wait(world, 1)
    way.drain(world)
    world.mine()
    way.drain(world)

    world.mine(4)
    way.index(world)
    way.drain(world)
    before = way.fresh(intent).status
    way.settle(world)

    assert (before, way.fresh(intent).status) == (IntentStatus.MINED, IntentStatus.CANCELED)


def test_refused_content_is_still_canceled_when_the_node_was_silent_in_between(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse(RAW, "intrinsic gas too low")
    intent = way.send(world)
    proxy.suffer(Fault.DROP)
    way.wait(world, 1)
    way.drain_at_silence(world)
    assert way.fresh(intent).blocked_reason == "endpoint"
    proxy.mend()

    way.wait(world, 1)
    way.drain(world)

    assert [send.purpose for send in TxSend.objects.order_by("seq")] == [Purpose.CALL, Purpose.CANCELLATION]


def test_a_nonce_reserved_and_not_signed_before_the_deadline_is_canceled(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    way.die(world, "signer", "sign")
    reserved = way.fresh(intent)
    way.wait(world, 61)

    world.run(rounds=7)

    send = TxSend.objects.get()
    assert (reserved.status, reserved.nonce) == (IntentStatus.SENDING, 0)
    assert send.purpose == Purpose.CANCELLATION
    assert (way.fresh(intent).status, way.fresh(intent).order.status) == (IntentStatus.CANCELED, OrderStatus.CANCELED)
    assert way.nonces(world) == (1, 1)


def test_what_no_node_took_before_its_deadline_is_canceled(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse(RAW, "insufficient funds for gas * price + value")
    intent = way.send(world)

    way.wait(world, 61)
    way.drain(world)
    proxy.mend()
    world.run(rounds=7)

    assert [send.purpose for send in TxSend.objects.order_by("seq")] == [Purpose.CALL, Purpose.CANCELLATION]
    assert way.fresh(intent).status == IntentStatus.CANCELED
    assert way.nonces(world) == (1, 1)


def test_an_earlier_offer_that_was_mined_after_all_is_found(world: World, proxy: Node) -> None:
    world.admit(123)
    # The node takes the bytes; the process dies before it knows, and the next one hears a refusal.
    proxy.suffer(Fault.LOST, on=RAW)
    intent = way.send(world)
    proxy.mend()
    TxSend.objects.update(state=SendState.READY)
    TxIntent.objects.update(next_action_at=world.now)
    proxy.refuse(RAW, "transaction underpriced")
    way.drain(world)
    world.mine()
    proxy.mend()

    world.run(rounds=7)

    first, *_ = TxSend.objects.order_by("seq")
    assert (way.fresh(intent).status, way.fresh(intent).order.status) == (IntentStatus.FINAL, OrderStatus.FILLED)
    assert first.receipts.get().is_canonical
    assert way.nonces(world) == (1, 1)
    assert Position.objects.count() == 1


def test_bytes_are_stored_before_a_node_sees_them(world: World, proxy: Node) -> None:
    world.admit(123)
    stored: list[bool] = []

    def look(params: list[str]) -> dict[str, object]:
        stored.append(_is_stored(params[0]))
        return {"error": {"code": -32000, "message": "txpool is full"}}

    proxy.script(RAW, look)

    way.send(world)

    assert stored == [True]


def _is_stored(raw: str) -> bool:
    # Asked from the node's own thread, over its own connection: only what is committed counts.

    try:
        return TxSend.objects.filter(raw=raw).exists()
    finally:
        connection.close()


def test_every_move_is_in_the_journal_in_its_order(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)

    world.run(rounds=7)

    kinds = list(Event.objects.filter(subject=f"txintent:{intent.pk}").order_by("pk").values_list("kind", flat=True))
    assert kinds == [
        *("intent.building", "intent.built", "intent.sending", "intent.sent", "intent.mined", "intent.final"),
    ]


def test_a_silent_node_leaves_what_is_in_flight_as_it_is(world: World, proxy: Node) -> None:
    world.admit(123)
    intent = way.send(world)
    proxy.suffer(Fault.DROP)
    way.wait(world, 1)

    way.drain_at_silence(world)

    assert (way.fresh(intent).status, way.fresh(intent).blocked_reason) == (SENT, "endpoint")
    assert way.fresh(intent).next_action_at == world.now + timedelta(seconds=1)
