"""The paper venue: the contract's own arithmetic, to the unit. Every division rounds toward zero, as the chain's does.

The reference is `PositionMath` and `TradingCallbacks` of the local venue; a test holds both against each other.
"""

from dataclasses import dataclass, field

from trading.domain.position import LIQUIDATION_SHARE, Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

_ONE = 10**Leverage.SCALE


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a market charges: the fees are of the notional, the gain's cap of the collateral."""

    spread: Percent
    open_fee: Percent
    close_fee: Percent
    max_gain: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An open position, and what it owes the venue for the time that it was held. Funding below zero: the venue owes it."""

    direction: Direction
    collateral: Usdc
    leverage: Leverage
    entry: Price
    rollover: Usdc = field(default_factory=Usdc.zero)
    funding: Usdc = field(default_factory=Usdc.zero)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFill:
    """What the paper venue did: the price, the collateral that moved, what it kept of it, and the payout of a close."""

    price: Price
    collateral: Usdc
    fee: Usdc
    payout: Usdc
    rollover: Usdc = field(default_factory=Usdc.zero)
    funding: Usdc = field(default_factory=Usdc.zero)

    @property
    def price_pnl(self) -> Usdc:
        """What the price's move made of a close: with the fee, rollover and funding it explains the payout to the unit."""
        return self.payout - self.collateral + self.fee + self.rollover + self.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an order bounds its fill with. A stop or a target that isn't there bounds nothing."""

    direction: Direction
    opens: bool
    price: Price
    slippage: Percent
    take_profit: Price | None = None
    stop_loss: Price | None = None


def trouble(fill: PaperFill, wish: Wish) -> str:
    """Why the venue doesn't fill an order so, in its own words; empty if it does."""
    is_long = wish.direction is Direction.LONG
    if has_slipped(fill.price, wanted=wish.price, slippage=wish.slippage, buys=is_long == wish.opens):
        return "HIGH_SLIPPAGE"
    if wish.take_profit is not None and _is_past(fill.price, wish.take_profit, is_above=is_long):
        return "WRONG_TP"
    if wish.stop_loss is not None and _is_past(fill.price, wish.stop_loss, is_above=not is_long):
        return "WRONG_SL"
    return ""


def _is_past(price: Price, level: Price, *, is_above: bool) -> bool:
    """Whether a level that should lie above a price, or below it, doesn't."""
    return level <= price if is_above else level >= price


def fill_open(*, price: Price, terms: Terms, direction: Direction, collateral: Usdc, leverage: Leverage) -> PaperFill:
    """An open: bought above or sold below the price, the fee on the notional taken out of the collateral."""
    fee = _percent_of(size(collateral, leverage), terms.open_fee)
    at = with_spread(price, spread=terms.spread, buys=direction is Direction.LONG)
    return PaperFill(price=at, collateral=collateral - fee, fee=fee, payout=Usdc.zero())


def fill_close(*, price: Price, terms: Terms, held: Held, amount: Usdc) -> PaperFill:
    """A close of so much of a position's collateral, which bears its share of what the position owes."""
    at = with_spread(price, spread=terms.spread, buys=held.direction is Direction.SHORT)
    gain = percent_profit(held, at=at, most=terms.max_gain)
    fee = _percent_of(size(amount, held.leverage), terms.close_fee)
    rollover, funding = (_share(owed, amount, held.collateral) for owed in (held.rollover, held.funding))
    worth = amount + _signed(amount, gain.raw, Percent.HUNDRED) - rollover - funding
    payout = _payout(worth, amount=amount, fee=fee)
    return PaperFill(
        price=at,
        collateral=amount,
        # What pays nothing has nothing left for a fee.
        fee=fee if payout else Usdc.zero(),
        payout=payout,
        rollover=rollover,
        funding=funding,
    )


def liquidate(*, price: Price, terms: Terms, held: Held) -> PaperFill:
    """A liquidation: everything is closed, and nothing is paid out."""
    at = with_spread(price, spread=terms.spread, buys=held.direction is Direction.SHORT)
    nothing = Usdc.zero()
    return PaperFill(
        price=at, collateral=held.collateral, fee=nothing, payout=nothing, rollover=held.rollover, funding=held.funding
    )


def is_liquidated(held: Held, *, price: Price) -> bool:
    """Whether the price, before any spread, has reached where the venue takes the position away."""
    edge = liquidation_price(held)
    return price <= edge if held.direction is Direction.LONG else price >= edge


def liquidation_price(held: Held) -> Price:
    """`entry ∓ entry × (collateral × 0.85 − rollover − funding) / (collateral × leverage)`, never below zero."""
    share, whole = LIQUIDATION_SHARE
    left = max(held.collateral.times_down(share, whole) - held.rollover - held.funding, Usdc.zero())
    distance = held.entry.times_down(left.raw * _ONE, held.collateral.raw * held.leverage.raw)
    return max(held.entry - distance, Price.zero()) if held.direction is Direction.LONG else held.entry + distance


def percent_profit(held: Held, *, at: Price, most: Percent) -> Percent:
    """The profit at a price in percent of the collateral, no higher than the market's cap."""
    move = at - held.entry if held.direction is Direction.LONG else held.entry - at
    return min(Percent(_toward_zero(move.raw * 100 * held.leverage.raw, held.entry.raw)), most)


def profit(held: Held, *, at: Price) -> Usdc:
    """What a price makes of the whole collateral, whatever its cap."""
    move = at - held.entry if held.direction is Direction.LONG else held.entry - at
    return _signed(held.collateral, move.raw * held.leverage.raw, held.entry.raw * _ONE)


def with_spread(price: Price, *, spread: Percent, buys: bool) -> Price:
    """The price after the spread: a buyer pays more, a seller gets less."""
    part = price.times_down(spread.raw, Percent.HUNDRED)
    return price + part if buys else price - part


def has_slipped(price: Price, *, wanted: Price, slippage: Percent, buys: bool) -> bool:
    """Whether a fill lies beyond the slippage, on the side that hurts."""
    room = wanted.times_down(slippage.raw, Percent.HUNDRED)
    return price > wanted + room if buys else price + room < wanted


def size(collateral: Usdc, leverage: Leverage) -> Usdc:
    """The notional as the contract has it, rounded down; what we hold against limits is rounded up."""
    return collateral.times_down(leverage.raw, _ONE)


def _payout(worth: Usdc, *, amount: Usdc, fee: Usdc) -> Usdc:
    """Nothing once the liquidation's loss is reached, else what is left after the fee."""
    lost, whole = LIQUIDATION_SHARE
    if worth <= amount.times_down(whole - lost, whole):
        return Usdc.zero()
    return max(worth - fee, Usdc.zero())


def _percent_of(amount: Usdc, percent: Percent) -> Usdc:
    return amount.times_down(percent.raw, Percent.HUNDRED)


def _share(owed: Usdc, amount: Usdc, whole: Usdc) -> Usdc:
    return _signed(owed, amount.raw, whole.raw)


def _signed(amount: Usdc, numerator: int, denominator: int) -> Usdc:
    return Usdc(_toward_zero(amount.raw * numerator, denominator))


def _toward_zero(numerator: int, denominator: int) -> int:
    whole = abs(numerator) // denominator
    return whole if numerator >= 0 else -whole
