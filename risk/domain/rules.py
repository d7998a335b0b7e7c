"""The rules, in order. `RULES` is the policy: adding a rule is adding one line to it.

Each rule is a pure function from the situation to a check, or to None when it has nothing to say.
"""

from datetime import timedelta

from risk.domain.decision import Check, Denial, Rule, Situation, closable_for, exits
from trading.domain.signal import ENTRY_LIFETIME
from trading.domain.units import Leverage, Percent, Usdc

ONE = Leverage.of(1)
# A close may ask for 2 % more than is open (fees drift); it is clamped.
LARGEST_CLOSE = Percent.of(102)


def emergency_stop(situation: Situation) -> Check:
    """Nothing new while stopped, exits included: nothing could sign them."""
    stopped = situation.mode.emergency_stop
    reason = "; ".join(situation.mode.reasons)
    return _check(Denial.EMERGENCY_STOP, not stopped, "stopped" if stopped else "running", "running", reason)


def desk_takes_entries(situation: Situation) -> Check | None:
    """The desk's own switch for entries."""
    return _entries_only(situation, Denial.SIGNALS_DISABLED, situation.takes_entries, "the desk takes no entries now")


def maintenance(situation: Situation) -> Check | None:
    """While the desk is being worked on, exits only."""
    return _entries_only(situation, Denial.MAINTENANCE, not situation.in_maintenance, "maintenance: exits only")


def freshness(situation: Situation) -> Check | None:
    """An entry is as good as its price: older than its lifetime, it is refused."""
    meant_at = situation.wanted.signaled_at
    if not situation.is_entry or meant_at is None:
        return None
    age = situation.at - meant_at
    message = f"Signal is {_seconds(age)} s old, limit {_seconds(ENTRY_LIFETIME)} s"
    return _check(Denial.SIGNAL_STALE, age <= ENTRY_LIFETIME, f"{_seconds(age)} s", f"{_seconds(ENTRY_LIFETIME)} s", message)


def market_is_open(situation: Situation) -> Check:
    """The venue trades the market now."""
    is_open = situation.market.is_open
    symbol = situation.market.symbol
    return _check(Denial.MARKET_NOT_OPEN, is_open, "open" if is_open else "closed", "open", f"{symbol} is closed")


def market_takes_entries(situation: Situation) -> Check | None:
    """The venue takes more than exits."""
    return _entries_only(
        situation,
        Denial.MARKET_CLOSE_ONLY,
        not situation.market.is_close_only,
        f"{situation.market.symbol} takes exits only",
    )


def venue_leverage(situation: Situation) -> Check | None:
    """Leverage within what the venue offers for the market."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    low, high = situation.market.min_leverage, situation.market.max_leverage
    message = f"Leverage {leverage}x is outside {low}x to {high}x on {situation.market.symbol}"
    return _check(Denial.LEVERAGE_OUT_OF_RANGE, low <= leverage <= high, f"{leverage}x", f"{low}x to {high}x", message)


def venue_minimum(situation: Situation) -> Check | None:
    """A position that the venue is willing to open."""
    if not situation.is_entry:
        return None
    value, limit = situation.wanted.notional, situation.market.min_notional
    message = f"Position ${value} is below the venue's minimum ${limit}"
    return _check(Denial.NOTIONAL_BELOW_MINIMUM, value >= limit, f"${value}", f"${limit}", message)


def leverage_above_one(situation: Situation) -> Check | None:
    """Less than the collateral itself isn't leverage."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    return _check(Denial.LEVERAGE_BELOW_ONE, leverage >= ONE, f"{leverage}x", "1x", "Leverage must be >= 1x")


def max_leverage(situation: Situation) -> Check | None:
    """Leverage above the policy's maximum is refused, never silently lowered."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    limit = situation.policy.max_leverage
    message = f"Leverage {leverage}x exceeds max {limit}x"
    return _check(Denial.LEVERAGE_ABOVE_MAX, leverage <= limit, f"{leverage}x", f"{limit}x", message)


def circuit_breaker(situation: Situation) -> Check | None:
    """A user or market on exits only."""
    return _entries_only(situation, Denial.CIRCUIT_BREAKER, not situation.policy.circuit_breaker, "circuit breaker: exits only")


def user_limit(situation: Situation) -> Check | None:
    """Collateral × leverage up to the user's cap; at the cap passes."""
    return _capped(situation, Denial.POSITION_ABOVE_USER_LIMIT, situation.policy.max_user_position, "user")


def symbol_limit(situation: Situation) -> Check | None:
    """Collateral × leverage up to the market's cap; at the cap passes."""
    return _capped(situation, Denial.POSITION_ABOVE_SYMBOL_LIMIT, situation.policy.max_symbol_position, "symbol")


def entry_price(situation: Situation) -> Check | None:
    """An entry needs a fresh price; an exit goes on without one."""
    if not situation.is_entry:
        return None
    price = situation.price
    value = f"${price.price}" if price else "none"
    message = f"No fresh price for {situation.market.symbol}"
    return _check(Denial.PRICE_STALE, price is not None, value, "a fresh price", message)


def something_to_close(situation: Situation) -> Check | None:
    """An exit needs a position that nobody is closing already, and a share of it that isn't nothing."""
    if situation.is_entry:
        return None
    held = _held(situation)
    closing = sum((leg.collateral for leg in exits(situation)), Usdc.zero())
    symbol, share = situation.market.symbol, situation.wanted.reduce_share
    message = f"{share}% of ${held} in {symbol} is nothing" if held else f"No open position in {symbol}"
    return _check(Denial.NOTHING_TO_CLOSE, bool(closing), f"${closing}", "an open position", message)


def close_size(situation: Situation) -> Check | None:
    """A close of more than is open is clamped up to the tolerance, and refused above it."""
    if situation.wanted.reduce_share is not None:
        return _close_share(situation.wanted.reduce_share)
    wanted = situation.wanted.reduce
    if wanted is None:
        return None
    held = _held(situation)
    limit = held.times_down(LARGEST_CLOSE.raw, Percent.HUNDRED)
    message = f"Close size ${wanted} exceeds position ${held}"
    return _check(Denial.CLOSE_ABOVE_POSITION, wanted <= limit, f"${wanted}", f"${limit}", message)


RULES: tuple[Rule, ...] = (
    emergency_stop,
    desk_takes_entries,
    maintenance,
    freshness,
    market_is_open,
    market_takes_entries,
    max_leverage,
    leverage_above_one,
    venue_leverage,
    venue_minimum,
    circuit_breaker,
    user_limit,
    symbol_limit,
    something_to_close,
    close_size,
    entry_price,
)


def _check(code: Denial, passed: bool, value: str, limit: str, message: str) -> Check:  # noqa: FBT001 - the verdict itself
    return Check(code=code, passed=passed, value=value, limit=limit, message="" if passed else message)


def _entries_only(situation: Situation, code: Denial, allowed: bool, message: str) -> Check | None:  # noqa: FBT001 - the verdict itself
    if not situation.is_entry:
        return None
    return _check(code, allowed, "allowed" if allowed else "exits only", "allowed", message)


def _capped(situation: Situation, code: Denial, cap: Usdc | None, whose: str) -> Check | None:
    if not situation.is_entry or cap is None:
        return None
    value = situation.wanted.notional
    return _check(code, value <= cap, f"${value}", f"${cap}", f"Position ${value} exceeds {whose} limit ${cap}")


def _close_share(share: Percent) -> Check:
    message = f"Close size {share}% exceeds the position"
    return _check(Denial.CLOSE_ABOVE_POSITION, share <= LARGEST_CLOSE, f"{share}%", f"{LARGEST_CLOSE}%", message)


def _held(situation: Situation) -> Usdc:
    return sum((held.collateral for held in closable_for(situation)), Usdc.zero())


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
