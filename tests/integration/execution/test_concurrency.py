"""Sixteen processes at once: the same key does one thing, different keys each their own, and only legal moves are made."""

from typing import Any

import pytest
from django.db import transaction

from execution.domain.intent import LIFECYCLE, Blocked, IntentStatus
from execution.models import TxIntent
from execution.services import intents
from tests.chaos import campaigns_concurrency as concurrency
from tests.chaos.campaigns_concurrency import CROWD, Kept
from tests.chaos.fixtures import stand
from tests.chaos.stand import Stand
from tests.factories import NOW
from tests.factories.execution import TxIntentFactory
from tests.factories.flow import bind
from tests.fakes import venue
from trading.domain.lifecycle import IllegalMove
from trading.models import Event

ROUNDS = 10

__all__ = ["stand"]


def test_execute_idempotent(stand: Stand) -> None:
    team = stand.hire()

    kept = concurrency.all_of_one(stand, team, rounds=ROUNDS)
    stand.settle(team)

    assert kept == Kept(signals=ROUNDS, decisions=ROUNDS, orders=ROUNDS, intents=ROUNDS, sends=ROUNDS)
    assert venue.count(stand.rpc, stand.counter, [told.chain_key for told in team.told]) == {
        told.chain_key: 1 for told in team.told
    }
    assert stand.verdict(team).is_clean


def test_different_intents_send_separately(stand: Stand) -> None:
    team, each = stand.hire(), 2 * CROWD

    kept = concurrency.each_its_own(stand, team, rounds=2)
    stand.settle(team)

    ours = TxIntent.objects.filter(sender__in=team.senders)
    assert kept == Kept(signals=each, decisions=each, orders=each, intents=each, sends=each)
    assert sorted(ours.values_list("nonce", flat=True)) == list(range(each))
    assert set(ours.values_list("status", flat=True)) == {IntentStatus.FINAL}
    assert stand.verdict(team).is_clean


@pytest.mark.django_db
@pytest.mark.parametrize("source", list(IntentStatus))
def test_intent_status_transitions(source: IntentStatus) -> None:
    intent = TxIntentFactory()
    for status in _way_to(source):
        _move(intent, status)
    before = _row(intent)

    for target in IntentStatus:
        if target in LIFECYCLE.moves[source]:
            assert _tried(intent, target) == (target, f"intent.{target.lower()}", before["version"] + 1, 1)
        else:
            with pytest.raises(IllegalMove):
                _move(_fresh(intent), target)
        assert _row(intent) == before


def _way_to(target: IntentStatus) -> list[IntentStatus]:
    """The shortest way from the beginning, as the table has it."""
    ways = [[IntentStatus.CREATED]]
    while ways[0][-1] is not target:
        ways += [[*ways[0], following] for following in LIFECYCLE.moves[ways[0][-1]]]
        ways.pop(0)
    return ways[0][1:]


def _move(intent: TxIntent, target: IntentStatus) -> None:
    with transaction.atomic():
        if target is IntentStatus.SENDING and intent.nonce is None and intent.status == IntentStatus.BUILT:
            # A nonce and this state belong together: PostgreSQL holds us to that.
            bind(intent)
            return
        if (intent.status, target) == (IntentStatus.SENT, IntentStatus.CANCELED):
            # So do this way and a proof that something else has used the nonce.
            TxIntent.objects.filter(pk=intent.pk).update(blocked_reason=Blocked.NONCE, doubted_at_block=1)
        intents.move(intent, target, at=NOW)


def _tried(intent: TxIntent, target: IntentStatus) -> tuple[str, str, int, int]:
    """What a move makes of a row, before it is taken back: status, newest event, version, and events written."""
    events = Event.objects.filter(subject=f"txintent:{intent.pk}").order_by("pk")
    written = events.count()
    with transaction.atomic():
        _move(_fresh(intent), target)
        row, newest = _row(intent), events.values_list("kind", flat=True).last()
        found = row["status"], newest or "", row["version"], row["events"] - written
        transaction.set_rollback(True)
    return found


def _fresh(intent: TxIntent) -> TxIntent:
    return TxIntent.objects.select_related("order__leg", "sender").get(pk=intent.pk)


def _row(intent: TxIntent) -> dict[str, Any]:
    """A row as it is stored, and how many events it has."""
    events = Event.objects.filter(subject=f"txintent:{intent.pk}").count()
    return {**TxIntent.objects.values().get(pk=intent.pk), "events": events}
