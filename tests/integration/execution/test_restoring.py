"""Restoring: a database that isn't the one that was last confirmed signs nothing until people have looked."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from structlog.testing import capture_logs

from execution.adapters.accounts import DeskAccounts
from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import DatabaseIdentity, Sender, TxIntent, TxSend
from execution.models.sender import SenderStatus
from execution.services import releasing, restoring
from execution.services.warrants import Warrant
from risk.models import Leg
from risk.services import decisions
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.signal import SignalStatus
from trading.models import AuditRow, Event, ModeState, Signal
from trading.services import mode


def _by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="compared them", at=world.now)


def _start(world: World) -> bool:
    """What each process does first."""
    return restoring.check(switch=world.switch, at=world.now)


def _restore(world: World) -> None:
    """The rows are now in another cluster."""
    _start(world)
    DatabaseIdentity.objects.update(system_identifier="1")


def _release(world: World) -> None:
    releasing.release(sender_id=way.sender().pk, adopt_count=None, desk=world.desk, by=_by(world))


def _lift(world: World) -> None:
    mode.lift_stop(switch=world.switch, actor="ada", reason="compared them", at=world.now)


def _stands() -> tuple[bool, str, str]:
    state = ModeState.objects.get(pk=1)
    return state.emergency_stop, state.stopped_by, way.sender().status


def test_a_new_desks_first_database_is_confirmed_as_it_is(world: World) -> None:
    assert _start(world) is True

    with connection.cursor() as cursor:
        cursor.execute("SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint()")
        said = cursor.fetchone()
    row = DatabaseIdentity.objects.get()
    assert (row.system_identifier, row.timeline) == said
    assert _stands() == (False, "", SenderStatus.ACTIVE)


def test_the_same_database_starts_as_often_as_it_likes(world: World) -> None:
    _start(world)

    assert [_start(world) for _ in range(3)] == [True] * 3
    assert _stands() == (False, "", SenderStatus.ACTIVE)
    assert not AuditRow.objects.filter(action="database.restored").exists()


@pytest.mark.parametrize("change", [{"system_identifier": "1"}, {"timeline": 0}])
def test_another_database_starts_stopped_and_in_quarantine(world: World, change: dict[str, object]) -> None:
    _start(world)
    known = DatabaseIdentity.objects.get()
    DatabaseIdentity.objects.update(**change)
    changed = str(DatabaseIdentity.objects.get())

    with capture_logs() as logs:
        found = _start(world)

    assert (found, _stands()) == (False, (True, "restore", SenderStatus.QUARANTINED))
    assert (way.sender().status_reason, world.switch.stop) == ("the database was restored", True)
    assert [entry["log_level"] for entry in logs if entry["event"] == "database.restored"] == ["error"]
    row = AuditRow.objects.get(action="database.restored")
    assert (row.actor, row.before, row.after) == ("environment", {"identity": changed}, {"identity": str(known)})
    # It was noticed once: from now on this is the database.
    assert (_start(world), AuditRow.objects.filter(action="database.restored").count()) == (True, 1)


def test_after_a_restore_nothing_is_signed_until_people_released_and_lifted(world: World) -> None:
    world.admit(123)
    old = way.owe(world)
    _restore(world)
    _start(world)

    way.drain(world)
    stopped = way.fresh(old)
    _lift(world)
    way.wait(world, 1)
    way.drain(world)
    lifted = (way.fresh(old).status, way.fresh(old).blocked_reason, TxSend.objects.count())
    _release(world)
    new = way.send(world)

    assert (stopped.status, stopped.nonce) == (IntentStatus.CREATED, None)
    assert lifted == (IntentStatus.CREATED, "sender", 0)
    assert (way.fresh(old).status, way.fresh(old).failure_code) == (IntentStatus.CANCELED, "RESTORED")
    assert (new.status, way.nonces(world)) == (IntentStatus.SENT, (1, 0))


def test_a_released_sender_signs_nothing_while_the_stop_is_up(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    way.die(world, "signer", "sign")
    _restore(world)
    _start(world)
    _release(world)

    way.drain(world)
    stopped = (way.fresh(intent).status, way.fresh(intent).blocked_reason, TxSend.objects.count(), _stands())
    _lift(world)
    way.wait(world, 1)
    way.drain(world)

    assert stopped == (IntentStatus.SENDING, "mode", 0, (True, "restore", SenderStatus.ACTIVE))
    assert (way.fresh(intent).status, TxSend.objects.count()) == (IntentStatus.SENT, 1)


def test_without_the_check_a_restored_database_signs(world: World) -> None:
    world.admit(123)
    old = way.owe(world)
    _restore(world)

    way.drain(world)

    assert (way.fresh(old).status, TxSend.objects.count()) == (IntentStatus.SENT, 1)


def test_what_has_a_nonce_is_carried_to_its_end_with_the_stored_bytes(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    world.rpc.call("anvil_dropAllTransactions")
    _restore(world)
    _start(world)

    way.wait(world, 2)
    way.drain(world)
    way.settle(world, blocks=9)

    send = TxSend.objects.get()
    assert (way.fresh(intent).status, send.times_sent) == (IntentStatus.FINAL, 2)
    assert _stands() == (True, "restore", SenderStatus.QUARANTINED)


def test_a_reserved_nonce_isnt_signed_while_in_quarantine(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    way.die(world, "signer", "sign")
    _restore(world)
    _start(world)

    for _ in range(3):
        way.wait(world, 2)
        way.drain(world)

    assert (way.fresh(intent).status, TxSend.objects.count()) == (IntentStatus.SENDING, 0)


def test_a_sender_that_was_in_quarantine_before_remembers_both_reasons(world: World) -> None:
    Sender.objects.update(status=SenderStatus.QUARANTINED, status_reason="a nonce was used by something else")
    _restore(world)

    _start(world)

    assert way.sender().status_reason == "the database was restored; a nonce was used by something else"


def _declare(world: World, *, at: str | None = None) -> str:
    said = StringIO()
    call_command("restored", "--at", at or world.now.isoformat(), "--reason", "the disk died", stdout=said)
    return said.getvalue()


def test_a_person_can_say_that_it_was_restored(world: World) -> None:
    world.admit(123)
    bare, signed = way.owe(world), way.owe(world, symbol="ETH-USD")
    TxIntent.objects.filter(pk=bare.pk).update(next_action_at=world.now + timedelta(hours=1))
    way.drain(world)
    ordered = way.tell(world)
    decisions.drain(trader_id=ordered.trader_id, switch=world.switch, accounts=DeskAccounts(world.desk), clock=world.clock)
    waiting = way.tell(world)
    way.wait(world, 1)

    said = _declare(world)

    assert said == "stopped; every sender is quarantined; 3 withdrawn\n"
    assert _stands() == (True, "restore", SenderStatus.QUARANTINED)
    assert (way.fresh(bare).status, way.fresh(bare).order.status) == (IntentStatus.CANCELED, OrderStatus.CANCELED)
    assert way.fresh(signed).status == IntentStatus.SENT
    assert Signal.objects.get(pk=waiting.pk).status == SignalStatus.EXPIRED
    leg = Leg.objects.get(decision__signal=ordered)
    assert (leg.next_action_at, leg.settled_at is not None) == (None, True)
    withdrawn = Event.objects.filter(facts__reason="RESTORED").order_by("kind").values_list("kind", flat=True)
    assert list(withdrawn) == ["leg.withdrawn", "order.canceled", "signal.expired"]
    assert AuditRow.objects.get(action="database.restored").reason == "the disk died"


def test_what_came_after_the_restore_stays(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)
    waiting = way.tell(world)

    said = _declare(world, at=(world.now - timedelta(seconds=1)).isoformat())

    assert said == "stopped; every sender is quarantined; 0 withdrawn\n"
    assert (way.fresh(intent).status, Signal.objects.get(pk=waiting.pk).status) == (IntentStatus.CREATED, SignalStatus.RECEIVED)


@pytest.mark.parametrize("at", ["yesterday", "2026-01-02T03:04:05", "2026-13-45T00:00:00+00:00"])
def test_an_instant_is_said_with_its_offset(world: World, at: str) -> None:
    with pytest.raises(CommandError, match="--at: not an instant with an offset"):
        _declare(world, at=at)

    assert _stands() == (False, "", SenderStatus.ACTIVE)


def test_where_postgresql_doesnt_let_us_ask_that_is_said_once(world: World) -> None:
    restoring._say_unknown.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE blind NOLOGIN")
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        cursor.execute("SET ROLE blind")
    try:
        with capture_logs() as logs:
            seen = [restoring._seen() for _ in range(2)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
            cursor.execute("DROP ROLE blind")
        restoring._say_unknown.cache_clear()

    assert seen == [None, None]
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("database.identity_unknown", "error")]
