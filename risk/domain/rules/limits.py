"""What the policies and the canary allow one position."""

from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import capped, check, entries_only
from risk.domain.situation import Situation
from trading.domain.units import Leverage

ONE = Leverage.of(1)


def max_leverage(situation: Situation) -> Check | None:
    """Leverage above the policy's maximum is refused, never silently lowered."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    limit = situation.policy.max_leverage
    message = f"Leverage {leverage}x exceeds max {limit}x"
    return check(Denial.LEVERAGE_ABOVE_MAX, leverage <= limit, f"{leverage}x", f"{limit}x", message)


def leverage_above_one(situation: Situation) -> Check | None:
    """Less than the collateral itself isn't leverage."""
    leverage = situation.wanted.leverage
    if leverage is None:
        return None
    return check(Denial.LEVERAGE_BELOW_ONE, leverage >= ONE, f"{leverage}x", "1x", "Leverage must be >= 1x")


def circuit_breaker(situation: Situation) -> Check | None:
    """A user or market on exits only."""
    is_quiet = not situation.policy.overall.circuit_breaker
    return entries_only(situation, Denial.CIRCUIT_BREAKER, is_quiet, "circuit breaker: exits only")


def user_position(situation: Situation) -> Check | None:
    """Collateral × leverage up to the user's cap; at the cap passes."""
    value, cap = situation.wanted.notional, situation.policy.max_user_position
    return capped(situation, Denial.POSITION_ABOVE_USER_LIMIT, value, cap, f"Position ${value} exceeds user limit ${cap}")


def symbol_position(situation: Situation) -> Check | None:
    """Collateral × leverage up to the market's cap; at the cap passes."""
    value, cap = situation.wanted.notional, situation.policy.symbol.max_position
    return capped(situation, Denial.POSITION_ABOVE_SYMBOL_LIMIT, value, cap, f"Position ${value} exceeds symbol limit ${cap}")


def canary_account(situation: Situation) -> Check | None:
    """While the canary flies, entries of its own accounts only."""
    canary, account = situation.canary, situation.account
    if not situation.is_entry or canary is None or not canary.accounts:
        return None
    limit = ", ".join(map(str, sorted(canary.accounts)))
    message = f"Account {account} is not one of the canary's"
    return check(Denial.CANARY_USER_NOT_ALLOWED, account in canary.accounts, str(account), limit, message)


def canary_symbol(situation: Situation) -> Check | None:
    """While the canary flies, entries in its own markets only."""
    canary, symbol = situation.canary, situation.market.symbol
    if not situation.is_entry or canary is None:
        return None
    limit = ", ".join(sorted(canary.symbols))
    message = f"{symbol} is not one of the canary's markets"
    return check(Denial.CANARY_SYMBOL_NOT_ALLOWED, symbol in canary.symbols, symbol, limit, message)


def canary_notional(situation: Situation) -> Check | None:
    """While the canary flies, positions up to its cap."""
    value, cap = situation.wanted.notional, situation.canary.max_notional if situation.canary else None
    return capped(situation, Denial.CANARY_NOTIONAL_ABOVE_MAX, value, cap, f"Position ${value} exceeds the canary's ${cap}")
