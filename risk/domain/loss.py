"""The day's loss and the drawdown, each against its limit. A profit is no loss, and a deposit makes no loss smaller.

Both are differences of what trading has earned, so money that comes or goes isn't in them; their limits are shares
of what the account was worth when counting began: at the reset, at the peak.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from risk.domain.guard import ProfitFloor, StopLossGuard
from risk.domain.lock import LockKind, LockPlan
from risk.domain.policy import Limits
from trading.domain.units import Percent, Usdc

# The share of the day's limit at which people are warned.
WARNING = Percent.of(80)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossLimits:
    """When entries are locked by what was lost; None says nothing."""

    max_daily_loss: Percent | None = None
    max_drawdown: Percent | None = None
    cooldown: timedelta | None = None
    stop_losses: StopLossGuard | None = None
    low_profit: ProfitFloor | None = None


def limits_of(policy: Limits) -> LossLimits:
    """What a policy says of losses. A guard needs its number and its window, and what it locks rests as long as it looks back."""
    cooldown, stops, profit = policy.cooldown_minutes, policy.stop_loss_minutes, policy.min_profit_minutes
    guard, floor = policy.stop_loss_guard, policy.min_profit
    return LossLimits(
        max_daily_loss=policy.max_daily_loss,
        max_drawdown=policy.max_drawdown,
        cooldown=_minutes(cooldown) if cooldown else None,
        stop_losses=StopLossGuard(count=guard, window=_minutes(stops), lasts=_minutes(stops)) if guard and stops else None,
        low_profit=ProfitFloor(floor=floor, window=_minutes(profit), lasts=_minutes(profit))
        if floor is not None and profit
        else None,
    )


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How far trading has fallen from where counting began."""

    # Below zero: won.
    lost: Usdc
    # The account's worth where counting began; None while nobody knows it.
    of: Usdc | None
    # None: nobody set a limit.
    share: Percent | None
    since: datetime

    @property
    def limit(self) -> Usdc | None:
        """The most that may be lost, rounded down; None without a limit, or when nobody knows of what."""
        if self.of is None or self.share is None:
            return None
        return max(self.of, Usdc.zero()).times_down(self.share.raw, Percent.HUNDRED)

    @property
    def is_breached(self) -> bool:
        """Whether more is lost than the limit; the limit itself may be lost."""
        return self.limit is not None and self.lost > self.limit

    @property
    def is_near(self) -> bool:
        """Whether it is time to warn: at WARNING of the limit."""
        if self.limit is None or self.lost <= Usdc.zero():
            return False
        return self.lost.raw * Percent.HUNDRED >= self.limit.raw * WARNING.raw

    def plan(self, kind: LockKind, *, words: str, until: datetime | None) -> LockPlan | None:
        """The lock that a breach asks for."""
        if not self.is_breached:
            return None
        limit = f"${self.limit} ({self.share}% of ${self.of})"
        reason = f"Lost ${self.lost} {words}, limit {limit}"
        return LockPlan(
            kind=kind, symbol=None, value=f"${self.lost}", limit=limit, reason=reason, caused_at=self.since, until=until
        )
