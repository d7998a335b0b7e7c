"""Money and its kin as exact numbers at the chain's own scale.

A quantity is an integer with a unit. Only same with same adds or compares, every rounding is
named, and nothing here knows a float. Scales are the venue's (USDC 6 decimals; prices, leverage
and percents 10; wei 0).
"""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import ClassVar, Self

from trading.domain.errors import Invalid

# The default context keeps 28 digits and rounds silently; this one keeps any number that
# fits 256 bits and raises instead of rounding. Its small exponents are a guard too:
# int(Decimal("1e1000000")) would burn half a minute.
_EXACT = Context(prec=100, Emin=-90, Emax=90, traps=[Inexact, InvalidOperation, Overflow])


class NotExact(Invalid):
    """A number has more decimals than its unit, or isn't a finite number."""

    code = "NUMBER_NOT_EXACT"


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An amount of one unit: `raw` counts the unit's smallest part."""

    raw: int
    SCALE: ClassVar[int] = 0

    @classmethod
    def of(cls, number: str | int | Decimal) -> Self:
        """This quantity from a human's number.

        Raises:
            NotExact: if it has more than SCALE decimals or isn't finite.
            TypeError: for a float, even one that happens to be exact.
        """
        if isinstance(number, float):
            raise TypeError("a float is never an amount")
        try:
            scaled = _EXACT.scaleb(_EXACT.create_decimal(number), cls.SCALE)
            return cls(int(scaled.to_integral_exact(context=_EXACT)))
        except (Inexact, InvalidOperation, OverflowError, ValueError):
            raise NotExact(f"not a number with at most {cls.SCALE} decimals") from None

    @classmethod
    def from_raw(cls, raw: int) -> Self:
        """This quantity from the chain's integer."""
        return cls(raw)

    @classmethod
    def zero(cls) -> Self:
        """None of it."""
        return cls(0)

    @property
    def decimal(self) -> Decimal:
        """The human's number, with SCALE decimals."""
        return _EXACT.scaleb(Decimal(self.raw), -self.SCALE)

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)(self.raw + other.raw)

    def __sub__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)(self.raw - other.raw)

    def __neg__(self) -> Self:
        return type(self)(-self.raw)

    def __abs__(self) -> Self:
        return type(self)(abs(self.raw))

    def __bool__(self) -> bool:
        return self.raw != 0

    def __str__(self) -> str:
        plain = f"{self.decimal:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain

    def times_down(self, numerator: int, denominator: int = 1) -> Self:
        """A share of it, rounded toward minus infinity."""
        return type(self)(self.raw * numerator // denominator)

    def times_up(self, numerator: int, denominator: int = 1) -> Self:
        """A share of it, rounded toward plus infinity."""
        return type(self)(-(-self.raw * numerator // denominator))


class Usdc(Quantity):
    """US dollars of the stablecoin, 6 decimals."""

    __slots__ = ()
    SCALE = 6


class Price(Quantity):
    """US dollars for one coin, 10 decimals."""

    __slots__ = ()
    SCALE = 10

    @classmethod
    def round_down(cls, number: Decimal) -> Self:
        """The nearest price not above a number that may have more decimals."""
        # As a fraction: the default context would round to 28 digits first, perhaps the other way.
        numerator, denominator = _EXACT.create_decimal(number).as_integer_ratio()
        return cls(numerator * 10**cls.SCALE // denominator)

    @classmethod
    def round_up(cls, number: Decimal) -> Self:
        """The nearest price not below a number that may have more decimals."""
        return -cls.round_down(_EXACT.minus(number))


class Leverage(Quantity):
    """Notional over collateral, 10 decimals."""

    __slots__ = ()
    SCALE = 10


class Percent(Quantity):
    """Hundredths, 10 decimals: `Percent.of(1)` is one percent, as the venue writes slippage."""

    __slots__ = ()
    SCALE = 10

    HUNDRED: ClassVar[int] = 100 * 10**10


class Multiple(Quantity):
    """How many times another quantity, 10 decimals."""

    __slots__ = ()
    SCALE = 10


class Wei(Quantity):
    """The chain's own coin in its smallest part."""

    __slots__ = ()
    SCALE = 0


def notional(collateral: Usdc, leverage: Leverage) -> Usdc:
    """Collateral times leverage, rounded up: a limit is never passed by a rounding."""
    return collateral.times_up(leverage.raw, 10**Leverage.SCALE)
