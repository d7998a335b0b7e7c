"""Followings: made and changed by who may, and stopped by what they lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from risk.domain.authority import ReasonMissing
from risk.domain.following import FollowMode, Sizing, Terms
from risk.models import Following
from risk.services import followings, losses
from tests.factories import NOW
from tests.factories.copying import CopyFactory, CopySignalFactory, FollowingFactory
from tests.factories.people import RISK, SUPER_ADMIN, VIEWER, trader
from tests.factories.trading import FillFactory, LeaderFactory, MarketFactory, PositionFactory, SignalFactory, TraderFactory
from trading.domain.people import NotAllowed, Person
from trading.domain.position import PositionStatus
from trading.domain.units import Leverage, Percent, Usdc
from trading.models import AuditRow, Event, Position

pytestmark = pytest.mark.django_db

TERMS = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(50), max_trade=Usdc.of(80))
WHY: dict[str, Any] = {"reason": "good", "at": NOW}


def follow(person: Person = SUPER_ADMIN, **said: Any) -> Following:
    wanted = {"tg_user_id": TraderFactory().account, "leader_id": LeaderFactory().pk, "terms": TERMS, "person": person}
    return followings.follow(**wanted | WHY | said)


def test_a_trader_lets_his_own_account_follow() -> None:
    follower = TraderFactory()

    row = follow(trader(follower.account), tg_user_id=follower.account)

    assert (row.follower, row.mode, row.terms, row.counted_from) == (follower, FollowMode.ON, TERMS, NOW)
    said = {"mode": "ON", "sizing": "FIXED", "fixed": "50", "max_trade": "80", "max_slippage": "0.5"}
    assert list(AuditRow.objects.values_list("actor", "action", "before", "after")) == [("tom", "following.create", {}, said)]


@pytest.mark.parametrize(("person", "refusal"), [(VIEWER, NotAllowed), (trader(1), NotAllowed)])
def test_nobody_else_does(person: Person, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        follow(person)

    assert not Following.objects.exists()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"reason": " "}, ReasonMissing),
        ({"leader_id": 0}, followings.FollowingUnknown),
        ({"tg_user_id": 7}, followings.FollowingUnknown),
        ({"terms": Terms(sizing=Sizing.FIXED)}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.MIRROR, fixed=Usdc.of(1))}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.MIRROR, share=Percent.zero())}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.FIXED, fixed=Usdc.of(1), max_losses=0)}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.FIXED, fixed=Usdc.of(1), max_slippage=Percent.of(11))}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.FIXED, fixed=Usdc.of(1), max_leverage=Leverage.of("0.5"))}, followings.TermsRefused),
        ({"terms": Terms(sizing=Sizing.FIXED, fixed=Usdc.of(1), symbols=frozenset({"X-USD"}))}, followings.TermsRefused),
    ],
)
def test_what_means_nothing_is_refused(said: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        follow(**said)

    assert not Following.objects.exists()


def test_a_leader_whom_nobody_watches_is_not_followed() -> None:
    with pytest.raises(followings.FollowingUnknown):
        follow(leader_id=LeaderFactory(is_enabled=False).pk)


def test_a_leader_is_followed_once() -> None:
    row = follow()

    with pytest.raises(followings.FollowsAlready):
        follow(tg_user_id=row.follower.account, leader_id=row.leader_id)


def test_lower_is_at_once_and_higher_takes_who_may_raise_limits() -> None:
    row = follow()
    own = trader(row.follower.account)
    MarketFactory()
    lower = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(40), max_trade=Usdc.of(80), symbols=frozenset({"BTC-USD"}))

    assert followings.change(following_id=row.pk, terms=lower, person=own, **WHY).terms == lower
    for person in (own, RISK):
        with pytest.raises(NotAllowed):
            followings.change(following_id=row.pk, terms=TERMS, person=person, **WHY)
    changed = followings.change(following_id=row.pk, terms=TERMS, person=SUPER_ADMIN, **WHY)

    assert (changed.terms, changed.version) == (TERMS, 3)
    assert AuditRow.objects.filter(action="following.change").count() == 2


def lose(row: Following, profit: str, *, minutes: int) -> None:
    """A copied position that was closed."""
    at = NOW + timedelta(minutes=minutes)
    copy = CopyFactory(following=row)
    signal = SignalFactory(trader=row.follower)
    CopySignalFactory(copy=copy, signal=signal)
    position = PositionFactory(trader=row.follower, signal=signal)
    closed = {"status": PositionStatus.CLOSED, "collateral_usdc": Usdc.zero(), "closed_at": at}
    Position.objects.filter(pk=position.pk).update(net_pnl_usdc=Usdc.of(profit), **closed)
    FillFactory(position=position, filled_at=at)


def test_losses_in_a_row_leave_closes_only_and_are_told() -> None:
    row = FollowingFactory(max_losses=2)
    lose(row, "-1", minutes=1)
    losses.watch(trader_id=row.follower_id, at=NOW + timedelta(minutes=1))
    row.refresh_from_db()
    assert row.mode == FollowMode.ON

    lose(row, "-2", minutes=2)
    losses.watch(trader_id=row.follower_id, at=NOW + timedelta(minutes=2))

    row.refresh_from_db()
    assert (row.mode, row.mode_reason) == (FollowMode.CLOSES_ONLY, "losses in a row: 2, limit 2")
    audited = AuditRow.objects.get(action="following.stop")
    assert (audited.actor, audited.before["mode"], audited.after["mode"]) == ("rule", "ON", "CLOSES_ONLY")
    told = Event.objects.get(kind="following.stopped")
    assert told.facts == {
        "tg_user_id": row.follower.account,
        "leader": row.leader.address,
        "limit": "losses in a row",
        "value": "2",
        "allowed": "2",
    }


def test_only_a_person_turns_it_on_again_and_then_old_losses_count_no_more() -> None:
    row = FollowingFactory(max_drawdown_usdc=Usdc.of(5))
    lose(row, "-6", minutes=1)
    with transaction.atomic():
        followings.review(row.follower, at=NOW + timedelta(minutes=2))
    with transaction.atomic():
        followings.review(row.follower, at=NOW + timedelta(minutes=3))
    row.refresh_from_db()
    assert row.mode == FollowMode.CLOSES_ONLY

    own, later = trader(row.follower.account), NOW + timedelta(minutes=4)
    followings.turn(following_id=row.pk, mode=FollowMode.ON, person=own, reason="again", at=later)
    with transaction.atomic():
        followings.review(row.follower, at=later)

    row.refresh_from_db()
    assert (row.mode, row.counted_from) == (FollowMode.ON, later)


def test_losses_of_other_positions_stop_nothing() -> None:
    row, other = FollowingFactory(max_losses=1), FollowingFactory(max_losses=1)
    lose(other, "-1", minutes=1)

    with transaction.atomic():
        followings.review(row.follower, at=NOW + timedelta(minutes=2))

    row.refresh_from_db()
    assert row.mode == FollowMode.ON
