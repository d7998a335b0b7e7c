"""Cooldown, stop-loss guard and low profit: placed by what was closed, once."""

import pytest

from risk.domain.lock import LockKind
from risk.domain.policy import Limits
from risk.models import Lock
from tests.factories.trading import MarketFactory, TraderFactory
from tests.integration.risk.holdings import close, holding, later, watch
from trading.domain.position import FillKind
from trading.domain.units import Usdc
from trading.models import Trader

pytestmark = pytest.mark.django_db

# Two stop-losses within an hour lock the account for one, 50 USDC lost within three lock the market for three.
GUARDED = Limits(cooldown_minutes=10, stop_loss_guard=2, stop_loss_minutes=60, min_profit=Usdc.of(-50), min_profit_minutes=180)


def stopped(account: Trader, *, minute: float, profit: str = "-30") -> list[Lock]:
    """One position more that its stop-loss closes."""
    holding(account, opened_at=later(minute - 1))
    close(account, profit=profit, at=later(minute), kind=FillKind.STOP_LOSS)
    return watch(account, limits=GUARDED, at=later(minute))


def test_closes_lock_the_market_and_stop_losses_the_account() -> None:
    account = TraderFactory()

    assert [lock.kind for lock in stopped(account, minute=0)] == ["COOLDOWN"]
    second = stopped(account, minute=5)

    assert {lock.kind: lock.market for lock in second} == {
        "COOLDOWN": MarketFactory(),
        "STOP_LOSS_GUARD": None,
        "LOW_PROFIT": MarketFactory(),
    }
    assert {lock.kind: lock.until for lock in second} == {
        "COOLDOWN": later(15),
        "STOP_LOSS_GUARD": later(65),
        "LOW_PROFIT": later(185),
    }
    # The first cooldown gave way to the longer one.
    assert Lock.objects.filter(kind=LockKind.COOLDOWN, ended_at=None).count() == 1


def test_looking_again_changes_nothing() -> None:
    account = TraderFactory()
    stopped(account, minute=0)
    stopped(account, minute=5)
    before = list(Lock.objects.order_by("pk").values())

    assert watch(account, limits=GUARDED, at=later(6)) == []
    assert list(Lock.objects.order_by("pk").values()) == before


def test_what_a_close_asked_for_is_over_when_it_is_seen_too_late() -> None:
    account = holding()
    close(account, profit="-30", kind=FillKind.STOP_LOSS)

    assert watch(account, limits=GUARDED, at=later(10)) == []
