"""Doubts: who uses our key is found out by several nodes, or by one and time; who only says so changes nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings as configured

from devnet.faults import Fault
from devnet.faults.proxy import Proxy
from execution.adapters.rpc import RpcChain
from execution.domain import finality
from execution.domain.fees import Offer
from execution.domain.intent import IntentStatus
from execution.models import TxSend
from execution.models.sender import SenderStatus
from execution.ports import UnsignedCall
from execution.services import intent_acts, releasing
from execution.services.warrants import Warrant
from tests.fakes.node import Node
from tests.fakes.signer import OpenSigner
from tests.integration.execution import nodes
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Wei

GWEI = 10**9
# Anvil's own distances from its head.
SAFE, FINALIZED = 32, 64
STRANGER = "0x" + "77" * 20


@pytest.fixture
def one(world: World) -> Iterator[Proxy]:
    with nodes.before(world, count=1) as (node,):
        yield node


@pytest.fixture
def two(world: World) -> Iterator[list[Proxy]]:
    with nodes.before(world, count=2) as proxies:
        yield proxies


def _use_the_key(world: World, *, nonce: int) -> None:
    """What a thief of the key does: a transaction of his own, mined."""
    signed = OpenSigner(configured.SIGNER_PRIVATE_KEYS[0]).sign(
        UnsignedCall(
            chain_id=configured.CHAIN_ID,
            nonce=nonce,
            target=STRANGER,
            data="0x",
            value=Wei(1),
            gas_limit=21_000,
            offer=Offer(fee_cap=Wei(100 * GWEI), tip_cap=Wei(GWEI)),
        )
    )
    world.rpc.call("eth_sendRawTransaction", signed.raw)
    world.mine()


def _look(world: World, *, blocks: int, times: int = 1) -> None:
    """Let blocks pass, and look after each step, however long a doubt is to wait."""
    for _ in range(times):
        world.mine(blocks)
        way.wait(world, 60)
        way.index(world)
        way.drain(world)


def _standing(world: World) -> tuple[str, int, int]:
    """The sender's status, its next nonce, and how many offers were ever signed."""
    sender = way.sender()
    return sender.status, sender.next_nonce, TxSend.objects.count()


def test_foreign_use_is_certain_once_the_safe_head_has_passed_and_two_nodes_agree(world: World, two: list[Proxy]) -> None:
    world.admit(123)
    intent = way.owe(world)
    _use_the_key(world, nonce=0)
    way.drain(world)

    _look(world, blocks=1)
    doubted_at = way.fresh(intent).doubted_at_block
    _look(world, blocks=SAFE - 1)
    before = _standing(world)
    _look(world, blocks=1)

    head = int(world.rpc.call("eth_blockNumber"), 16)
    assert doubted_at == head - SAFE
    assert (before, _standing(world)) == ((SenderStatus.ACTIVE, 1, 1), (SenderStatus.QUARANTINED, 1, 1))
    intent = way.fresh(intent)
    assert (intent.status, intent.nonce, intent.blocked_reason) == (IntentStatus.SENT, 0, "nonce used by something else")


def test_a_sender_in_quarantine_gets_no_new_nonce(world: World, two: list[Proxy]) -> None:
    world.admit(123)
    way.owe(world)
    _use_the_key(world, nonce=0)
    way.drain(world)
    _look(world, blocks=SAFE + 1, times=2)

    later = way.send(world)

    assert (later.status, later.nonce, later.blocked_reason) == (IntentStatus.CREATED, None, "sender")
    assert _standing(world) == (SenderStatus.QUARANTINED, 1, 1)


def test_what_a_stranger_used_is_given_up_and_the_sender_goes_on(world: World, two: list[Proxy]) -> None:
    world.admit(123)
    intent = way.owe(world)
    _use_the_key(world, nonce=0)
    way.drain(world)
    _look(world, blocks=SAFE + 1, times=2)
    by = Warrant(actor="ada", reason="the old desk sent it", at=world.now)

    intent_acts.give_up(intent_id=intent.pk, by=by)
    releasing.release(sender_id=intent.sender_id, adopt_count=None, desk=world.desk, by=by)
    later = way.send(world)
    world.mine()
    way.drain(world)

    ended = way.fresh(intent)
    assert (ended.status, ended.nonce, ended.order.leg.settled_at) == (IntentStatus.CANCELED, 0, by.at)
    assert (way.fresh(later).status, way.fresh(later).nonce, way.nonces(world)) == (IntentStatus.MINED, 1, (2, 2))
    assert _standing(world) == (SenderStatus.ACTIVE, 2, 2)


def test_a_single_nodes_word_counts_only_when_finalized_and_said_twice(world: World, one: Proxy) -> None:
    world.admit(123)
    way.owe(world)
    _use_the_key(world, nonce=0)
    way.drain(world)

    _look(world, blocks=1)
    _look(world, blocks=FINALIZED - 1)
    before = _standing(world)
    _look(world, blocks=1)

    assert (before, _standing(world)) == ((SenderStatus.ACTIVE, 1, 1), (SenderStatus.QUARANTINED, 1, 1))


@pytest.mark.parametrize(
    ("is_second_silent", "ended"),
    # Alone with the liar for minutes nobody could mine it before its deadline: a cancellation takes its place.
    [(False, (IntentStatus.FINAL, "")), (True, (IntentStatus.CANCELED, "DEADLINE_PASSED"))],
    ids=["second answers", "second is away"],
)
def test_who_merely_says_that_a_nonce_is_used_quarantines_nobody(
    world: World, two: list[Proxy], is_second_silent: bool, ended: tuple[IntentStatus, str]
) -> None:
    liar, other = two
    liar.suffer(Fault.FALSE_NONCE_TOO_LOW)
    if is_second_silent:
        other.suffer(Fault.REQUEST_LOST)
    world.admit(123)
    intent = way.send(world)

    _look(world, blocks=SAFE + 2, times=3)
    lied_to = _standing(world)
    for node in two:
        node.mend()
    # A process that starts now: this one rests from the second node for a while.
    world.desk = replace(world.desk, chain=RpcChain([node.url for node in two]))
    _look(world, blocks=2, times=5)

    intent = way.fresh(intent)
    assert (lied_to[0], _standing(world)[0]) == (SenderStatus.ACTIVE, SenderStatus.ACTIVE)
    assert (intent.status, intent.failure_code) == ended
    assert (intent.nonce, way.nonces(world)) == (0, (1, 1))


def test_a_lone_liar_about_a_nonce_only_delays(world: World, one: Proxy) -> None:
    one.suffer(Fault.FALSE_NONCE_TOO_LOW)
    world.admit(123)
    intent = way.send(world)

    _look(world, blocks=FINALIZED + 2, times=3)
    lied_to = _standing(world)
    one.mend()
    _look(world, blocks=2, times=5)

    assert lied_to[:2] == (SenderStatus.ACTIVE, 1)
    # Minutes have passed: a cancellation took its place, on the same nonce.
    intent = way.fresh(intent)
    assert (intent.status, intent.failure_code) == (IntentStatus.CANCELED, "DEADLINE_PASSED")
    assert (intent.nonce, way.nonces(world)) == (0, (1, 1))


@pytest.mark.parametrize(("witnesses", "status"), [(2, SenderStatus.ACTIVE), (1, SenderStatus.QUARANTINED)])
def test_one_nodes_count_above_ours_stops_nothing_unless_one_witness_were_enough(
    world: World, proxy: Node, monkeypatch: pytest.MonkeyPatch, witnesses: int, status: SenderStatus
) -> None:
    monkeypatch.setattr(finality, "WITNESSES", witnesses)
    world.desk = replace(world.desk, chain=RpcChain([proxy.url, configured.BASE_RPC_URLS[0]]))
    world.admit(123)
    way.send(world)
    proxy.answer("eth_getTransactionCount", hex(9))

    _look(world, blocks=0)

    assert way.sender().status == status


def test_a_count_above_ours_that_two_nodes_say_stops_the_sender_at_once(world: World, two: list[Proxy]) -> None:
    world.admit(123)
    intent = way.send(world)
    world.mine()
    _use_the_key(world, nonce=1)

    way.drain(world)

    assert _standing(world) == (SenderStatus.QUARANTINED, 1, 1)
    # What was ours is ours.
    assert way.fresh(intent).status == IntentStatus.MINED
