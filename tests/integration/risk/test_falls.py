"""The drawdown from the peak, and when a trader's day begins."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from risk.domain.lock import LockKind
from risk.domain.policy import Limits
from risk.models import Equity, Lock, LossDay
from risk.services import blocks, losses
from tests.factories import NOW
from tests.factories.people import RISK, trader
from tests.factories.trading import TraderFactory
from tests.integration.risk.holdings import RESET, holding, later, locked, price_is, watch
from trading.domain.mode import Book
from trading.domain.people import NotAllowed
from trading.domain.units import Percent, Usdc
from trading.models import AuditRow, Trader

pytestmark = pytest.mark.django_db

FALLING = Limits(max_drawdown=Percent.of(20))


def fall_to(account: Trader, price: int | str, *, minute: float) -> list[Lock]:
    price_is(price, at=later(minute))
    return watch(account, limits=FALLING, at=later(minute))


def test_a_drawdown_counts_from_the_peak_and_locks_until_it_is_lifted() -> None:
    account = holding()
    assert fall_to(account, 63_000, minute=0) == []
    # 12,000 at the peak: 2,400 may be lost.
    assert fall_to(account, 59_400, minute=1) == []

    (lock,) = fall_to(account, 59_399, minute=2)

    assert (lock.kind, lock.value, lock.limit, lock.until) == ("DRAWDOWN", "$2400.666667", "$2400 (20% of $12000)", None)
    assert lock.reason == "Lost $2400.666667 since the peak at 2026-01-02 03:04 UTC, limit $2400 (20% of $12000)"
    assert locked(account, at=later(99_999)) == [LockKind.DRAWDOWN]


def test_a_lifted_drawdown_begins_a_new_peak() -> None:
    account = holding()
    fall_to(account, 60_000, minute=0)
    (lock,) = fall_to(account, 56_999, minute=1)
    blocks.lift(lock_id=lock.pk, person=RISK, reason="seen", at=later(2))

    assert fall_to(account, 56_999, minute=3) == []
    assert Equity.objects.get().peak_at == later(3)
    # 7,999.33 at the new peak: 1,599.87 may be lost from there.
    assert fall_to(account, 54_600, minute=4) == []
    (again,) = fall_to(account, 54_599, minute=5)
    assert (again.value, again.limit) == ("$1600", "$1599.866666 (20% of $7999.333333)")


def test_a_peak_outlives_the_reset() -> None:
    account = holding()
    fall_to(account, 63_000, minute=0)
    tomorrow = (RESET - NOW) / timedelta(minutes=1) + 60

    assert len(fall_to(account, 59_399, minute=tomorrow)) == 1


def test_a_withdrawal_is_no_drawdown() -> None:
    account = holding(book=Book.LIVE)
    price_is(60_000)
    watch(account, limits=FALLING, balance="100000")

    assert watch(account, limits=FALLING, balance="0", at=later(1)) == []
    assert Equity.objects.get().equity_usdc == Usdc.of(4_000)


def test_a_day_begins_at_the_traders_own_midnight() -> None:
    account = holding()
    losses.set_zone(tg_user_id=account.tg_user_id, zone="Asia/Tokyo", person=RISK, reason="he lives there", at=NOW)
    price_is(60_000)

    watch(account)

    day = LossDay.objects.get()
    assert (day.starts_at, day.ends_at) == (datetime(2026, 1, 1, 15, tzinfo=UTC), datetime(2026, 1, 2, 15, tzinfo=UTC))
    row = AuditRow.objects.get(action="account.zone")
    assert (row.before, row.after, row.reason) == ({"zone": "UTC"}, {"zone": "Asia/Tokyo"}, "he lives there")


def test_another_zone_ends_no_day_and_no_lock() -> None:
    account = holding()
    price_is(56_000)
    watch(account)

    losses.set_zone(tg_user_id=account.tg_user_id, zone="Asia/Tokyo", person=RISK, reason="moved", at=NOW)
    watch(account, at=datetime(2026, 1, 2, 16, tzinfo=UTC))
    assert LossDay.objects.count() == 1
    assert locked(account, at=datetime(2026, 1, 2, 16, tzinfo=UTC)) == [LockKind.DAILY_LOSS]

    price_is(56_000, at=RESET)
    watch(account, at=RESET)
    second = LossDay.objects.latest("starts_at")
    assert (second.starts_at, second.ends_at) == (RESET, datetime(2026, 1, 3, 15, tzinfo=UTC))


def test_only_the_risk_role_moves_a_reset_and_only_to_a_zone_that_exists() -> None:
    account = TraderFactory()
    told: dict[str, Any] = {"tg_user_id": account.tg_user_id, "reason": "x", "at": NOW}

    with pytest.raises(NotAllowed):
        losses.set_zone(zone="Asia/Tokyo", person=trader(account.tg_user_id), **told)
    for wrong in ({"zone": "Mars/Olympus"}, {"zone": "../etc/passwd"}, {"zone": "UTC", "tg_user_id": 1}):
        with pytest.raises(losses.ZoneUnknown):
            losses.set_zone(person=RISK, **told | wrong)
    account.refresh_from_db()
    assert account.zone == "UTC"
