"""`manage.py sender ...` and `manage.py intent ...`: each act from the command line, and refusals in one line."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from execution import conf
from execution.domain.intent import Blocked, IntentStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.sender import SenderStatus
from tests.factories.execution import SenderFactory
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Wei
from trading.models import AuditRow

WHY = ("--reason", "a drill")
GWEI = 10**9


@pytest.fixture(autouse=True)
def _desk_of_its_own() -> Iterator[None]:
    """The process's own desk, made anew."""
    conf.desk.cache_clear()
    yield
    conf.desk.cache_clear()


def _told(command: str, *arguments: str) -> str:
    said = StringIO()
    call_command(command, *arguments, stdout=said)
    return said.getvalue()


def _refused(command: str, *arguments: str) -> str:
    with pytest.raises(CommandError) as refusal:
        _told(command, *arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_senders_are_listed_with_how_they_stand(world: World) -> None:
    address = way.sender().address

    assert _told("sender", "list") == (
        f"sender {address} ACTIVE, next nonce 0, window 16 of 64, ceiling 500000000000 wei, floor 500000000000000 wei\n"
    )


def test_a_sender_is_paused_drained_and_resumed(world: World) -> None:
    address = way.sender().address
    said = [_told("sender", act, address, *WHY).split(", ")[0] for act in ("pause", "drain", "resume")]

    who = re.escape(AuditRow.objects.filter(action="sender.turn").first().actor)
    assert re.fullmatch(rf"sender {address} PAUSED \({who}: a drill\)", said[0])
    assert said[2] == f"sender {address} ACTIVE"
    assert who.startswith(re.escape("command line: "))
    assert AuditRow.objects.filter(action="sender.turn", reason="a drill").count() == 3


@pytest.mark.parametrize("act", ["pause", "drain", "resume", "release", "rebroadcast", "limits", "top-up", "treasury"])
def test_every_act_needs_a_reason(world: World, act: str) -> None:
    assert _refused("sender", act).endswith("(REASON_MISSING)")
    assert not AuditRow.objects.filter(action__startswith="sender.").exclude(action="sender.enlist").exists()


def test_with_several_senders_the_address_must_be_said(world: World) -> None:
    SenderFactory()

    assert _refused("sender", "pause", *WHY) == "say which sender: manage.py sender list shows their addresses"
    assert _refused("sender", "pause", "0x" + "99" * 20, *WHY).endswith("(SENDER_UNKNOWN)")


def test_a_calm_report_ends_well(world: World) -> None:
    world.admit(123)
    way.send(world)

    said = _told("sender", "report").splitlines()

    assert "  ok       gaps: none (expected none)" in said
    assert "  ok       mined and in the pool: 1 (expected 1)" in said
    assert [line for line in said if "differs" in line] == []


def test_a_report_that_differs_says_so_and_fails(world: World) -> None:
    Sender.objects.update(next_nonce=1)
    address = way.sender().address

    out = StringIO()
    with pytest.raises(CommandError, match=f"^rows and chain differ: {address}$"):
        call_command("sender", "report", address, stdout=out)

    assert "  differs  gaps: 0 (expected none)" in out.getvalue().splitlines()


def test_a_sender_is_released(world: World) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a test")

    _told("sender", "release", *WHY)

    assert way.sender().status == SenderStatus.ACTIVE


def test_a_count_that_nobody_proves_is_refused(world: World) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a test")

    assert _refused("sender", "release", "--adopt-count", "3", *WHY).endswith("(COUNT_UNPROVEN)")
    assert (way.sender().next_nonce, way.sender().status) == (0, SenderStatus.QUARANTINED)


def test_limits_are_set_in_gwei_and_wei(world: World) -> None:
    _told("sender", "limits", "--ceiling-gwei", "7", "--gas-floor-wei", "9", "--max-in-flight", "8", *WHY)

    sender = way.sender()
    assert (sender.fee_ceiling_wei, sender.gas_floor_wei) == (Wei(7 * GWEI), Wei(9))
    assert (sender.max_in_flight, sender.window_size) == (8, 8)
    assert _refused("sender", "limits", *WHY).endswith("(LIMIT_OUT_OF_RANGE)")


def test_a_rebroadcast_says_what_the_nodes_answered(world: World) -> None:
    world.admit(123)
    way.send(world)

    said = _told("sender", "rebroadcast", *WHY)

    assert said.splitlines()[0] == "1 accepted"
    assert TxSend.objects.get().times_sent == 2


def test_gas_is_owed_by_the_treasury(world: World) -> None:
    own, treasury = way.sender(), SenderFactory()
    assert _refused("sender", "top-up", own.address, *WHY).endswith("(TREASURY)")

    _told("sender", "treasury", treasury.address, *WHY)
    said = _told("sender", "top-up", own.address, *WHY)

    assert said.splitlines()[0] == f"gas:{own.address}:0: {10**16} wei"
    assert TxIntent.objects.get().sender == treasury
    assert _refused("sender", "top-up", own.address, *WHY).endswith("(TOP_UP_OPEN)")


def test_an_intent_is_shown_with_every_offer(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    send = TxSend.objects.get()

    said = _told("intent", "show", intent.intent_key).splitlines()

    assert said == [
        f"{intent.intent_key} OPEN LIVE SENT, nonce 0 of {way.sender().address}",
        f"  1 CALL SENT {send.tx_hash}, cap {send.fee_cap_wei} wei, tip {send.tip_cap_wei} wei, sent 1 times",
    ]


def test_an_intent_is_bumped_limited_and_canceled(world: World) -> None:
    world.admit(123)
    intent = way.send(world)

    _told("intent", "bump", intent.intent_key, *WHY)
    _told("intent", "limit", intent.intent_key, "--ceiling-gwei", "400", *WHY)
    said = _told("intent", "cancel", intent.intent_key, *WHY)

    assert "SENT (WITHDRAWN: a drill), nonce 0" in said
    assert way.fresh(intent).fee_ceiling_wei == Wei(400 * GWEI)
    actions = AuditRow.objects.filter(action__startswith="intent.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["intent.bump", "intent.limit", "intent.cancel"]


def test_an_intent_without_a_nonce_is_canceled_at_once(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)

    said = _told("intent", "cancel", intent.intent_key, *WHY)

    assert said.startswith(f"{intent.intent_key} OPEN LIVE CANCELED (WITHDRAWN: a drill), nonce none")
    assert _refused("intent", "cancel", intent.intent_key, *WHY).endswith("(INTENT_ENDED)")


def test_what_something_else_has_used_is_given_up(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    assert _refused("intent", "give-up", intent.intent_key, *WHY).endswith("(INTENT_MAY_BE_MINED)")
    TxIntent.objects.update(blocked_reason=Blocked.NONCE, doubted_at_block=1)

    said = _told("intent", "give-up", intent.intent_key, *WHY)

    assert said.startswith(f"{intent.intent_key} OPEN LIVE CANCELED (NONCE_USED_ELSEWHERE: a drill), nonce 0")


@pytest.mark.parametrize("act", ["bump", "cancel", "limit", "give-up"])
def test_nobody_acts_on_an_intent_without_a_reason(world: World, act: str) -> None:
    world.admit(123)
    intent = way.owe(world)

    assert _refused("intent", act, intent.intent_key).endswith("(REASON_MISSING)")
    assert way.fresh(intent).status == IntentStatus.CREATED


def test_an_unknown_intent_is_refused(world: World) -> None:
    assert _refused("intent", "show", "sig:nobody:1") == "no intent has the key sig:nobody:1 (INTENT_UNKNOWN)"
