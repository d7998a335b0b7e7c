"""A lock explains itself."""

from datetime import timedelta

import pytest

from risk.domain.lock import ActiveLock, LockKind, outlasts
from tests.factories import NOW
from trading.domain.people import Role

LATER = NOW + timedelta(hours=1)


def lock(kind: LockKind, *, symbol: str | None = None, until: bool = True) -> ActiveLock:
    return ActiveLock(
        lock_id=7,
        kind=kind,
        symbol=symbol,
        value="$2000.000001",
        limit="$2000",
        reason="Lost $2000.000001 today, limit $2000",
        placed_by="daily loss",
        since=NOW,
        until=LATER if until else None,
    )


def test_a_lock_says_where_why_until_when_and_who_may_lift_it() -> None:
    assert str(lock(LockKind.DAILY_LOSS)) == (
        "DAILY_LOSS in every market: Lost $2000.000001 today, limit $2000; until 2026-01-02 04:04 UTC, or lifted by super-admin"
    )
    assert str(lock(LockKind.MANUAL, symbol="BTC-USD", until=False)) == (
        "MANUAL in BTC-USD: Lost $2000.000001 today, limit $2000; until it is lifted, or lifted by risk or super-admin"
    )


@pytest.mark.parametrize("kind", [kind for kind in LockKind if kind is not LockKind.DAILY_LOSS])
def test_the_risk_role_lifts_every_lock_but_the_days(kind: LockKind) -> None:
    assert lock(kind).lifters == (Role.RISK, Role.SUPER_ADMIN)
    assert lock(LockKind.DAILY_LOSS).lifters == (Role.SUPER_ADMIN,)


@pytest.mark.parametrize(
    ("until", "other", "is_longer"),
    [
        (LATER, NOW, True),
        (LATER, LATER, False),
        (NOW, LATER, False),
        (None, LATER, True),
        (LATER, None, False),
        (None, None, False),
    ],
)
def test_for_ever_is_the_longest(until: object, other: object, is_longer: bool) -> None:
    assert outlasts(until, other) is is_longer
