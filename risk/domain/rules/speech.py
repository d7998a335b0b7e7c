"""How rules say what they found."""

from datetime import timedelta

from risk.domain.decision import Check, Denial
from risk.domain.situation import Situation
from trading.domain.units import Usdc


def check(code: Denial, passed: bool, value: str, limit: str, message: str) -> Check:  # noqa: FBT001 - the verdict itself
    """A verdict; its message is said only when it failed."""
    return Check(code=code, passed=passed, value=value, limit=limit, message="" if passed else message)


def refused(code: Denial, value: str, limit: str, message: str) -> Check:
    """A verdict that can only be no."""
    return Check(code=code, passed=False, value=value, limit=limit, message=message)


def entries_only(situation: Situation, code: Denial, allowed: bool, message: str) -> Check | None:  # noqa: FBT001 - the verdict itself
    """A verdict that only an entry hears."""
    if not situation.is_entry:
        return None
    return check(code, allowed, "allowed" if allowed else "exits only", "allowed", message)


def capped(situation: Situation, code: Denial, value: Usdc, cap: Usdc | None, message: str) -> Check | None:
    """An entry's amount held to a cap: at the cap passes. Without a cap there is nothing to say."""
    if not situation.is_entry or cap is None:
        return None
    return check(code, value <= cap, f"${value}", f"${cap}", message)


def seconds(span: timedelta) -> int:
    """A span in whole seconds, rounded toward the past."""
    return int(span.total_seconds())
