"""What people do with one intent: each act is audited, and what makes no sense is refused with its code."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose
from execution.models.sender import SenderStatus
from execution.services import intent_acts
from execution.services.intent_acts import AlreadyWithdrawn, AtCeiling, Ended, NothingToRaise, NotLowest
from execution.services.sender_acts import LimitOutOfRange
from execution.services.warrants import ReasonMissing, Warrant
from tests.fakes import doorbell
from tests.fakes.node import Node
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.errors import VantaError
from trading.domain.units import Wei
from trading.models import AuditRow, Event, Position

GWEI = 10**9


def _by(world: World, reason: str = "it hurries") -> Warrant:
    return Warrant(actor="ada", reason=reason, at=world.now)


def _audited(action: str) -> AuditRow:
    return AuditRow.objects.get(action=action)


def _purposes() -> list[str]:
    return list(TxSend.objects.order_by("intent", "seq").values_list("purpose", flat=True))


def test_nobody_acts_without_a_reason(world: World) -> None:
    with pytest.raises(ReasonMissing):
        _by(world, reason="  ")


def test_more_is_offered_at_once_for_the_lowest_nonce(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    doorbell.clear()

    intent_acts.bump(intent_id=intent.pk, by=_by(world))
    rung = doorbell.heard()
    way.drain(world)

    first, second = TxSend.objects.order_by("seq")
    assert ("intent.created", intent.sender_id) in rung
    assert (second.purpose, way.fresh(intent).status, way.fresh(intent).nonce) == (Purpose.CALL, IntentStatus.SENT, 0)
    assert second.fee_cap_wei.raw * 10 >= first.fee_cap_wei.raw * 11
    row = _audited("intent.bump")
    assert (row.actor, row.reason, row.subject, row.trace_id) == (
        "ada", "it hurries", f"txintent:{intent.pk}", intent.trace_id,
    )  # fmt: skip
    assert row.before == {"intent_key": intent.intent_key, "fee_cap_wei": str(first.fee_cap_wei)}
    assert row.after == {"at_least_wei": str(first.fee_cap_wei.times_up(11, 10))}


def test_without_the_act_nothing_more_is_offered_yet(world: World) -> None:
    world.admit(123)
    way.send(world)
    way.wait(world, 1)

    way.drain(world)

    assert TxSend.objects.count() == 1


def test_one_bump_is_one_more_offer(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    intent_acts.bump(intent_id=intent.pk, by=_by(world))

    for _ in range(3):
        way.drain(world)
        way.wait(world, 1)

    assert TxSend.objects.count() == 2


def test_only_the_lowest_nonce_is_bumped(world: World) -> None:
    world.admit(123)
    lowest, other = (way.owe(world) for _ in range(2))
    way.drain(world)

    with pytest.raises(NotLowest) as refusal:
        intent_acts.bump(intent_id=other.pk, by=_by(world))

    assert refusal.value.facts == {"lowest": 0, "nonce": 1}
    assert way.fresh(lowest).status == way.fresh(other).status == IntentStatus.SENT
    assert not AuditRow.objects.filter(action="intent.bump").exists()


def test_above_the_ceiling_a_bump_is_refused_with_the_numbers(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    offered = TxSend.objects.get().fee_cap_wei
    intent_acts.limit(intent_id=intent.pk, ceiling=offered.times_up(12, 10), by=_by(world))

    with pytest.raises(AtCeiling) as refusal:
        intent_acts.bump(intent_id=intent.pk, by=_by(world))

    assert refusal.value.facts == {
        "offered": str(offered),
        "least": str(offered.times_up(11, 10)),
        # A tenth below its own ceiling is kept for the cancellation.
        "ceiling": str(offered.times_up(12, 10).times_down(9, 10)),
    }
    assert way.fresh(intent).status == IntentStatus.SENT


def _quarantine(_: TxIntent, __: Settings) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED)


def _doubt(intent: TxIntent, _: Settings) -> None:
    TxIntent.objects.filter(pk=intent.pk).update(doubted_at_block=1)


def _switch_off(_: TxIntent, settings: Settings) -> None:
    settings.ENABLE_RBF = False


@pytest.mark.parametrize("spoil", [_quarantine, _doubt, _switch_off])
def test_what_no_drain_would_raise_isnt_bumped(world: World, settings: Settings, spoil: Callable[..., None]) -> None:
    world.admit(123)
    intent = way.send(world)
    spoil(intent, settings)

    with pytest.raises(NothingToRaise):
        intent_acts.bump(intent_id=intent.pk, by=_by(world))

    assert way.sender().waiting_since_block != 0


def test_what_isnt_on_the_wire_isnt_bumped(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)

    with pytest.raises(NothingToRaise):
        intent_acts.bump(intent_id=intent.pk, by=_by(world))


@pytest.mark.parametrize("state", ["created", "built"])
def test_without_a_nonce_a_withdrawal_ends_it_at_once(world: World, state: str) -> None:
    world.admit(123)
    intent = way.owe(world)
    if state == "built":
        world.switch.empty()
        way.drain(world)

    intent_acts.cancel(intent_id=intent.pk, by=_by(world, reason="a mistake"))
    way.drain(world)

    ended = way.fresh(intent)
    assert (ended.status, ended.nonce, ended.failure_code) == (IntentStatus.CANCELED, None, "WITHDRAWN: a mistake")
    assert (ended.order.status, ended.order.leg.settled_at) == (OrderStatus.CANCELED, world.now)
    assert (TxSend.objects.count(), way.nonces(world)) == (0, (0, 0))
    assert _audited("intent.cancel").after == {"status": "CANCELED", "cancel_reason": ""}


class _Slow:
    """A chain during whose simulation something else happens."""

    def __init__(self, chain: Any, meanwhile: Callable[[], object]) -> None:
        self._chain, self._meanwhile = chain, meanwhile

    def __getattr__(self, name: str) -> Any:
        if name == "simulate":
            self._meanwhile()
        return getattr(self._chain, name)


def test_what_is_withdrawn_while_it_is_built_stays_withdrawn(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    chain = _Slow(world.desk.chain, lambda: intent_acts.cancel(intent_id=intent.pk, by=_by(world)))
    world.desk = replace(world.desk, chain=chain)

    way.drain(world)

    assert (way.fresh(intent).status, way.nonces(world)) == (IntentStatus.CANCELED, (0, 0))


def test_on_the_wire_a_withdrawal_is_a_cancellation_on_the_same_nonce(world: World) -> None:
    world.admit(123)
    intent = way.send(world)

    intent_acts.cancel(intent_id=intent.pk, by=_by(world, reason="a mistake"))
    way.drain(world)
    offered = _purposes()
    way.settle(world, blocks=9)

    ended = way.fresh(intent)
    assert offered == [Purpose.CALL, Purpose.CANCELLATION]
    assert (ended.status, ended.failure_code, ended.nonce) == (IntentStatus.CANCELED, "WITHDRAWN: a mistake", 0)
    assert (ended.order.status, way.nonces(world)) == (OrderStatus.CANCELED, (1, 1))
    assert not Position.objects.exists()
    kinds = Event.objects.filter(subject=f"txintent:{intent.pk}").order_by("pk").values_list("kind", flat=True)
    assert "intent.withdrawn" in kinds


def test_a_higher_nonce_is_canceled_once_it_is_the_lowest(world: World) -> None:
    world.admit(123)
    lowest, other = (way.owe(world) for _ in range(2))
    way.drain(world)

    intent_acts.cancel(intent_id=other.pk, by=_by(world))
    way.drain(world)
    offered = _purposes()
    # The lowest is mined; the other is forgotten before each block, until a cancellation is offered.
    world.rpc.call("anvil_dropAllTransactions")
    world.rpc.call("eth_sendRawTransaction", TxSend.objects.get(intent=lowest).raw)
    while len(_purposes()) == 2:
        world.mine()
        way.index(world)
        way.drain(world)
        world.rpc.call("anvil_dropAllTransactions")
    way.settle(world, blocks=9)

    assert offered == [Purpose.CALL, Purpose.CALL]
    assert (way.fresh(lowest).status, way.fresh(other).status) == (IntentStatus.FINAL, IntentStatus.CANCELED)
    assert way.nonces(world) == (2, 2)


def test_what_a_node_refuses_for_now_is_canceled_instead_of_sent_again(world: World, proxy: Node) -> None:
    world.admit(123)
    proxy.refuse("eth_sendRawTransaction", "txpool is full")
    intent = way.send(world)
    assert intent.status == IntentStatus.RETRYING
    proxy.mend()

    intent_acts.cancel(intent_id=intent.pk, by=_by(world))
    way.drain(world)
    world.mine()
    way.settle(world, blocks=9)

    assert _purposes() == [Purpose.CALL, Purpose.CANCELLATION]
    assert (way.fresh(intent).status, way.nonces(world)) == (IntentStatus.CANCELED, (1, 1))


def test_a_reserved_nonce_that_was_never_signed_is_filled_by_a_cancellation(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    way.die(world, "signer", "sign")

    intent_acts.cancel(intent_id=intent.pk, by=_by(world))
    way.drain(world)

    assert (_purposes(), way.fresh(intent).status, way.fresh(intent).nonce) == ([Purpose.CANCELLATION], IntentStatus.SENT, 0)


def test_what_is_mined_is_the_chains(world: World) -> None:
    world.admit(123)
    intent = way.accept(world)
    assert intent.status == IntentStatus.MINED

    for act in (intent_acts.bump, intent_acts.cancel, intent_acts.give_up):
        with pytest.raises(Ended):
            act(intent_id=intent.pk, by=_by(world))

    assert not AuditRow.objects.filter(action__startswith="intent.").exists()


@pytest.mark.parametrize("act", [intent_acts.bump, intent_acts.cancel, intent_acts.give_up])
def test_what_has_ended_is_left_alone(world: World, act: Callable[..., object]) -> None:
    world.admit(123)
    intent = way.owe(world)
    intent_acts.cancel(intent_id=intent.pk, by=_by(world))

    with pytest.raises(Ended):
        act(intent_id=intent.pk, by=_by(world))


def test_it_is_withdrawn_once(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    intent_acts.cancel(intent_id=intent.pk, by=_by(world))

    with pytest.raises(AlreadyWithdrawn):
        intent_acts.cancel(intent_id=intent.pk, by=_by(world))

    assert AuditRow.objects.filter(action="intent.cancel").count() == 1


def test_an_intents_own_ceiling_holds_for_its_offers(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)

    intent_acts.limit(intent_id=intent.pk, ceiling=Wei(3 * GWEI), by=_by(world))

    assert way.fresh(intent).fee_ceiling_wei == Wei(3 * GWEI)
    row = _audited("intent.limit")
    assert (row.before["fee_ceiling_wei"], row.after) == (None, {"fee_ceiling_wei": "3000000000"})
    way.drain(world)
    assert TxSend.objects.get().fee_cap_wei <= Wei(3 * GWEI).times_down(9, 10)


@pytest.mark.parametrize("gwei", [0, 501])
def test_no_ceiling_lies_above_the_settings(world: World, gwei: int) -> None:
    world.admit(123)
    intent = way.owe(world)

    with pytest.raises(LimitOutOfRange):
        intent_acts.limit(intent_id=intent.pk, ceiling=Wei(gwei * GWEI), by=_by(world))

    assert way.fresh(intent).fee_ceiling_wei is None


def test_an_unknown_key_is_refused(world: World) -> None:
    with pytest.raises(VantaError) as refusal:
        intent_acts.find("sig:nobody:1")

    assert refusal.value.code == "INTENT_UNKNOWN"
