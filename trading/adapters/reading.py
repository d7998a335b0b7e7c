"""Numbers of price services as quantities, or None: what makes no sense is left out, and never raises."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from trading.domain.units import Price

# No coin has cost a billionth of this; what is above is a broken scale.
HIGHEST = Price.of(10**15)
# Scales that price services use, with room.
_EXPONENTS = range(-18, 9)
_MOST_DIGITS = 40
_INTEGER = re.compile(r"-?[0-9]{1,30}", re.ASCII)
# The year 2100: later is a broken unit.
_LATEST_SECOND = 4_102_444_800


def price(mantissa: int, exponent: int) -> Price | None:
    """A price of `mantissa` × 10^`exponent`, rounded down at our scale."""
    if exponent not in _EXPONENTS:
        return None
    shift = Price.SCALE + exponent
    raw = mantissa * 10**shift if shift >= 0 else mantissa // 10**-shift
    found = Price.from_raw(raw)
    return found if abs(found) <= HIGHEST else None


def price_of_number(number: object) -> Price | None:
    """A price as JSON writes it, rounded down at our scale."""
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return None
    exact = Decimal(number)
    _, digits, exponent = exact.as_tuple()
    # By its parts, before anything is multiplied out.
    if not isinstance(exponent, int) or exponent < -_MOST_DIGITS or len(digits) > _MOST_DIGITS or exact.adjusted() > _MOST_DIGITS:
        return None
    found = Price.round_down(exact)
    return found if abs(found) <= HIGHEST else None


def integer(text: object) -> int | None:
    """An integer that a service writes as a string."""
    return int(text) if isinstance(text, str) and _INTEGER.fullmatch(text) else None


def whole(number: object) -> int | None:
    """An integer that a service writes as a number."""
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def instant(seconds: object) -> datetime | None:
    """An instant from the seconds since 1970."""
    number = whole(seconds)
    return datetime.fromtimestamp(number, tz=UTC) if number is not None and 0 < number <= _LATEST_SECOND else None


def fields(part: object) -> Mapping[str, object]:
    """A JSON object's fields; none of anything else."""
    return part if isinstance(part, dict) else {}
