"""What the venue takes."""

from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import check, entries_only
from risk.domain.situation import Situation


def is_open(situation: Situation) -> Check:
    """The venue trades the market now."""
    opened = situation.market.is_open
    symbol = situation.market.symbol
    return check(Denial.MARKET_NOT_OPEN, opened, "open" if opened else "closed", "open", f"{symbol} is closed")


def takes_entries(situation: Situation) -> Check | None:
    """The venue takes more than exits."""
    message = f"{situation.market.symbol} takes exits only"
    return entries_only(situation, Denial.MARKET_CLOSE_ONLY, not situation.market.is_close_only, message)


def leverage_is_offered(situation: Situation) -> Check | None:
    """Leverage within what the venue offers for the market."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    low, high = situation.market.min_leverage, situation.market.max_leverage
    message = f"Leverage {leverage}x is outside {low}x to {high}x on {situation.market.symbol}"
    return check(Denial.LEVERAGE_OUT_OF_RANGE, low <= leverage <= high, f"{leverage}x", f"{low}x to {high}x", message)


def smallest_position(situation: Situation) -> Check | None:
    """A position that the venue is willing to open."""
    if not situation.is_entry:
        return None
    value, limit = situation.wanted.notional, situation.market.min_notional
    message = f"Position ${value} is below the venue's minimum ${limit}"
    return check(Denial.NOTIONAL_BELOW_MINIMUM, value >= limit, f"${value}", f"${limit}", message)
