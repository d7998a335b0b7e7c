"""Reserving: who gets a nonce, in which order, and who waits for what."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest
from pytest_django.fixtures import Settings

from execution.adapters.local_signer import LocalSigner
from execution.domain.intent import IntentStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.sender import SenderStatus
from tests.fakes.switch import Switch
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Mode, SwitchReading
from trading.services import mode


def _places(intents: Iterable[TxIntent]) -> list[tuple[str, int | None, str]]:
    found = [way.fresh(intent) for intent in intents]
    return [(intent.status, intent.nonce, intent.blocked_reason) for intent in found]


def test_nonces_are_given_one_after_the_other(world: World) -> None:
    world.admit(123)
    first = way.sender().next_nonce
    intents = [way.owe(world) for _ in range(4)]

    way.drain(world)

    assert _places(intents) == [(IntentStatus.SENT, first + each, "") for each in range(4)]
    assert way.sender().next_nonce == first + 4


def test_an_exit_goes_before_the_entries_that_came_earlier(world: World) -> None:
    world.admit(123)
    way.fill(world)
    entry = way.owe(world)
    exit_ = way.owe(world, side="CLOSE")

    way.drain(world)

    assert _places([exit_, entry]) == [(IntentStatus.SENT, 1, ""), (IntentStatus.SENT, 2, "")]


def test_no_more_are_in_flight_than_the_sender_may_have(world: World) -> None:
    world.admit(123)
    Sender.objects.update(window_size=2)
    intents = [way.owe(world) for _ in range(4)]

    way.drain(world)
    crowded = _places(intents)
    world.mine()
    way.drain(world)
    way.wait(world, 1)
    way.drain(world)

    waiting = (IntentStatus.CREATED, None, "in-flight cap")
    assert crowded == [(IntentStatus.SENT, 0, ""), (IntentStatus.SENT, 1, ""), waiting, waiting]
    assert [nonce for _, nonce, _ in _places(intents)] == [0, 1, 2, 3]


def test_a_trader_has_no_more_orders_with_the_keeper_than_the_venue_takes(world: World, settings: Settings) -> None:
    settings.VENUE_MAX_PENDING_ORDERS = 2
    world.admit(123)
    world.admit(124)
    own = [way.owe(world) for _ in range(3)]
    other = way.owe(world, tg_user_id=124)

    way.drain(world)

    assert _places([*own, other]) == [
        (IntentStatus.SENT, 0, ""),
        (IntentStatus.SENT, 1, ""),
        (IntentStatus.CREATED, None, "venue's limit of pending orders"),
        (IntentStatus.SENT, 2, ""),
    ]


def test_while_the_mode_isnt_live_nothing_is_signed(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    world.switch.mode = Mode.DRY

    way.drain(world)

    assert _places([intent]) == [(IntentStatus.BUILT, None, "mode")]
    assert not TxSend.objects.exists()
    assert way.nonces(world) == (0, 0)


@pytest.mark.parametrize("trouble", ["down", "empty", "stop"])
def test_a_switch_that_cant_be_believed_signs_nothing(world: World, trouble: str) -> None:
    world.admit(123)
    intent = way.owe(world)
    world.switch.is_down = trouble == "down"
    world.switch.stop = trouble == "stop"
    if trouble == "empty":
        world.switch.empty()

    way.drain(world)

    assert _places([intent]) == [(IntentStatus.BUILT, None, "mode")]
    assert not TxSend.objects.exists()


def test_the_databases_latch_stops_whatever_the_switch_says(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    mode.stop_everything(switch=Switch(), actor="test", origin="test", reason="", at=world.now)

    way.drain(world)

    assert _places([intent]) == [(IntentStatus.BUILT, None, "mode")]


@pytest.mark.parametrize("status", [SenderStatus.PAUSED, SenderStatus.DRAINING, SenderStatus.QUARANTINED])
def test_a_sender_that_isnt_active_gets_no_new_nonce(world: World, status: SenderStatus) -> None:
    world.admit(123)
    intent = way.owe(world)
    Sender.objects.update(status=status)

    way.drain(world)
    waiting = _places([intent])
    Sender.objects.update(status=SenderStatus.ACTIVE)
    way.wait(world, 1)
    way.drain(world)

    assert waiting == [(IntentStatus.CREATED, None, "sender")]
    assert _places([intent]) == [(IntentStatus.SENT, 0, "")]


class _Fickle(Switch):
    """LIVE at the first look, DRY at the second."""

    def read(self, *, doubted_until: datetime | None = None) -> SwitchReading:
        reading = super().read(doubted_until=doubted_until)
        self.mode = Mode.DRY
        return reading


def test_the_mode_is_asked_again_right_before_the_signature(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    # Deciding took its own look; now the first is for reserving.
    world.desk = type(world.desk)(chain=world.desk.chain, venue=world.desk.venue, signer=world.desk.signer, switch=_Fickle())

    way.drain(world)

    assert _places([intent]) == [(IntentStatus.SENDING, 0, "mode")]
    assert not TxSend.objects.exists()


def test_a_parked_nonce_goes_on_when_the_mode_is_back(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    live = world.desk
    world.desk = type(live)(chain=live.chain, venue=live.venue, signer=live.signer, switch=_Fickle())
    way.drain(world)
    world.desk = live

    way.wait(world, 1)
    way.drain(world)
    world.mine()

    assert _places([intent]) == [(IntentStatus.SENT, 0, "")]
    assert way.nonces(world) == (1, 1)


def test_an_entry_that_waited_past_its_deadline_expires_without_a_nonce(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    world.switch.mode = Mode.DRY
    way.drain(world)

    way.wait(world, 61)
    world.switch.mode = Mode.LIVE
    way.drain(world)

    assert _places([intent]) == [(IntentStatus.EXPIRED, None, "")]
    assert way.nonces(world) == (0, 0)


def test_another_key_signs_nothing_for_a_sender(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    own = world.desk
    world.desk = replace(own, signer=LocalSigner("0x" + "22" * 32))

    way.drain(world)

    assert _places([intent])[0][1:] == (None, "sender")
    assert (TxSend.objects.count(), way.nonces(world)) == (0, (0, 0))


def test_a_nonce_reserved_under_the_right_key_waits_for_it(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    own = world.desk
    world.desk = replace(own, signer=way.Doomed(own.signer, "sign"))
    with pytest.raises(way.Killed):
        way.drain(world)
    world.desk = replace(own, signer=LocalSigner("0x" + "22" * 32))

    way.drain(world)
    parked = _places([intent])
    world.desk = own
    way.wait(world, 1)
    way.drain(world)

    assert parked == [(IntentStatus.SENDING, 0, "sender")]
    assert _places([intent]) == [(IntentStatus.SENT, 0, "")]
