"""A decision: everything that was looked at, every check, and the orders that it allows."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from risk.domain.situation import Closable, Situation, Wanted
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc


class Verdict(StrEnum):
    """Yes or no."""

    APPROVED = "APPROVED"
    DENIED = "DENIED"


class Denial(StrEnum):
    """Why a signal is denied: `CATEGORY_CONDITION`, stable for ever."""

    EMERGENCY_STOP = "EMERGENCY_STOP"  # the desk is stopped; nothing new is signed
    TRADING_HALTED = "TRADING_HALTED"  # the desk, the market, the source or the account is halted
    TRADING_REDUCING = "TRADING_REDUCING"  # or on exits only
    SIGNALS_DISABLED = "SIGNALS_DISABLED"  # the desk takes no entries
    MAINTENANCE = "MAINTENANCE"  # the desk is being worked on: exits only
    SOURCE_DISABLED = "SOURCE_DISABLED"  # the source was switched off
    SOURCE_ACCOUNT_NOT_ALLOWED = "SOURCE_ACCOUNT_NOT_ALLOWED"  # the source may not trade for this account
    SOURCE_SYMBOL_NOT_ALLOWED = "SOURCE_SYMBOL_NOT_ALLOWED"  # nor in this market
    SIGNAL_STALE = "SIGNAL_STALE"  # an entry older than 60 s, or from the future
    OUT_OF_ORDER = "OUT_OF_ORDER"  # an entry meant before one that is applied already
    MARKET_NOT_OPEN = "MARKET_NOT_OPEN"  # the venue doesn't trade it now
    MARKET_CLOSE_ONLY = "MARKET_CLOSE_ONLY"  # the venue takes exits only
    LEVERAGE_OUT_OF_RANGE = "LEVERAGE_OUT_OF_RANGE"  # outside what the venue offers for the market
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"  # smaller than the venue takes
    LEVERAGE_ABOVE_MAX = "LEVERAGE_ABOVE_MAX"  # above the policy's maximum; never silently lowered
    LEVERAGE_BELOW_ONE = "LEVERAGE_BELOW_ONE"  # less than the collateral itself
    CIRCUIT_BREAKER = "CIRCUIT_BREAKER"  # this user or market is on exits only
    POSITION_ABOVE_USER_LIMIT = "POSITION_ABOVE_USER_LIMIT"  # collateral × leverage above the user's cap
    POSITION_ABOVE_SYMBOL_LIMIT = "POSITION_ABOVE_SYMBOL_LIMIT"  # above the market's cap
    NOTHING_HELD = "NOTHING_HELD"  # more of it, or its other side: nothing is held in the market, or both sides are
    TARGET_REACHED = "TARGET_REACHED"  # the account stands where its strategy does already
    ACCOUNT_UNSEEN = "ACCOUNT_UNSEEN"  # nobody can say what the account has; a strategy's exit goes on without
    NOTHING_TO_CANCEL = "NOTHING_TO_CANCEL"  # nothing that its source asked for waits
    STOP_REQUIRED = "STOP_REQUIRED"  # sized by risk, without a stop
    SIZE_UNKNOWN = "SIZE_UNKNOWN"  # the size can't be computed, or is nothing
    INSUFFICIENT_COLLATERAL = "INSUFFICIENT_COLLATERAL"  # the account has less free
    NOTHING_TO_CLOSE = "NOTHING_TO_CLOSE"  # no open position, or all of it is being closed already
    CLOSE_ABOVE_POSITION = "CLOSE_ABOVE_POSITION"  # more than 2 % above what is open
    CANARY_USER_NOT_ALLOWED = "CANARY_USER_NOT_ALLOWED"  # not one of the canary's accounts
    CANARY_SYMBOL_NOT_ALLOWED = "CANARY_SYMBOL_NOT_ALLOWED"  # not one of its markets
    CANARY_NOTIONAL_ABOVE_MAX = "CANARY_NOTIONAL_ABOVE_MAX"  # larger than its cap
    ACCOUNT_RISK_ABOVE_MAX = "ACCOUNT_RISK_ABOVE_MAX"  # more of the equity at risk than one position may
    STOP_ON_WRONG_SIDE = "STOP_ON_WRONG_SIDE"  # the stop lies where the position gains
    TARGET_ON_WRONG_SIDE = "TARGET_ON_WRONG_SIDE"  # the target lies where it loses
    STOP_BEYOND_LIQUIDATION = "STOP_BEYOND_LIQUIDATION"  # the venue would liquidate before the stop, or close to it
    PRICE_STALE = "PRICE_STALE"  # too few fresh quotes to size or to protect an entry with
    PRICE_DISAGREEMENT = "PRICE_DISAGREEMENT"  # the sources say different things
    SEQUENCER_DOWN = "SEQUENCER_DOWN"  # the chain's sequencer isn't up, or not for long enough
    PRICE_OUTSIDE_COLLAR = "PRICE_OUTSIDE_COLLAR"  # the signal's own price lies too far from ours
    EXPOSURE_ABOVE_SYMBOL_LIMIT = "EXPOSURE_ABOVE_SYMBOL_LIMIT"  # open and promised in the market, all accounts
    EXPOSURE_ABOVE_SIDE_LIMIT = "EXPOSURE_ABOVE_SIDE_LIMIT"  # long or short, all accounts
    EXPOSURE_ABOVE_SOURCE_LIMIT = "EXPOSURE_ABOVE_SOURCE_LIMIT"  # from the source, all accounts
    EXPOSURE_ABOVE_ACCOUNT_LIMIT = "EXPOSURE_ABOVE_ACCOUNT_LIMIT"  # of the account
    EXPOSURE_ABOVE_DESK_LIMIT = "EXPOSURE_ABOVE_DESK_LIMIT"  # of the whole desk
    EXPOSURE_ABOVE_GROUP_LIMIT = "EXPOSURE_ABOVE_GROUP_LIMIT"  # in markets that move together, all accounts
    TOO_MANY_POSITIONS = "TOO_MANY_POSITIONS"  # of the account
    LOCK_DAILY_LOSS = "LOCK_DAILY_LOSS"  # the day's loss passed its limit: until the next reset
    LOCK_DRAWDOWN = "LOCK_DRAWDOWN"  # equity fell too far below its peak: until somebody lifts it
    LOCK_COOLDOWN = "LOCK_COOLDOWN"  # a position in the market was closed a moment ago
    LOCK_STOP_LOSS_GUARD = "LOCK_STOP_LOSS_GUARD"  # too many stop-losses in a window
    LOCK_LOW_PROFIT = "LOCK_LOW_PROFIT"  # the market made less than its limit in a window
    LOCK_MANUAL = "LOCK_MANUAL"  # a person said so
    RATE_OPENS = "RATE_OPENS"  # opens within a minute
    RATE_TRADES = "RATE_TRADES"  # trades within 24 hours
    RATE_COLLATERAL = "RATE_COLLATERAL"  # collateral put up within an hour
    RATE_VOLUME = "RATE_VOLUME"  # notional traded within 24 hours
    GAS_TOO_LOW = "GAS_TOO_LOW"  # the sender can't pay for it
    ALLOWANCE_TOO_LOW = "ALLOWANCE_TOO_LOW"  # the venue may not take as much of the account's dollars
    DELEGATE_INVALID = "DELEGATE_INVALID"  # no sender of ours may trade for the account


class Action(StrEnum):
    """What one leg asks of the venue."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule's answer: what was measured, what it was held against, and whether it passed."""

    code: Denial
    passed: bool
    value: str
    limit: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPlan:
    """One order that an approval allows."""

    action: Action
    direction: Direction
    collateral: Usdc
    leverage: Leverage
    position_id: int | None = None
    take_profit: Price | None = None
    stop_loss: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on one signal, with every check and, if approved, its legs in order."""

    verdict: Verdict
    checks: tuple[Check, ...]
    legs: tuple[LegPlan, ...]

    @property
    def denial(self) -> Check | None:
        """The first check that failed, in the order of the rules."""
        return next((check for check in self.checks if not check.passed), None)


Rule = Callable[[Situation], Check | None]


def evaluate(situation: Situation, *, rules: tuple[Rule, ...]) -> Decision:
    """Ask every rule; a rule that has nothing to say about this signal answers None."""
    checks = tuple(check for rule in rules if (check := rule(situation)) is not None)
    if not all(check.passed for check in checks):
        return Decision(verdict=Verdict.DENIED, checks=checks, legs=())
    return Decision(verdict=Verdict.APPROVED, checks=checks, legs=legs_for(situation))


def legs_for(situation: Situation) -> tuple[LegPlan, ...]:
    """The orders that this signal means."""
    return (_entry(situation.wanted),) if situation.is_entry else exits(situation)


def _entry(wanted: Wanted) -> LegPlan:
    if wanted.collateral is None or wanted.leverage is None:
        raise ValueError("an entry has collateral and leverage")
    direction = Direction.of(wanted.side)
    return LegPlan(
        action=Action.OPEN,
        direction=direction,
        collateral=wanted.collateral,
        leverage=wanted.leverage,
        take_profit=wanted.take_profit,
        stop_loss=wanted.stop_loss,
    )


def exits(situation: Situation) -> tuple[LegPlan, ...]:
    """The closes that this signal means, the oldest position first, each clamped to what is there."""
    shares = _shares(situation)
    return tuple(
        LegPlan(
            action=Action.CLOSE,
            direction=held.direction,
            collateral=share,
            leverage=held.leverage,
            position_id=held.position_id,
        )
        for held, share in shares
        if share
    )


def closable_for(situation: Situation) -> tuple[Closable, ...]:
    """The positions that this exit may touch: it never closes one that was asked for after it was meant."""
    wanted = situation.wanted
    meant_at = wanted.signaled_at or situation.at
    meant = (held for held in situation.closable if wanted.closes in {None, held.direction})
    return tuple(held for held in meant if held.collateral and held.opened_at <= meant_at)


def _shares(situation: Situation) -> list[tuple[Closable, Usdc]]:
    held = closable_for(situation)
    share = situation.wanted.reduce_share
    if share is not None:
        return [(each, min(each.collateral, each.collateral.times_down(share.raw, Percent.HUNDRED))) for each in held]
    if situation.wanted.reduce is None:
        return [(each, each.collateral) for each in held]
    return _spread(situation.wanted.reduce, over=held)


def _spread(amount: Usdc, *, over: tuple[Closable, ...]) -> list[tuple[Closable, Usdc]]:
    shares, left = [], amount
    for held in over:
        share = min(left, held.collateral)
        shares.append((held, share))
        left -= share
    return shares
