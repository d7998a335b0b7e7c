"""The limit itself may be lost, one unit more may not; a profit is no loss."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.domain.guard import ProfitFloor, StopLossGuard
from risk.domain.lock import LockKind, LockPlan
from risk.domain.loss import Fall, LossLimits, limits_of
from risk.domain.policy import Limits
from tests.factories import NOW
from trading.domain.units import Percent, Usdc

LATER = NOW + timedelta(hours=5)
AMOUNTS = st.integers(-(10**15), 10**15).map(Usdc.from_raw)
SHARES = st.integers(0, Percent.HUNDRED).map(Percent.from_raw)


def fall(lost: str, *, of: str | None = "10000", share: str | None = "20") -> Fall:
    worth = None if of is None else Usdc.of(of)
    return Fall(lost=Usdc.of(lost), of=worth, share=None if share is None else Percent.of(share), since=NOW)


@pytest.mark.parametrize(
    ("lost", "is_near", "is_breached"),
    [
        ("-1", False, False),
        ("0", False, False),
        ("1599.999999", False, False),
        ("1600", True, False),
        ("2000", True, False),
        ("2000.000001", True, True),
        ("10000", True, True),
    ],
)
def test_a_loss_at_the_limit_passes_and_one_unit_more_does_not(lost: str, is_near: bool, is_breached: bool) -> None:
    assert (fall(lost).is_near, fall(lost).is_breached) == (is_near, is_breached)


def test_a_limit_is_never_passed_by_a_rounding() -> None:
    odd = fall("0.333333", of="1", share="33.3333333333")

    assert odd.limit == Usdc.of("0.333333")
    assert not odd.is_breached
    assert fall("0.333334", of="1", share="33.3333333333").is_breached


@pytest.mark.parametrize("unknown", [{"of": None}, {"share": None}])
def test_what_nobody_knows_or_wants_breaches_nothing(unknown: dict[str, None]) -> None:
    blind = fall("99999", **unknown)

    assert (blind.limit, blind.is_near, blind.is_breached) == (None, False, False)
    assert blind.plan(LockKind.DAILY_LOSS, words="today", until=LATER) is None


@pytest.mark.parametrize("of", ["0", "-5"])
def test_who_began_with_nothing_may_lose_nothing(of: str) -> None:
    assert not fall("0", of=of).is_breached
    assert fall("0.000001", of=of).is_breached
    assert not fall("-7", of=of).is_breached


@given(won=AMOUNTS, of=AMOUNTS, share=SHARES)
def test_a_profit_never_trips_it(won: Usdc, of: Usdc, share: Percent) -> None:
    profit = Fall(lost=-abs(won), of=of, share=share, since=NOW)

    assert (profit.is_near, profit.is_breached) == (False, False)


@given(lost=AMOUNTS, of=AMOUNTS, share=SHARES)
def test_it_trips_exactly_above_the_share(lost: Usdc, of: Usdc, share: Percent) -> None:
    breached = Fall(lost=lost, of=of, share=share, since=NOW).is_breached

    assert breached is (lost.raw > 0 and lost.raw * Percent.HUNDRED > max(of.raw, 0) * share.raw)


def test_a_breach_asks_for_a_lock_that_explains_itself() -> None:
    plan = fall("2000.000001").plan(LockKind.DAILY_LOSS, words="since midnight", until=LATER)

    assert plan == LockPlan(
        kind=LockKind.DAILY_LOSS,
        symbol=None,
        value="$2000.000001",
        limit="$2000 (20% of $10000)",
        reason="Lost $2000.000001 since midnight, limit $2000 (20% of $10000)",
        caused_at=NOW,
        until=LATER,
    )
    assert fall("2000").plan(LockKind.DAILY_LOSS, words="since midnight", until=LATER) is None


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def test_a_policy_says_what_may_be_lost_and_how_long_what_it_locks_rests() -> None:
    said = limits_of(
        Limits(
            max_daily_loss=Percent.of(5),
            max_drawdown=Percent.of(20),
            cooldown_minutes=10,
            stop_loss_guard=3,
            stop_loss_minutes=60,
            min_profit=Usdc.of(-10),
            min_profit_minutes=120,
        )
    )

    assert said == LossLimits(
        max_daily_loss=Percent.of(5),
        max_drawdown=Percent.of(20),
        cooldown=minutes(10),
        stop_losses=StopLossGuard(count=3, window=minutes(60), lasts=minutes(60)),
        low_profit=ProfitFloor(floor=Usdc.of(-10), window=minutes(120), lasts=minutes(120)),
    )


def test_a_market_may_have_to_earn_nothing_at_all() -> None:
    said = limits_of(Limits(min_profit=Usdc.zero(), min_profit_minutes=1))

    assert said.low_profit == ProfitFloor(floor=Usdc.zero(), window=minutes(1), lasts=minutes(1))


@pytest.mark.parametrize(
    "half",
    [
        Limits(),
        Limits(cooldown_minutes=0),
        Limits(stop_loss_guard=3),
        Limits(stop_loss_minutes=60),
        Limits(stop_loss_guard=0, stop_loss_minutes=60),
        Limits(stop_loss_guard=3, stop_loss_minutes=0),
        Limits(min_profit=Usdc.of(-10)),
        Limits(min_profit_minutes=60),
        Limits(min_profit=Usdc.of(-10), min_profit_minutes=0),
    ],
)
def test_a_guard_without_its_number_or_its_window_says_nothing(half: Limits) -> None:
    assert limits_of(half) == LossLimits()
