"""Giving up what something else has used the nonce of: only on proof, and with its room given back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection
from django.db.models import Model

from execution.domain.intent import Blocked, IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent, TxSend
from execution.services import intent_acts
from execution.services.intent_acts import MayBeMined
from execution.services.warrants import Warrant
from tests.scenario import way
from tests.scenario.world import World
from trading.models import AuditRow, Event


def _by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="the old desk sent it", at=world.now)


def _prove_foreign_use(intent: TxIntent) -> None:
    """What `doubts` writes once enough nodes agree."""
    TxIntent.objects.filter(pk=intent.pk).update(blocked_reason=Blocked.NONCE, doubted_at_block=1)


def test_what_something_else_has_used_is_given_up_and_its_room_is_free(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    _prove_foreign_use(intent)

    intent_acts.give_up(intent_id=intent.pk, by=_by(world))

    ended = way.fresh(intent)
    assert (ended.status, ended.failure_code) == (IntentStatus.CANCELED, "NONCE_USED_ELSEWHERE: the old desk sent it")
    assert (ended.nonce, ended.closed_at, ended.next_action_at) == (0, world.now, None)
    assert (ended.order.status, ended.order.leg.settled_at) == (OrderStatus.CANCELED, world.now)
    row = AuditRow.objects.get(action="intent.give-up")
    assert (row.actor, row.reason, row.trace_id) == ("ada", "the old desk sent it", intent.trace_id)
    was = {"intent_key": intent.intent_key, "status": "SENT", "nonce": 0, "doubted_at_block": 1}
    assert (row.before, row.after) == (was, {"status": "CANCELED"})
    assert Event.objects.filter(kind="intent.canceled", subject=f"txintent:{intent.pk}").count() == 1


def test_what_is_given_up_is_neither_sent_again_nor_is_its_nonce_given_again(world: World) -> None:
    world.admit(123)
    given_up = way.send(world)
    world.rpc.call("anvil_dropAllTransactions")
    _prove_foreign_use(given_up)
    intent_acts.give_up(intent_id=given_up.pk, by=_by(world))
    way.wait(world, 60)

    later = way.send(world)

    assert (TxSend.objects.get(intent=given_up).times_sent, later.nonce) == (1, 1)


def _say_nothing(_: TxIntent) -> None:
    pass


def _doubt_only(intent: TxIntent) -> None:
    TxIntent.objects.filter(pk=intent.pk).update(doubted_at_block=1)


def _settle_the_doubt(intent: TxIntent) -> None:
    _prove_foreign_use(intent)
    TxIntent.objects.filter(pk=intent.pk).update(doubted_at_block=None)


def _block_otherwise(intent: TxIntent) -> None:
    TxIntent.objects.filter(pk=intent.pk).update(blocked_reason=Blocked.CEILING, doubted_at_block=1)


@pytest.mark.parametrize("say", [_say_nothing, _doubt_only, _settle_the_doubt, _block_otherwise])
def test_what_may_still_be_mined_is_not_given_up(world: World, say: Callable[[TxIntent], None]) -> None:
    world.admit(123)
    intent = way.send(world)
    say(intent)

    with pytest.raises(MayBeMined) as refusal:
        intent_acts.give_up(intent_id=intent.pk, by=_by(world))

    assert refusal.value.code == "INTENT_MAY_BE_MINED"
    assert (way.fresh(intent).status, way.fresh(intent).order.leg.settled_at) == (IntentStatus.SENT, None)
    assert not AuditRow.objects.filter(action="intent.give-up").exists()


@pytest.mark.parametrize("say", [_say_nothing, _doubt_only, _settle_the_doubt, _block_otherwise])
def test_even_without_the_act_the_database_wants_the_proof(
    world: World, monkeypatch: pytest.MonkeyPatch, say: Callable[[TxIntent], None]
) -> None:
    monkeypatch.setattr(intent_acts, "_refuse_unproven", lambda _: None)
    world.admit(123)
    intent = way.send(world)
    say(intent)

    with pytest.raises(IntegrityError, match="nothing proves that its nonce is used by something else"):
        intent_acts.give_up(intent_id=intent.pk, by=_by(world))

    assert way.fresh(intent).status == IntentStatus.SENT


@contextmanager
def _without_trigger(model: type[Model], name: str) -> Iterator[None]:
    """As its owner can: once the desk's roles are settled, nobody else can tell a trigger to look away."""
    (trigger,) = [each for each in model._meta.triggers if each.name == name]
    change = f"ALTER TABLE {model._meta.db_table} {{}} TRIGGER {trigger.get_pgid(model)}"
    with connection.cursor() as cursor:
        cursor.execute(change.format("DISABLE"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(change.format("ENABLE"))


def test_without_both_guards_what_may_be_mined_is_given_up_and_mined(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    monkeypatch.setattr(intent_acts, "_refuse_unproven", lambda _: None)
    world.admit(123)
    intent = way.send(world)
    with _without_trigger(TxIntent, "what_was_sent_is_given_up_on_proof_only"):
        intent_acts.give_up(intent_id=intent.pk, by=_by(world))

    world.mine()

    assert (way.fresh(intent).status, way.nonces(world)) == (IntentStatus.CANCELED, (1, 1))


def test_what_the_venue_has_seen_is_not_given_up(world: World) -> None:
    world.admit(123)
    intent = way.send(world)
    _prove_foreign_use(intent)
    world.mine()
    way.index(world)
    assert way.fresh(intent).order.status == OrderStatus.ACCEPTED

    with pytest.raises(MayBeMined) as refusal:
        intent_acts.give_up(intent_id=intent.pk, by=_by(world))

    assert refusal.value.facts == {"status": "SENT", "order": "ACCEPTED"}
    assert way.fresh(intent).status == IntentStatus.SENT
