"""Homes: a trader's orders stay with one sender, and move to another of his only when nothing is under way."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from execution.adapters.local_signer import LocalSigner
from execution.domain.intent import IntentStatus
from execution.models import Delegation, Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import onboarding, sender_acts, senders
from execution.services.onboarding import NoSender
from execution.services.warrants import Warrant
from tests.scenario import way
from tests.scenario.world import World
from trading.models import Event, Trader

LEFT = (SenderStatus.DRAINING, SenderStatus.QUARANTINED)


@pytest.fixture
def other(world: World) -> Sender:
    """A second sender, its key at hand."""
    signer = LocalSigner("0x" + "22" * 32)
    signer.reference = "local:1"
    world.desk = replace(world.desk, others=(signer,))
    world.rpc.call("anvil_setBalance", signer.address, hex(10**20))
    senders.enlist(desk=world.desk, at=world.now)
    return Sender.objects.get(address=signer.address)


def _first(world: World) -> Sender:
    return Sender.objects.get(address=world.desk.signer.address)


def _stands(sender: Sender, status: SenderStatus) -> None:
    Sender.objects.filter(pk=sender.pk).update(status=status)


def _delegate(trader: Trader, sender: Sender, *, until: datetime) -> None:
    Delegation.objects.create(trader=trader, sender=sender, expires_at=until, is_home=False, checked_at=until)


def _home(trader: Trader) -> Sender:
    return Delegation.objects.get(trader=trader, is_home=True).sender


@pytest.mark.parametrize("status", LEFT)
def test_a_trader_moves_to_another_of_his_senders_when_his_home_is_out_of_work(
    world: World, other: Sender, status: SenderStatus
) -> None:
    trader = world.admit(123)
    home = _first(world)
    _delegate(trader, other, until=world.now + timedelta(days=1))
    _stands(home, status)

    intent = way.owe(world)

    assert (intent.sender, _home(trader)) == (other, other)
    assert Delegation.objects.filter(trader=trader).count() == 2
    event = Event.objects.get(kind="trader.rehomed")
    assert event.subject == f"trader:{trader.pk}"
    assert event.facts == {"source": home.address, "target": other.address, "reason": status}


def test_with_something_under_way_he_stays(world: World, other: Sender) -> None:
    trader = world.admit(123)
    home = _first(world)
    _delegate(trader, other, until=world.now + timedelta(days=1))
    open_one = way.owe(world)
    _stands(home, SenderStatus.DRAINING)

    stays = way.owe(world)
    TxIntent.objects.filter(pk__in=[open_one.pk, stays.pk]).update(
        status=IntentStatus.EXPIRED, closed_at=world.now, next_action_at=None
    )
    moves = way.owe(world)

    assert [intent.sender for intent in (open_one, stays, moves)] == [home, home, other]


def test_another_traders_open_intent_holds_nobody(world: World, other: Sender) -> None:
    trader = world.admit(123)
    world.admit(124)
    Delegation.objects.filter(trader__tg_user_id=124).update(sender=_first(world))
    _delegate(trader, other, until=world.now + timedelta(days=1))
    way.owe(world, tg_user_id=124)
    _stands(_first(world), SenderStatus.DRAINING)

    assert way.owe(world).sender == other


@pytest.mark.parametrize("why", ["expired", "not active", "treasury", "none"])
def test_without_another_sender_he_stays(world: World, other: Sender, why: str) -> None:
    trader = world.admit(123)
    home = _first(world)
    if why != "none":
        _delegate(trader, other, until=world.now + timedelta(days=-1 if why == "expired" else 1))
    if why == "not active":
        _stands(other, SenderStatus.PAUSED)
    if why == "treasury":
        Sender.objects.filter(pk=other.pk).update(is_treasury=True)
    _stands(home, SenderStatus.DRAINING)

    assert (way.owe(world).sender, _home(trader)) == (home, home)
    assert not Event.objects.filter(kind="trader.rehomed").exists()


@pytest.mark.parametrize("status", [SenderStatus.ACTIVE, SenderStatus.PAUSED])
def test_a_home_that_works_or_comes_back_soon_is_kept(world: World, other: Sender, status: SenderStatus) -> None:
    trader = world.admit(123)
    _delegate(trader, other, until=world.now + timedelta(days=1))
    _stands(_first(world), status)

    assert way.owe(world).sender == _first(world)


def test_new_traders_are_spread_over_the_active_senders(world: World, other: Sender) -> None:
    homes = [_home(world.admit(each)) for each in (201, 202, 203)]
    _stands(_first(world), SenderStatus.DRAINING)
    homes.append(_home(world.admit(204)))

    assert homes == [_first(world), other, _first(world), other]


def test_who_has_a_home_keeps_it_when_he_is_admitted_again(world: World, other: Sender) -> None:
    trader = world.admit(201)
    _stands(_first(world), SenderStatus.PAUSED)

    assert world.admit(201) == trader
    assert (_home(trader), Delegation.objects.count()) == (_first(world), 1)


def test_his_delegation_is_asked_for_with_the_sender_that_he_got(world: World, other: Sender) -> None:
    world.admit(201)
    trader = world.admit(202)

    until = onboarding.look(trader.address, delegate=other.address, desk=world.desk).delegated_until
    stranger = onboarding.look(trader.address, delegate=_first(world).address, desk=world.desk).delegated_until

    assert (until, stranger) == (Delegation.objects.get(trader=trader).expires_at, None)


def test_nobody_is_admitted_while_no_sender_is_active(world: World) -> None:
    sender_acts.turn(sender_id=way.sender().pk, target=SenderStatus.DRAINING, by=Warrant(actor="ada", reason="why", at=world.now))

    with pytest.raises(NoSender):
        world.admit(205)

    assert not Trader.objects.exists()


def test_the_treasury_gets_no_traders_and_no_paper(world: World, other: Sender) -> None:
    Sender.objects.filter(pk=_first(world).pk).update(is_treasury=True)

    assert _home(world.admit(206)) == other
    Delegation.objects.all().delete()
    assert way.owe(world, tg_user_id=206).sender == other
