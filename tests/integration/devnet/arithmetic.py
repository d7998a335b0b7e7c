"""The venue's arithmetic, computed again from its definition: whole numbers, every division toward zero."""

from dataclasses import dataclass
from fractions import Fraction

ONE = 10**10


def toward_zero(value: Fraction) -> int:
    """The whole part."""
    return abs(value.numerator) // value.denominator * (1 if value >= 0 else -1)


def share(amount: int, percent: Fraction) -> int:
    return toward_zero(amount * percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A position as it must have been stored."""

    collateral: int
    leverage: int
    price: int
    fee: int
    buy: bool

    @property
    def notional(self) -> int:
        return notional(self.collateral, self.leverage)


def notional(collateral: int, leverage: int) -> int:
    return toward_zero(Fraction(collateral * leverage, ONE))


def opened(*, collateral: int, leverage: int, oracle: int, buy: bool) -> Opened:
    fee = share(notional(collateral, leverage), Fraction(45, 1000))
    spread = share(oracle, Fraction(1, 100))
    price = oracle + spread if buy else oracle - spread
    return Opened(collateral=collateral - fee, leverage=leverage, price=price, fee=fee, buy=buy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a closing must amount to."""

    price: int
    percent: int
    sent: int


def closed(position: Opened, *, amount: int, oracle: int, seconds: int) -> Closed:
    spread = share(oracle, Fraction(1, 100))
    price = oracle - spread if position.buy else oracle + spread
    gain = price - position.price if position.buy else position.price - price
    percent = min(toward_zero(Fraction(gain * 100 * position.leverage, position.price)), 2500 * ONE)
    return Closed(price=price, percent=percent, sent=_sent(position, amount, percent, seconds))


def _sent(position: Opened, amount: int, percent: int, seconds: int) -> int:
    profit = toward_zero(Fraction(amount * percent, 100 * ONE))
    owed = rollover(position.notional, seconds) * amount // position.collateral
    value = amount + profit - owed
    if value <= amount * 15 // 100:
        return 0
    fee = share(notional(amount, position.leverage), Fraction(45, 1000))
    return max(0, value - fee)


def rollover(notional_usdc: int, seconds: int) -> int:
    """0.00171 % of the notional an hour."""
    return toward_zero(notional_usdc * Fraction(171, 100_000) / 100 * Fraction(seconds, 3600))


def liquidation_price(position: Opened, *, seconds: int) -> int:
    loss = position.collateral * 85 // 100 - rollover(position.notional, seconds)
    distance = toward_zero(Fraction(position.price * loss * ONE, position.collateral * position.leverage))
    return position.price - distance if position.buy else position.price + distance
