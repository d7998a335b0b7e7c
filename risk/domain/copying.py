"""Copying: what a leader's trade means for one follower."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from risk.domain.following import FollowMode, Sizing, Terms
from trading.domain.lifecycle import Lifecycle
from trading.domain.signal import ENTRY_LIFETIME
from trading.domain.units import Leverage, Percent, Usdc

# How long after a reorganization took a copied fill away it counts as gone for good.
ORPHANED_AFTER = timedelta(minutes=10)


class CopyKind(StrEnum):
    """What the leader did."""

    OPEN = "OPEN"  # put more on: a position, or more of one
    CLOSE = "CLOSE"  # took some or all off, or lost it


class CopyStatus(StrEnum):
    """How far a copy came; what follows is told by its signals."""

    OWED = "OWED"  # the leader traded; nothing is decided yet
    PLANNED = "PLANNED"  # its size is settled, its signal not yet stored
    SENT = "SENT"  # its signals are stored
    SKIPPED = "SKIPPED"  # not copied, with the reason


LIFECYCLE = Lifecycle(
    name="copy",
    initial=(CopyStatus.OWED,),
    moves={
        CopyStatus.OWED: (CopyStatus.PLANNED, CopyStatus.SENT, CopyStatus.SKIPPED),
        CopyStatus.PLANNED: (CopyStatus.SENT, CopyStatus.SKIPPED),
        CopyStatus.SENT: (),
        CopyStatus.SKIPPED: (),
    },
)


class Skip(StrEnum):
    """Why a leader's trade isn't copied."""

    MODE_OFF = "MODE_OFF"  # the follower copies no opens, or nothing
    AUTOMATION_PAUSED = "AUTOMATION_PAUSED"  # the desk copies no opens now
    STALE = "STALE"  # the leader traded longer ago than an entry lives
    SYMBOL = "SYMBOL"  # not among the markets that are copied
    CAP_TRADE = "CAP_TRADE"  # the cap of a trade leaves nothing
    CAP_DAY = "CAP_DAY"  # the day's cap is used up
    LEVERAGE = "LEVERAGE"  # the cap of leverage is below what the market offers
    TOO_SMALL = "TOO_SMALL"  # the size rounds down to nothing
    REORGED = "REORGED"  # the chain took the leader's trade back before it was copied
    NOTHING_HELD = "NOTHING_HELD"  # the follower has nothing that came of the leader's position
    FOLLOWER = "FOLLOWER"  # the follower takes no entries: he is disabled
    LEADER = "LEADER"  # nobody watches the leader anymore
    MARKET = "MARKET"  # the market isn't listed anymore


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadersTrade:
    """What the leader put on. `collateral` is what he put up, his fee included."""

    symbol: str
    collateral: Usdc
    leverage: Leverage
    traded_at: datetime
    # The least that the market offers.
    min_leverage: Leverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where the follower stands as a trade is copied. `used` is what the day's copies have put up or may put up."""

    mode: FollowMode
    used: Usdc
    is_paused: bool
    is_watched: bool
    may_enter: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is copied. `collateral` is None for a share of the equity, which the decision measures; `cuts` say what a cap took."""

    collateral: Usdc | None
    share: Percent | None
    at_most: Usdc | None
    leverage: Leverage
    cuts: tuple[str, ...]


def plan(trade: LeadersTrade, *, terms: Terms, stand: Stand) -> Plan | Skip:
    """A leader's open at the follower's size: what a cap can cut is cut, and only what nothing is left of is refused."""
    refusal = _refusal(trade, terms=terms, stand=stand)
    if refusal is not None:
        return refusal
    leverage = min(trade.leverage, terms.max_leverage or trade.leverage)
    if leverage < trade.min_leverage:
        return Skip.LEVERAGE
    wanted, cap = _wanted(trade, terms), _cap(terms, used=stand.used)
    if wanted is not None and not wanted:
        return Skip.TOO_SMALL
    if cap is not None and cap <= Usdc.zero():
        return Skip.CAP_TRADE if terms.max_trade is not None and not terms.max_trade else Skip.CAP_DAY
    cuts = [f"leverage {trade.leverage}x to {leverage}x"] if leverage < trade.leverage else []
    collateral = wanted if wanted is None or cap is None else min(wanted, cap)
    cuts += [f"collateral ${wanted} to ${collateral}"] if collateral != wanted else []
    share = terms.share if terms.sizing is Sizing.EQUITY_PCT else None
    return Plan(collateral=collateral, share=share, at_most=cap if share else None, leverage=leverage, cuts=tuple(cuts))


def closed_share(*, closed: Usdc, left: Usdc) -> Percent | None:
    """The share of his position that a leader closed, rounded up: less is never left than he has. None: all of it."""
    return Percent.of(100).times_up(closed.raw, closed.raw + left.raw) if left else None


def _refusal(trade: LeadersTrade, *, terms: Terms, stand: Stand) -> Skip | None:
    refusals = (
        (stand.mode is not FollowMode.ON, Skip.MODE_OFF),
        (stand.is_paused, Skip.AUTOMATION_PAUSED),
        (not stand.is_watched, Skip.LEADER),
        (not stand.may_enter, Skip.FOLLOWER),
        (stand.at - trade.traded_at > ENTRY_LIFETIME, Skip.STALE),
        (bool(terms.symbols) and trade.symbol not in terms.symbols, Skip.SYMBOL),
    )
    return next((why for is_so, why in refusals if is_so), None)


def _wanted(trade: LeadersTrade, terms: Terms) -> Usdc | None:
    if terms.sizing is Sizing.FIXED:
        return terms.fixed
    if terms.sizing is Sizing.MIRROR and terms.share is not None:
        return trade.collateral.times_down(terms.share.raw, Percent.HUNDRED)
    return None


def _cap(terms: Terms, *, used: Usdc) -> Usdc | None:
    caps = [cap for cap in (terms.max_trade, None if terms.max_day is None else terms.max_day - used) if cap is not None]
    return min(caps, default=None)
