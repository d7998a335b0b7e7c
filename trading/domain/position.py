"""A position and its arithmetic, exact to the unit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from trading.domain.lifecycle import Lifecycle
from trading.domain.signal import Side
from trading.domain.units import Leverage, Percent, Price, Usdc, notional

# Share of the collateral that a position may lose before the venue liquidates it
# (venue.md section 3.4: 85 %).
LIQUIDATION_SHARE = (85, 100)


class Direction(StrEnum):
    """Which way a position gains."""

    LONG = "LONG"
    SHORT = "SHORT"

    @classmethod
    def of(cls, side: Side) -> "Direction":
        """The direction that an opening side asks for.

        Raises:
            ValueError: for CLOSE, which has none.
        """
        return cls(side.value)


class PositionStatus(StrEnum):
    """Whether there is still something to close."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    VOID = "VOID"  # a reorganization took its opening fill away


class Origin(StrEnum):
    """Whose position it is."""

    OURS = "OURS"  # a signal asked for it
    EXTERNAL = "EXTERNAL"  # its owner's own, or one that was found on the venue; it is closed like any other

    @classmethod
    def of(cls, signal_id: int | None) -> "Origin":
        """Of what asked for it; None: nothing of ours."""
        return cls.EXTERNAL if signal_id is None else cls.OURS


LIFECYCLE = Lifecycle(
    name="position",
    initial=(PositionStatus.OPEN,),
    moves={
        PositionStatus.OPEN: (PositionStatus.CLOSED, PositionStatus.VOID),
        # A reorganization can take the closing fill away again, or bring the opening one back.
        PositionStatus.CLOSED: (PositionStatus.OPEN, PositionStatus.VOID),
        PositionStatus.VOID: (PositionStatus.OPEN, PositionStatus.CLOSED),
    },
)


class FillKind(StrEnum):
    """What the venue did."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    LIQUIDATION = "LIQUIDATION"
    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LOSS = "STOP_LOSS"
    INCREASE = "INCREASE"  # more collateral and more notional, at a price of its own
    MARGIN = "MARGIN"  # more collateral or less, the notional as it was
    ADOPTED = "ADOPTED"  # found on the venue by reconciliation: nothing was executed

    @property
    def closes(self) -> bool:
        """Whether it ends a part of the position, or all of it."""
        return self in CLOSING

    @property
    def opens(self) -> bool:
        """Whether collateral was put up for more notional, less the opening fee."""
        return self in OPENING


class LevelKind(StrEnum):
    """Which of a position's levels."""

    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LOSS = "STOP_LOSS"


OPENING = frozenset((FillKind.OPEN, FillKind.INCREASE))
CLOSING = frozenset((FillKind.CLOSE, FillKind.LIQUIDATION, FillKind.TAKE_PROFIT, FillKind.STOP_LOSS))
# They say what they leave.
RESIZING = frozenset((FillKind.INCREASE, FillKind.MARGIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is open of a position at one moment."""

    collateral: Usdc
    leverage: Leverage
    entry: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Where the venue itself closes a position; None: it doesn't."""

    take_profit: Price | None
    stop_loss: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFacts:
    """What one fill says about its position. `after`: what an increase or a change of margin leaves; None for the others.

    `earned`: what is left of it for the trader; the fee of an opening is in it, and not in what it realised.
    """

    kind: FillKind
    price: Price
    collateral: Usdc
    leverage: Leverage
    realised_pnl: Usdc
    earned: Usdc
    filled_at: datetime
    after: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a position amounts to after its fills."""

    status: PositionStatus
    collateral: Usdc
    leverage: Leverage
    entry_price: Price
    realised_pnl: Usdc
    net_pnl: Usdc
    closed_at: datetime | None


def fold(fills: Iterable[FillFacts]) -> Holding | None:
    """What the fills of one position, in the chain's order, amount to; None without one that says what there was."""
    ordered = list(fills)
    held: Held | None = None
    for fill in ordered:
        held = _after(fill, held)
    if held is None:
        return None
    return Holding(
        status=PositionStatus.OPEN if held.collateral else PositionStatus.CLOSED,
        collateral=held.collateral,
        leverage=held.leverage,
        entry_price=held.entry,
        realised_pnl=sum((fill.realised_pnl for fill in ordered), Usdc.zero()),
        net_pnl=sum((fill.earned for fill in ordered), Usdc.zero()),
        closed_at=None if held.collateral else ordered[-1].filled_at,
    )


def _after(fill: FillFacts, before: Held | None) -> Held | None:
    if fill.kind in (FillKind.OPEN, FillKind.ADOPTED):
        return Held(collateral=fill.collateral, leverage=fill.leverage, entry=fill.price)
    if fill.after is not None:
        return fill.after
    # A part of something that we didn't see begin, or grow: what it leaves isn't known.
    if before is None or fill.collateral > before.collateral:
        return None
    return replace(before, collateral=before.collateral - fill.collateral)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One open or reserved amount of risk in a market."""

    symbol: str
    direction: Direction
    collateral: Usdc
    leverage: Leverage

    @property
    def notional(self) -> Usdc:
        """Collateral times leverage, rounded up."""
        return notional(self.collateral, self.leverage)


def gross_profit(*, direction: Direction, collateral: Usdc, leverage: Leverage, entry: Price, exit_price: Price) -> Usdc:
    """What a price move is worth before fees, rounded against us.

    The venue's own formula: notional × (exit − entry) / entry for a long.
    """
    move = exit_price.raw - entry.raw if direction is Direction.LONG else entry.raw - exit_price.raw
    return collateral.times_down(leverage.raw * move, 10**Leverage.SCALE * entry.raw)


def liquidation_price(*, direction: Direction, leverage: Leverage, entry: Price) -> Price:
    """Where the venue closes a position that has paid no rollover or funding yet.

    `entry ∓ entry × 0.85 / leverage` (venue.md section 3.4), rounded toward the entry: earlier, never later.
    """
    share, whole = LIQUIDATION_SHARE
    distance = entry.times_down(share * 10**Leverage.SCALE, whole * leverage.raw)
    return entry - distance if direction is Direction.LONG else entry + distance


def worst_price(*, price: Price, slippage: Percent, buys: bool) -> Price:
    """The worst acceptable price for a buyer (above) or a seller (below)."""
    if buys:
        return price.times_down(Percent.HUNDRED + slippage.raw, Percent.HUNDRED)
    return price.times_up(Percent.HUNDRED - slippage.raw, Percent.HUNDRED)
