"""What people do with a sender: pause, drain, resume, limit, rebroadcast, appoint."""

import pytest
from pytest_django.fixtures import Settings

from execution.domain.intent import IntentStatus
from execution.models import Delegation, Sender, TxSend
from execution.models.sender import SenderStatus
from execution.services import sender_acts
from execution.services.sender_acts import (
    LaneBusy,
    LimitOutOfRange,
    Limits,
    NothingSent,
    NoTreasury,
    UnknownSender,
    WrongStatus,
)
from execution.services.warrants import Warrant
from tests.factories.execution import SenderFactory
from tests.fakes import doorbell
from tests.scenario import way
from tests.scenario.world import World
from trading import lanes
from trading.domain.units import Wei
from trading.models import AuditRow, Event

GWEI = 10**9
ACTIVE, DRAINING, PAUSED, QUARANTINED = SenderStatus


def _by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="maintenance", at=world.now)


def _turn(world: World, target: SenderStatus) -> None:
    sender_acts.turn(sender_id=way.sender().pk, target=target, by=_by(world))


@pytest.mark.parametrize("target", [PAUSED, DRAINING])
def test_a_sender_out_of_work_takes_no_new_nonce_until_it_goes_on(world: World, target: SenderStatus) -> None:
    world.admit(123)
    intent = way.owe(world)

    _turn(world, target)
    way.drain(world)
    waiting = (way.fresh(intent).status, way.fresh(intent).blocked_reason, way.sender().status_reason)
    _turn(world, ACTIVE)
    way.wait(world, 1)
    way.drain(world)

    assert waiting == (IntentStatus.CREATED, "sender", "ada: maintenance")
    assert (way.fresh(intent).status, way.sender().status_reason) == (IntentStatus.SENT, "")
    kinds = Event.objects.filter(subject=f"sender:{way.sender().pk}").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [f"sender.{target.lower()}", "sender.active"]
    paused, resumed = AuditRow.objects.filter(action="sender.turn").order_by("pk")
    assert (paused.before["status"], paused.after["status"], paused.actor) == ("ACTIVE", target, "ada")
    assert (resumed.before["status"], resumed.after) == (target, {"status": "ACTIVE", "status_reason": ""})


def test_what_a_paused_sender_has_sent_is_carried_to_its_end(world: World) -> None:
    world.admit(123)
    intent = way.send(world)

    _turn(world, PAUSED)
    way.settle(world, blocks=9)

    assert (way.fresh(intent).status, way.sender().status) == (IntentStatus.FINAL, PAUSED)


@pytest.mark.parametrize(
    ("status", "target"),
    [
        *((QUARANTINED, target) for target in (ACTIVE, DRAINING, PAUSED)),
        *((status, status) for status in (ACTIVE, DRAINING, PAUSED)),
    ],
)
def test_a_sender_isnt_taken_where_it_cant_go(world: World, status: SenderStatus, target: SenderStatus) -> None:
    Sender.objects.update(status=status, status_reason="why")

    with pytest.raises(WrongStatus):
        _turn(world, target)

    assert (way.sender().status, way.sender().status_reason) == (status, "why")
    assert not AuditRow.objects.filter(action="sender.turn").exists()


def _limit(world: World, **limits: object) -> None:
    sender_acts.limit(sender_id=way.sender().pk, limits=Limits(**limits), by=_by(world))


def test_limits_are_set_and_the_window_is_cut_down_with_the_most(world: World) -> None:
    _limit(world, fee_ceiling_wei=Wei(7 * GWEI), gas_floor_wei=Wei(5), max_in_flight=4)

    sender = way.sender()
    assert (sender.fee_ceiling_wei, sender.gas_floor_wei) == (Wei(7 * GWEI), Wei(5))
    assert (sender.max_in_flight, sender.window_size, sender.window_threshold) == (4, 4, 4)
    row = AuditRow.objects.get(action="sender.limit")
    assert row.after == {"fee_ceiling_wei": "7000000000", "gas_floor_wei": "5", "max_in_flight": 4}
    assert row.before == {"fee_ceiling_wei": "500000000000", "gas_floor_wei": "500000000000000", "max_in_flight": 64}


def test_a_limit_that_isnt_given_stays(world: World) -> None:
    _limit(world, max_in_flight=32)

    sender = way.sender()
    assert (sender.fee_ceiling_wei, sender.max_in_flight, sender.window_size) == (Wei(500 * GWEI), 32, 16)


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"fee_ceiling_wei": Wei(500 * GWEI + 1)},
        {"fee_ceiling_wei": Wei(0)},
        {"gas_floor_wei": Wei(-1)},
        {"max_in_flight": 0},
        {"max_in_flight": 65},
    ],
)
def test_a_limit_outside_of_the_settings_is_refused(world: World, limits: dict[str, object]) -> None:
    before = Sender.objects.values().get()

    with pytest.raises(LimitOutOfRange):
        _limit(world, **limits)

    assert Sender.objects.values().get() == before


def test_a_rebroadcast_sends_the_same_bytes_at_once(world: World) -> None:
    world.admit(123)
    intents = [way.owe(world) for _ in range(2)]
    way.drain(world)
    world.rpc.call("anvil_dropAllTransactions")
    doorbell.clear()

    answers = sender_acts.rebroadcast(sender_id=way.sender().pk, desk=world.desk, clock=world.clock, by=_by(world))
    rung = doorbell.heard()
    world.mine()

    assert answers == {"accepted": 2}
    assert list(TxSend.objects.values_list("times_sent", flat=True)) == [2, 2]
    assert {way.fresh(intent).status for intent in intents} == {IntentStatus.SENT}
    assert (way.nonces(world), rung) == ((2, 2), [("intent.created", way.sender().pk)])
    assert AuditRow.objects.get(action="sender.rebroadcast").after == {"accepted": 2}


def test_with_nothing_on_the_wire_there_is_nothing_to_rebroadcast(world: World) -> None:
    with pytest.raises(NothingSent):
        sender_acts.rebroadcast(sender_id=way.sender().pk, desk=world.desk, clock=world.clock, by=_by(world))


def test_a_lane_at_work_isnt_disturbed(world: World) -> None:
    world.admit(123)
    way.send(world)
    seen: list[type] = []

    def meanwhile(_: lanes.Lease) -> None:
        if seen:
            return
        with pytest.raises(LaneBusy) as refusal:
            sender_acts.rebroadcast(sender_id=way.sender().pk, desk=world.desk, clock=world.clock, by=_by(world))
        seen.append(refusal.type)

    lanes.drain(Sender, way.sender().pk, meanwhile)

    assert (seen, TxSend.objects.get().times_sent) == ([LaneBusy], 1)


def test_a_sender_is_found_by_its_address_however_it_is_written(world: World) -> None:
    assert sender_acts.find(way.sender().address.lower()) == way.sender()

    with pytest.raises(UnknownSender):
        sender_acts.find("0x" + "99" * 20)


def test_the_treasury_is_a_sender_that_nobody_trades_through(world: World, settings: Settings) -> None:
    world.admit(123)
    home, other, third = way.sender(), SenderFactory(), SenderFactory()

    with pytest.raises(NoTreasury):
        sender_acts.appoint(sender_id=home.pk, by=_by(world))
    sender_acts.appoint(sender_id=other.pk, by=_by(world))
    with pytest.raises(NoTreasury):
        sender_acts.appoint(sender_id=third.pk, by=_by(world))

    assert list(Sender.objects.order_by("pk").values_list("is_treasury", flat=True)) == [False, True, False]
    assert AuditRow.objects.filter(action="sender.appoint").count() == 1
    assert not Delegation.objects.filter(sender=other).exists()
