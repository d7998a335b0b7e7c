"""How fast an account may go: sliding windows, counted from what was approved. Exits count, and are never refused."""

from datetime import datetime

from risk.domain.decision import Check, Denial, Rule
from risk.domain.rules.speech import check
from risk.domain.situation import Situation
from trading.domain.units import Usdc


def opens(situation: Situation) -> Check | None:
    """Opens within a minute."""
    used, limit = situation.pace.opens_in_minute, situation.policy.overall.max_opens_per_minute
    return _counted(situation, Denial.RATE_OPENS, used, limit, "opens in 60 s", situation.pace.opens_free_at)


def trades(situation: Situation) -> Check | None:
    """Opens and closes within 24 hours."""
    used, limit = situation.pace.trades_in_day, situation.policy.overall.max_trades_per_day
    return _counted(situation, Denial.RATE_TRADES, used, limit, "trades in 24 h", situation.pace.trades_free_at)


def collateral(situation: Situation) -> Check | None:
    """Collateral put up within an hour."""
    pace, limit = situation.pace, situation.policy.overall.max_collateral_per_hour
    wanted = situation.wanted.collateral or Usdc.zero()
    return _summed(situation, Denial.RATE_COLLATERAL, pace.collateral_in_hour, wanted, limit, pace.collateral_free_at)


def volume(situation: Situation) -> Check | None:
    """Notional traded within 24 hours."""
    pace, limit = situation.pace, situation.policy.overall.max_volume_per_day
    return _summed(situation, Denial.RATE_VOLUME, pace.volume_in_day, situation.wanted.notional, limit, pace.volume_free_at)


RULES: tuple[Rule, ...] = (opens, trades, collateral, volume)


def _counted(
    situation: Situation, code: Denial, used: int, limit: int | None, what: str, free_at: datetime | None
) -> Check | None:
    if not situation.is_entry or limit is None:
        return None
    message = f"rate limit: {used} of {limit} {what} are used{_until(free_at)}"
    return check(code, used + 1 <= limit, str(used + 1), str(limit), message)


def _summed(
    situation: Situation, code: Denial, used: Usdc, wanted: Usdc, limit: Usdc | None, free_at: datetime | None
) -> Check | None:
    if not situation.is_entry or limit is None:
        return None
    value = used + wanted
    message = f"rate limit: ${used} of ${limit} are used, ${wanted} more are wanted{_until(free_at)}"
    return check(code, value <= limit, f"${value}", f"${limit}", message)


def _until(free_at: datetime | None) -> str:
    return f"; the oldest leaves the window at {free_at.isoformat()}" if free_at else ""
