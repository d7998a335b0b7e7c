"""Releasing: a quarantined sender works again once rows and chain agree, or a proven count is adopted."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from execution.adapters.rpc import RpcChain
from execution.domain.drift import Verdict
from execution.domain.fees import Offer
from execution.domain.intent import IntentStatus
from execution.models import Sender, TxSend
from execution.models.sender import SenderStatus
from execution.ports import UnsignedCall
from execution.services import drift, releasing
from execution.services.drift import Report
from execution.services.releasing import CountUnproven, Drifts, NotQuarantined
from execution.services.warrants import Warrant
from tests.fakes import node as nodes
from tests.fakes.node import Node
from tests.fakes.signer import OpenSigner
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Wei
from trading.models import AuditRow, Event

# Anvil's own distance from its head.
FINALIZED = 64
COUNT = "eth_getTransactionCount"


def _by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="looked at it", at=world.now)


def _report(world: World) -> Report:
    return drift.report(sender_id=way.sender().pk, desk=world.desk, at=world.now)


def _release(world: World, *, adopt_count: int | None = None) -> None:
    releasing.release(sender_id=way.sender().pk, adopt_count=adopt_count, desk=world.desk, by=_by(world))


def _quarantine() -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a test")


def _count(node: Node, *, mined: int, pooled: int) -> None:
    said = {"latest": hex(mined), "pending": hex(pooled)}
    node.script(COUNT, lambda params: {"result": said[params[1]]})


@pytest.fixture
def pair(world: World, proxy: Node) -> Iterator[Node]:
    """Two nodes in front of the same chain; this is the second."""
    with nodes.running(upstream=os.environ["BASE_RPC_URL"]) as other:
        world.desk = replace(world.desk, chain=RpcChain([proxy.url, other.url]))
        yield other


def test_a_calm_desk_differs_in_nothing(world: World) -> None:
    world.admit(123)
    way.send(world)

    report = _report(world)

    assert (report.differences, report.facts.rows.lowest, report.facts.nodes.pooled) == ((), 0, 1)
    assert {line.verdict for line in report.lines} == {Verdict.OK}
    assert report.facts.nodes.promised > Wei.zero()


def test_a_sender_whose_rows_agree_with_the_chain_is_released(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    _quarantine()
    way.drain(world)
    held = way.fresh(intent).blocked_reason

    _release(world)
    way.wait(world, 1)
    way.drain(world)

    assert held == "sender"
    assert (way.fresh(intent).status, way.sender().status, way.sender().status_reason) == (IntentStatus.SENT, "ACTIVE", "")
    row = AuditRow.objects.get(action="sender.release")
    assert (row.actor, row.before) == ("ada", {"status_reason": "a test", "next_nonce": 0})
    assert row.after == {"status": "ACTIVE", "next_nonce": 0, "withdrawn": 0}
    assert Event.objects.filter(kind="sender.released").count() == 1


def test_one_that_isnt_quarantined_isnt_released(world: World) -> None:
    with pytest.raises(NotQuarantined):
        _release(world)


@pytest.mark.parametrize(("mined", "pooled"), [(3, 3), (0, 2)])
def test_what_nodes_know_and_we_dont_keeps_it_in_quarantine(world: World, proxy: Node, mined: int, pooled: int) -> None:
    _quarantine()
    _count(proxy, mined=mined, pooled=pooled)

    with pytest.raises(Drifts) as refusal:
        _release(world)

    assert refusal.value.code == "SENDER_DRIFTS"
    assert str(pooled) in refusal.value.message
    assert way.sender().status == SenderStatus.QUARANTINED
    assert not AuditRow.objects.filter(action="sender.release").exists()


def test_a_proven_count_is_adopted_and_what_has_no_nonce_is_withdrawn(world: World, proxy: Node) -> None:
    world.admit(123)
    intent = way.owe(world)
    _quarantine()
    _count(proxy, mined=3, pooled=3)

    _release(world, adopt_count=3)

    assert (way.sender().next_nonce, way.sender().status) == (3, SenderStatus.ACTIVE)
    assert (way.fresh(intent).status, way.fresh(intent).failure_code) == (IntentStatus.CANCELED, "RESTORED")
    assert AuditRow.objects.get(action="sender.release").after == {"status": "ACTIVE", "next_nonce": 3, "withdrawn": 1}
    assert not TxSend.objects.exists()


@pytest.mark.parametrize(
    ("mined", "pooled", "adopted"),
    [(3, 3, 2), (3, 3, 4), (3, 4, 3), (3, 4, 4)],
)
def test_a_count_that_the_nodes_dont_say_isnt_adopted(world: World, proxy: Node, mined: int, pooled: int, adopted: int) -> None:
    world.admit(123)
    intent = way.owe(world)
    _quarantine()
    _count(proxy, mined=mined, pooled=pooled)

    with pytest.raises(CountUnproven):
        _release(world, adopt_count=adopted)

    assert (way.sender().next_nonce, way.sender().status) == (0, SenderStatus.QUARANTINED)
    assert way.fresh(intent).status == IntentStatus.CREATED


def test_a_nonce_is_never_taken_back(world: World) -> None:
    world.admit(123)
    way.send(world)
    world.mine()
    _quarantine()
    Sender.objects.update(next_nonce=5)

    with pytest.raises(CountUnproven):
        _release(world, adopt_count=1)

    assert way.sender().next_nonce == 5


def test_a_missing_nonce_keeps_it_in_quarantine(world: World) -> None:
    _quarantine()
    Sender.objects.update(next_nonce=2)

    report = _report(world)
    with pytest.raises(Drifts):
        _release(world)

    (line,) = (line for line in report.lines if line.name == "gaps")
    assert (line.value, line.verdict) == ("0, 1", Verdict.DIFFERS)


def test_one_of_two_nodes_proves_no_count(world: World, proxy: Node, pair: Node) -> None:
    _quarantine()
    _count(proxy, mined=3, pooled=3)

    with pytest.raises(CountUnproven) as refusal:
        _release(world, adopt_count=3)
    _count(pair, mined=3, pooled=3)
    _release(world, adopt_count=3)

    assert refusal.value.message == "the nodes don't agree on 3: node 0: 3, node 1: 0; with the pool 3"
    assert way.sender().next_nonce == 3


def test_a_nonce_that_something_else_used_keeps_it_in_quarantine_until_the_count_is_typed(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    _steal(world)

    # Sent again, and called used; doubted; certain.
    for blocks in (1, 1, FINALIZED):
        _look(world, blocks=blocks)
    stolen = (way.fresh(intent).blocked_reason, way.sender().status, way.sender().status_reason)
    with pytest.raises(Drifts) as refusal:
        _release(world)
    _release(world, adopt_count=1)
    other = way.owe(world)
    way.settle(world, blocks=9)

    assert stolen == ("nonce used by something else", SenderStatus.QUARANTINED, "a nonce was used by something else")
    assert intent.intent_key in refusal.value.message
    # The stolen one stays as it is, never another nonce; the others go on past it.
    assert (way.fresh(intent).status, way.fresh(intent).nonce) == (IntentStatus.SENT, 0)
    assert (way.fresh(other).status, way.fresh(other).nonce, way.sender().status) == (IntentStatus.FINAL, 1, SenderStatus.ACTIVE)


def _look(world: World, *, blocks: int) -> None:
    """Let blocks pass, and look, however long a doubt is to wait."""
    world.mine(blocks)
    way.wait(world, 60)
    way.index(world)
    way.drain(world)


def _steal(world: World) -> None:
    """Somebody else with our key uses the nonce that waits in the pool."""
    world.rpc.call("anvil_dropAllTransactions")
    call = UnsignedCall(
        chain_id=31_337,
        nonce=0,
        target=world.desk.signer.address,
        data="0x",
        value=Wei(0),
        gas_limit=21_000,
        offer=Offer(fee_cap=Wei(10**11), tip_cap=Wei(10**9)),
    )
    world.rpc.call("eth_sendRawTransaction", OpenSigner("0x" + "11" * 32).sign(call).raw)
    world.mine()
