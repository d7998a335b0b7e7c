"""The switch that fails, and the emergency stop: nothing new is signed, nothing is papered, what was sent is settled."""

import pytest
from django.test import Client

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxSend
from risk.models import Decision
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Book, Mode
from trading.domain.position import PositionStatus
from trading.domain.signal import SignalStatus
from trading.models import AuditRow, Position, Signal
from trading.services import mode, switching


@pytest.mark.parametrize("trouble", ["down", "empty"])
def test_a_live_signal_waits_while_the_switch_fails_and_goes_on_when_it_is_back(
    world: World, client: Client, trouble: str
) -> None:
    world.admit(123)
    world.switch.is_down = trouble == "down"
    was = world.switch.mode
    if trouble == "empty":
        world.switch.empty()
    answer = world.send(client)
    world.run(rounds=2)
    waiting = TxIntent.objects.get()

    world.switch.is_down, world.switch.mode = False, was
    world.run(rounds=8)

    assert answer.status_code == 202
    assert (waiting.book, waiting.status, waiting.blocked_reason) == (Book.LIVE, IntentStatus.BUILT, "mode")
    assert Position.objects.get().book == Book.LIVE
    assert (TxIntent.objects.get().status, way.nonces(world)) == (IntentStatus.FINAL, (1, 1))


def test_a_switch_that_just_came_back_isnt_believed_at_once(world: World, client: Client) -> None:
    world.admit(123)
    way.owe(world)
    world.switch.is_down = True
    way.drain(world)
    world.switch.is_down = False

    way.wait(world, 1)
    # Its first two healthy looks are this drain's.
    way.drain(world)

    assert TxIntent.objects.get().status == IntentStatus.BUILT
    assert not TxSend.objects.exists()


def test_an_emergency_stop_denies_what_comes_and_settles_what_was_sent(world: World, client: Client) -> None:
    trader = world.admit(123)
    sent = way.send(world)
    mode.stop_everything(switch=world.switch, actor="test", origin="console", reason="drill", at=world.now)

    world.send(client, signal_id="after")
    world.send(client, signal_id="exit", side="CLOSE")
    world.run(rounds=5)

    denied, exit_signal = Signal.objects.get(signal_id="after"), Signal.objects.get(signal_id="exit")
    assert (denied.status, Decision.objects.get(signal=denied).code) == (SignalStatus.DENIED, "EMERGENCY_STOP")
    assert Decision.objects.get(signal=denied).checks
    assert not Order.objects.filter(leg__decision__signal=denied).exists()
    # What was on the wire isn't forgotten.
    assert (way.fresh(sent).status, way.fresh(sent).order.status) == (IntentStatus.FINAL, OrderStatus.FILLED)
    assert Position.objects.get(trader=trader).status == PositionStatus.OPEN
    # The exit came while the entry was on the wire: it waited for it, and now for its signature.
    assert Decision.objects.get(signal=exit_signal).verdict == "APPROVED"
    waiting = TxIntent.objects.get(order__leg__decision__signal=exit_signal)
    assert (waiting.nonce, waiting.blocked_reason) == (None, "mode")
    assert way.nonces(world) == (1, 1)
    assert AuditRow.objects.filter(action="mode.change", after__emergency_stop=True).count() == 1


def test_a_stop_that_comes_after_the_decision_keeps_the_signature_back(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    mode.stop_everything(switch=world.switch, actor="test", origin="console", reason="drill", at=world.now)

    way.drain(world)
    stopped = way.fresh(intent)
    mode.lift_stop(switch=world.switch, actor="test", reason="over", at=world.now)
    way.wait(world, 1)
    way.drain(world)

    assert (stopped.status, stopped.nonce, stopped.blocked_reason) == (IntentStatus.BUILT, None, "mode")
    assert way.fresh(intent).status == IntentStatus.SENT


def test_an_exit_received_while_stopped_waits_unsigned_and_goes_on_once_the_stop_is_lifted(world: World, client: Client) -> None:
    world.admit(123)
    way.fill(world)
    mode.stop_everything(switch=world.switch, actor="test", origin="console", reason="drill", at=world.now)
    world.send(client, signal_id="exit", side="CLOSE")
    world.run(rounds=20)
    waiting = TxIntent.objects.get(intent_key="sig:test:exit")
    sends = TxSend.objects.filter(intent=waiting).count()

    mode.lift_stop(switch=world.switch, actor="test", reason="over", at=world.now)
    world.run(rounds=8)

    assert Decision.objects.get(signal__signal_id="exit").verdict == "APPROVED"
    assert (waiting.book, waiting.nonce, waiting.blocked_reason, sends) == (Book.LIVE, None, "mode", 0)
    assert Position.objects.get().status == PositionStatus.CLOSED
    assert way.nonces(world) == (2, 2)


@pytest.mark.parametrize("trouble", ["down", "empty", "DRY"])
def test_a_live_exit_waits_out_any_outage_and_is_never_papered(world: World, trouble: str) -> None:
    """An entry would have expired long before: a stop-loss that fires is owed for as long as it takes."""
    world.admit(123)
    way.fill(world)
    if trouble == "DRY":
        mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)
    world.switch.is_down = trouble == "down"
    if trouble == "empty":
        world.switch.empty()
    close = way.owe(world, side="CLOSE")
    for _ in range(6):
        way.wait(world, 60)
        world.work()
    waiting = way.fresh(close)

    world.switch.is_down = False
    switching.watch(switch=world.switch, at=world.now)
    mode.switch_to(mode=Mode.LIVE, switch=world.switch, actor="test", reason="", at=world.now)
    world.run(rounds=8)

    assert (waiting.book, waiting.nonce, waiting.blocked_reason) == (Book.LIVE, None, "mode")
    assert way.fresh(close).status == IntentStatus.FINAL
    assert Position.objects.get().status == PositionStatus.CLOSED
