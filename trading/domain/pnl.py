"""What an open position is worth and where it ends, in the venue's own arithmetic.

Whole numbers at the chain's scales, every division toward zero: so each equals the contract's, to the unit.
"""

from dataclasses import dataclass
from datetime import timedelta

from trading.domain import carrying
from trading.domain.position import LIQUIDATION_SHARE, Direction, Held
from trading.domain.units import Leverage, Percent, Price, Usdc

_ONE = 10**Leverage.SCALE


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What holding a position has cost since the venue last took it. Negative funding is owed to its trader."""

    rollover: Usdc
    funding: Usdc

    @property
    def total(self) -> Usdc:
        """Both."""
        return self.rollover + self.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrealised:
    """What closing all of a position would bring now, in its parts."""

    price: Usdc
    owed: Owed
    close_fee: Usdc

    @property
    def net(self) -> Usdc:
        """Of all the parts."""
        return self.price - self.owed.total - self.close_fee


def size(held: Held) -> Usdc:
    """The notional as the venue counts it: rounded down."""
    return held.collateral.times_down(held.leverage.raw, _ONE)


def owed(held: Held, *, direction: Direction, rollover: Percent, funding: Percent, elapsed: timedelta) -> Owed:
    """What is owed after a time at two hourly rates."""
    notional = size(held)
    return Owed(
        rollover=carrying.rollover(notional, rate=rollover, elapsed=elapsed),
        funding=carrying.funding(notional, rate=funding, elapsed=elapsed, direction=direction),
    )


def liquidation_price(held: Held, *, direction: Direction, owed: Usdc) -> Price:
    """Where the venue closes a position that owes so much: entry ∓ entry × (0.85 × collateral − owed) / notional."""
    share, whole = LIQUIDATION_SHARE
    room = max(held.collateral.times_down(share, whole) - owed, Usdc.zero())
    distance = held.entry.times_down(room.raw * _ONE, held.collateral.raw * held.leverage.raw)
    if direction is Direction.SHORT:
        return held.entry + distance
    return max(held.entry - distance, Price.zero())


def distance(price: Price, *, liquidation: Price, direction: Direction) -> Percent:
    """How far a price is from liquidation, in percent of itself; zero once it is reached."""
    left = price - liquidation if direction is Direction.LONG else liquidation - price
    return Percent(max(left.raw, 0) * Percent.HUNDRED // price.raw)


def gain(held: Held, *, direction: Direction, price: Price) -> Usdc:
    """What a price makes of the collateral, before any cost. The venue rounds the percentage first."""
    move = price.raw - held.entry.raw if direction is Direction.LONG else held.entry.raw - price.raw
    percent = _toward_zero(move * 100 * held.leverage.raw, held.entry.raw)
    return Usdc(_toward_zero(held.collateral.raw * percent, Percent.HUNDRED))


def unrealised(held: Held, *, direction: Direction, price: Price, owed: Owed, close_fee: Percent) -> Unrealised:
    """What closing all of it at a price would bring; the price is the oracle's, after the spread if one is meant."""
    fee = size(held).times_down(close_fee.raw, Percent.HUNDRED)
    return Unrealised(price=gain(held, direction=direction, price=price), owed=owed, close_fee=fee)


def _toward_zero(numerator: int, denominator: int) -> int:
    whole = abs(numerator) // denominator
    return whole if numerator >= 0 else -whole
