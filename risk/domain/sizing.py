"""Sizing: from a share of the balance, or a share of the equity that may be lost at the stop, to collateral.

Everything rounds down: a size is never more than was asked for.
"""

from dataclasses import dataclass
from enum import StrEnum

from trading.domain.position import LIQUIDATION_SHARE
from trading.domain.signal import Size, SizeKind
from trading.domain.units import Leverage, Percent, Price, Usdc


class Unsized(StrEnum):
    """Why no collateral could be computed."""

    STOP_REQUIRED = "STOP_REQUIRED"  # sized by risk, and nothing says where the risk ends
    PRICE_UNKNOWN = "PRICE_UNKNOWN"  # sized by risk, and there is no price
    NOTHING = "NOTHING"  # what was asked for rounds down to nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a size stands on: money, the price, the stop, and what a round trip costs of the notional."""

    free: Usdc
    equity: Usdc
    leverage: Leverage
    price: Price | None
    stop_loss: Price | None
    cost: Percent


def collateral(size: Size, ground: Ground) -> Usdc | Unsized:
    """The collateral that a size means, or why it can't be said."""
    found = _measured(size, ground)
    return Unsized.NOTHING if isinstance(found, Usdc) and found.raw <= 0 else found


def _measured(size: Size, ground: Ground) -> Usdc | Unsized:
    match size.kind:
        case SizeKind.BALANCE_PCT:
            return ground.free.times_down(size.share.raw, Percent.HUNDRED)
        case SizeKind.EQUITY_PCT:
            return ground.equity.times_down(size.share.raw, Percent.HUNDRED)
        case SizeKind.RISK_PCT:
            return _by_risk(size.share, ground)


def _by_risk(share: Percent, ground: Ground) -> Usdc | Unsized:
    if ground.stop_loss is None:
        return Unsized.STOP_REQUIRED
    if ground.price is None:
        return Unsized.PRICE_UNKNOWN
    held = position(
        equity=ground.equity, risk=share, entry=ground.price, stop=ground.stop_loss, leverage=ground.leverage, cost=ground.cost
    )
    return min(held, ground.free)


def position(*, equity: Usdc, risk: Percent, entry: Price, stop: Price, leverage: Leverage, cost: Percent) -> Usdc:
    """The collateral of a position that loses a share of the equity at its stop, costs included, rounded down.

    quantity = equity × risk / (|entry − stop| + entry × cost); notional = quantity × entry; collateral =
    notional / leverage (the formula of product.md's `risk_pct`, with exact integers).
    """
    # Over HUNDRED throughout, so that nothing is rounded but the result.
    loss_for_each = abs(entry - stop).raw * Percent.HUNDRED + entry.raw * cost.raw
    if loss_for_each == 0:
        return Usdc.zero()
    numerator = risk.raw * entry.raw * 10**Leverage.SCALE
    return equity.times_down(numerator, loss_for_each * leverage.raw)


def loss_at(stop: Price, *, entry: Price, notional: Usdc, cost: Percent) -> Usdc:
    """What a position loses when it is closed at its stop, costs included, rounded up."""
    return notional.times_up(abs(entry - stop).raw * Percent.HUNDRED + entry.raw * cost.raw, entry.raw * Percent.HUNDRED)


def furthest_stop(*, entry: Price, leverage: Leverage, buffer: Percent) -> Price:
    """How far a stop may lie from the entry: the way to liquidation less the buffer, a share of that way; rounded down."""
    share, whole = LIQUIDATION_SHARE
    left = Percent.HUNDRED - buffer.raw
    return entry.times_down(share * left * 10**Leverage.SCALE, whole * Percent.HUNDRED * leverage.raw)


def safe_leverage(*, entry: Price, stop: Price, buffer: Percent) -> Leverage | None:
    """The highest leverage at which a stop still lies before liquidation with the buffer; None: the stop is the entry."""
    distance = abs(entry - stop)
    if not distance:
        return None
    share, whole = LIQUIDATION_SHARE
    left = Percent.HUNDRED - buffer.raw
    return Leverage.from_raw(share * left * 10**Leverage.SCALE * entry.raw // (whole * Percent.HUNDRED * distance.raw))
