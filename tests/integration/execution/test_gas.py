"""Gas money: a sender that ran out goes on when it is filled, and the treasury fills it, once at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from execution.adapters.local_signer import LocalSigner
from execution.domain.intent import IntentKind, IntentStatus
from execution.models import Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import gas, sender_acts, senders
from execution.services.gas import TopUpOpen
from execution.services.sender_acts import NoTreasury
from execution.services.warrants import Warrant
from tests.fakes.node import Node
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Wei
from trading.models import AuditRow, Event

GWEI = 10**9
FLOOR = 500_000_000_000_000
TOP_UP = 10**16
TREASURY_KEY = "0x" + "22" * 32
BALANCE = "eth_getBalance"


def _by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="it is short", at=world.now)


def _own(world: World) -> Sender:
    return Sender.objects.get(address=world.desk.signer.address)


def _give(world: World, wei: int, *, address: str = "") -> None:
    world.rpc.call("anvil_setBalance", address or world.desk.signer.address, hex(wei))


def _balance(world: World, address: str) -> int:
    return int(world.rpc.call("eth_getBalance", address, "latest"), 16)


def _drain(world: World, sender: Sender) -> None:
    assert senders.drain(sender_id=sender.pk, desk=world.desk, clock=world.clock)


@pytest.fixture
def treasury(world: World, settings: Settings) -> Sender:
    """A second sender with money, that may give gas to the first."""
    settings.SIGNER_BENEFICIARIES = (world.desk.signer.address,)
    signer = LocalSigner(TREASURY_KEY)
    signer.reference = "local:1"
    world.desk = replace(world.desk, others=(signer,))
    _give(world, 10**18, address=signer.address)
    senders.enlist(desk=world.desk, at=world.now)
    treasury = Sender.objects.get(address=signer.address)
    sender_acts.appoint(sender_id=treasury.pk, by=_by(world))
    return treasury


def _run_dry(world: World, proxy: Node) -> TxIntent:
    """A sender that a node called too poor."""
    world.admit(123)
    proxy.refuse("eth_sendRawTransaction", "insufficient funds for gas * price + value")
    intent = way.send(world)
    proxy.mend()
    proxy.answer(BALANCE, hex(FLOOR))
    return intent


def test_a_sender_without_gas_money_goes_on_once_it_covers_the_floor_and_what_is_promised(world: World, proxy: Node) -> None:
    intent = _run_dry(world, proxy)
    drained = (way.sender().status, way.sender().status_reason)

    way.wait(world, 6)
    way.drain(world)
    still = way.sender().status
    # The floor alone isn't enough while something is in flight.
    proxy.answer(BALANCE, hex(10**18))
    way.wait(world, 5)
    way.drain(world)

    assert (drained, still) == ((SenderStatus.DRAINING, "not enough gas money"), SenderStatus.DRAINING)
    assert (way.sender().status, way.sender().status_reason, way.sender().balance_wei) == ("ACTIVE", "", Wei(10**18))
    assert way.fresh(intent).status == IntentStatus.SENT
    event = Event.objects.get(kind="sender.active")
    assert event.facts == {"reason": "it has gas money again", "balance_wei": str(10**18)}


def test_its_balance_is_asked_for_at_most_every_five_seconds(world: World, proxy: Node) -> None:
    _run_dry(world, proxy)
    way.drain(world)
    asked = proxy.count(BALANCE)

    for _ in range(4):
        way.wait(world, 1)
        way.drain(world)
    early = proxy.count(BALANCE) - asked
    way.wait(world, 1)
    way.drain(world)

    assert (early, proxy.count(BALANCE) - asked) == (0, 1)


def test_what_a_person_drained_stays_drained(world: World) -> None:
    world.admit(123)
    way.send(world)
    sender_acts.turn(sender_id=way.sender().pk, target=SenderStatus.DRAINING, by=_by(world))

    for _ in range(3):
        way.wait(world, 6)
        way.drain(world)

    assert (way.sender().status, way.sender().gas_looked_at) == (SenderStatus.DRAINING, None)


def test_of_a_sender_with_enough_nobody_is_asked(world: World, proxy: Node) -> None:
    world.admit(123)
    way.send(world)
    asked = proxy.count(BALANCE)

    way.wait(world, 6)
    way.drain(world)

    assert proxy.count(BALANCE) == asked


def test_below_the_floor_a_person_is_told_once_and_again_when_it_is_over(world: World) -> None:
    world.admit(123)
    way.owe(world)
    _give(world, FLOOR - 1)

    with capture_logs() as logs:
        for _ in range(3):
            way.drain(world)
            way.wait(world, 6)
    low = Sender.objects.get().is_gas_low
    _give(world, 10**18)
    way.wait(world, 6)
    way.owe(world)
    way.drain(world)

    (told,) = (entry for entry in logs if entry["event"] == "sender.gas_low" and entry["log_level"] == "error")
    assert (told["balance_wei"], told["floor_wei"], low) == (str(FLOOR - 1), str(FLOOR), True)
    kinds = Event.objects.filter(kind__startswith="sender.gas").order_by("pk").values_list("kind", flat=True)
    assert (list(kinds), Sender.objects.get().is_gas_low) == (["sender.gas_low", "sender.gas_enough"], False)


def test_the_treasury_tops_up_a_sender_below_twice_its_floor(world: World, treasury: Sender) -> None:
    world.admit(123)
    intent = way.owe(world)
    _give(world, FLOOR)
    own = _own(world)

    for _ in range(4):
        _drain(world, own)
        way.wait(world, 3)
    owed = TxIntent.objects.get(kind=IntentKind.TOP_UP)
    for _ in range(9):
        _drain(world, treasury)
        world.mine()
        way.index(world)
    _drain(world, own)

    owed = way.fresh(owed)
    assert (owed.intent_key, owed.target, owed.value_wei) == (f"gas:{own.address}:0", own.address, Wei(TOP_UP))
    assert (owed.status, owed.sender, owed.order) == (IntentStatus.FINAL, treasury, None)
    assert _balance(world, own.address) == FLOOR + TOP_UP
    assert way.fresh(intent).status == IntentStatus.SENT
    assert TxIntent.objects.filter(kind=IntentKind.TOP_UP).count() == 1


def test_without_a_treasury_nothing_is_owed(world: World) -> None:
    world.admit(123)
    way.owe(world)
    _give(world, FLOOR)

    for _ in range(3):
        way.drain(world)
        way.wait(world, 6)

    assert not TxIntent.objects.filter(kind=IntentKind.TOP_UP).exists()


def test_a_person_can_top_up_and_only_one_is_open_at_a_time(world: World, treasury: Sender) -> None:
    own = _own(world)

    first = gas.top_up(sender_id=own.pk, by=_by(world))
    with pytest.raises(TopUpOpen):
        gas.top_up(sender_id=own.pk, by=_by(world))
    for _ in range(10):
        _drain(world, treasury)
        world.mine()
        way.index(world)
    second = gas.top_up(sender_id=own.pk, by=_by(world))

    assert (way.fresh(first).status, second.intent_key) == (IntentStatus.FINAL, f"gas:{own.address}:1")
    assert _balance(world, own.address) == 10**20 + TOP_UP
    rows = AuditRow.objects.filter(action="sender.top_up").order_by("pk").values_list("after", flat=True)
    assert list(rows) == [{"intent_key": f"gas:{own.address}:{number}", "value_wei": str(TOP_UP)} for number in (0, 1)]


def test_the_treasury_tops_up_others_only(world: World, treasury: Sender) -> None:
    with pytest.raises(NoTreasury):
        gas.top_up(sender_id=treasury.pk, by=_by(world))


def test_what_the_signers_policy_refuses_is_tried_again_after_ten_minutes_only(
    world: World, treasury: Sender, settings: Settings
) -> None:
    settings.SIGNER_BENEFICIARIES = ()
    world.desk = replace(world.desk, others=(LocalSigner(TREASURY_KEY),))
    world.admit(123)
    way.owe(world)
    _give(world, FLOOR)
    own = _own(world)
    tried = []

    for pause in (6, 6, 6, 600):
        _drain(world, own)
        way.wait(world, 6)
        _drain(world, own)
        _drain(world, treasury)
        tried.append(TxIntent.objects.filter(kind=IntentKind.TOP_UP).count())
        world.now += timedelta(seconds=pause)
    way.owe(world)
    _drain(world, own)
    tried.append(TxIntent.objects.filter(kind=IntentKind.TOP_UP).count())

    assert tried == [1, 1, 1, 1, 2]
    failed = TxIntent.objects.filter(kind=IntentKind.TOP_UP).order_by("pk").first()
    assert (failed.status, failed.nonce) == (IntentStatus.FAILED, None)
    assert failed.failure_code.startswith("SIGNING_DENIED: to_a_beneficiary")
