"""Locks: one of each kind, placed once for the same fact, lifted by who may."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from risk.domain.authority import ReasonMissing
from risk.domain.lock import LockKind, LockPlan
from risk.models import Lock
from risk.services import blocks
from tests.factories import NOW
from tests.factories.people import RISK, SUPER_ADMIN, VIEWER, trader
from tests.factories.risk import LockFactory
from tests.factories.trading import EtherMarketFactory, MarketFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.people import NotAllowed, Person
from trading.models import AuditRow, Event, Trader
from trading.services import audit_checks

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


def plan(**said: Any) -> LockPlan:
    told: dict[str, Any] = {
        "kind": LockKind.COOLDOWN,
        "symbol": "BTC-USD",
        "value": "0 min",
        "limit": "5 min",
        "reason": "Closed a moment ago",
        "caused_at": NOW,
        "until": LATER,
    }
    return LockPlan(**told | said)


def place(account: Trader, *plans: LockPlan, at: datetime = NOW) -> list[Lock]:
    with transaction.atomic():
        return blocks.place_all(plans, trader=account, book=Book.LIVE, by="cooldown", at=at)


def test_a_lock_keeps_what_was_measured_and_against_what() -> None:
    account, market = TraderFactory(), MarketFactory()

    (lock,) = place(account, plan())

    lock.refresh_from_db()
    assert (lock.kind, lock.market, lock.value, lock.limit, lock.reason) == (
        "COOLDOWN",
        market,
        "0 min",
        "5 min",
        "Closed a moment ago",
    )
    assert (lock.placed_by, lock.since, lock.until, lock.ended_at) == ("cooldown", NOW, LATER, None)
    row = AuditRow.objects.get(action="lock.place")
    assert (row.actor, row.subject, row.reason) == ("cooldown", f"lock:{lock.pk} account:{account.tg_user_id}", lock.reason)
    assert Event.objects.get(kind="risk.locked").facts["value"] == "0 min"
    assert audit_checks.verify().is_whole


def test_the_same_fact_locks_once_even_after_the_lock_was_lifted() -> None:
    account, _ = TraderFactory(), MarketFactory()
    (lock,) = place(account, plan())
    assert place(account, plan()) == []
    blocks.lift(lock_id=lock.pk, person=RISK, reason="a test", at=NOW)

    assert place(account, plan()) == []
    (again,) = place(account, plan(caused_at=NOW + timedelta(seconds=1)))

    assert Lock.objects.filter(ended_at=None).get() == again


def test_a_longer_lock_takes_the_place_of_a_shorter_one() -> None:
    account, _ = TraderFactory(), MarketFactory()
    (short,) = place(account, plan())
    caused_at = NOW + timedelta(minutes=1)

    assert place(account, plan(caused_at=caused_at, until=LATER)) == []
    (long,) = place(account, plan(caused_at=caused_at, until=None), at=caused_at)

    short.refresh_from_db()
    assert (short.ended_at, short.end_reason) == (caused_at, blocks.SUPERSEDED)
    assert Lock.objects.filter(ended_at=None).get() == long


def test_a_lock_that_ran_out_makes_way_for_another() -> None:
    account, _ = TraderFactory(), MarketFactory()
    (first,) = place(account, plan())

    (second,) = place(account, plan(caused_at=LATER, until=LATER + timedelta(minutes=5)), at=LATER)

    first.refresh_from_db()
    assert (first.ended_at, first.ended_by) == (LATER, "time")
    assert Lock.objects.filter(ended_at=None).get() == second


def test_markets_kinds_books_and_accounts_lock_apart() -> None:
    account, _, _ = TraderFactory(), MarketFactory(), EtherMarketFactory()
    wanted = [plan(), plan(symbol="ETH-USD"), plan(symbol=None), plan(kind=LockKind.LOW_PROFIT)]

    assert len(place(account, *wanted)) == 4
    assert len(place(TraderFactory(), *wanted)) == 4


def by_hand(account: Trader, *, person: Person = RISK, **said: Any) -> Lock:
    told: dict[str, Any] = {"book": Book.LIVE, "symbol": None, "reason": "away", "at": NOW} | said
    return blocks.place(tg_user_id=account.tg_user_id, person=person, **told)


def test_a_person_locks_an_account_by_hand() -> None:
    account, market = TraderFactory(), MarketFactory()

    lock = by_hand(account, person=trader(account.tg_user_id), symbol="BTC-USD", until=LATER)

    assert (lock.kind, lock.market, lock.reason, lock.placed_by, lock.until) == ("MANUAL", market, "away", "tom", LATER)


def test_a_shorter_lock_by_hand_shortens_nothing() -> None:
    account = TraderFactory()
    long = by_hand(account)

    assert by_hand(account, until=LATER, at=NOW + timedelta(seconds=1)) == long
    assert Lock.objects.count() == 1


@pytest.mark.parametrize("person", [VIEWER, trader(0)])
def test_who_may_not_lock_changes_nothing(person: Person) -> None:
    with pytest.raises(NotAllowed):
        by_hand(TraderFactory(), person=person)
    assert not Lock.objects.exists()


@pytest.mark.parametrize("said", [{"symbol": "NO-USD"}, {"until": NOW}, {"tg_user_id": 1}])
def test_a_lock_of_nothing_is_refused(said: dict[str, Any]) -> None:
    account = TraderFactory()
    told: dict[str, Any] = {"tg_user_id": account.tg_user_id, "book": Book.LIVE, "symbol": None, "reason": "away", "at": NOW}

    with pytest.raises(blocks.LockUnknown):
        blocks.place(person=RISK, **told | said)
    assert not Lock.objects.exists()


@pytest.mark.parametrize("kind", LockKind)
def test_a_lock_is_lifted_by_who_may(kind: LockKind) -> None:
    lock = LockFactory(kind=kind)
    needs_more = kind is LockKind.DAILY_LOSS
    for person in [VIEWER, trader(lock.trader.tg_user_id), *([RISK] if needs_more else [])]:
        with pytest.raises(NotAllowed):
            blocks.lift(lock_id=lock.pk, person=person, reason="please", at=NOW)
    lock.refresh_from_db()
    assert lock.ended_at is None

    lifter = SUPER_ADMIN if needs_more else RISK
    blocks.lift(lock_id=lock.pk, person=lifter, reason="calm again", at=LATER)

    lock.refresh_from_db()
    assert (lock.ended_at, lock.ended_by, lock.end_reason) == (LATER, lifter.name, "calm again")
    row = AuditRow.objects.get(action="lock.lift")
    assert (row.actor, row.reason) == (lifter.name, "calm again")
    assert Event.objects.filter(kind="risk.lock_lifted", subject=f"lock:{lock.pk}").count() == 1


def test_a_lock_is_not_lifted_without_a_reason() -> None:
    lock = LockFactory()
    with pytest.raises(ReasonMissing):
        blocks.lift(lock_id=lock.pk, person=RISK, reason=" ", at=NOW)


def test_what_holds_no_longer_is_not_lifted() -> None:
    lock = LockFactory(until=LATER)
    with pytest.raises(blocks.LockEnded):
        blocks.lift(lock_id=lock.pk, person=RISK, reason="late", at=LATER)
    with pytest.raises(blocks.LockUnknown):
        blocks.lift(lock_id=lock.pk + 1, person=RISK, reason="none", at=NOW)
