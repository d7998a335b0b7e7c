"""What holding a position costs, by the hour and by the second, as the venue counts it: every division toward zero."""

from datetime import timedelta

from trading.domain.position import Direction
from trading.domain.units import Percent, Usdc

_SECONDS_PER_HOUR = 3600


def rollover(size: Usdc, *, rate: Percent, elapsed: timedelta) -> Usdc:
    """What a notional pays for a time at an hourly rate; the venue counts whole seconds."""
    return _share(size, rate.raw * _seconds(elapsed))


def funding(size: Usdc, *, rate: Percent, elapsed: timedelta, direction: Direction) -> Usdc:
    """What a side pays the other: positive, it pays; negative, it is paid. At a positive rate longs pay."""
    sign = 1 if direction is Direction.LONG else -1
    return _share(size, sign * rate.raw * _seconds(elapsed))


def _seconds(elapsed: timedelta) -> int:
    return int(elapsed.total_seconds())


def _share(size: Usdc, rate_seconds: int) -> Usdc:
    whole = size.raw * abs(rate_seconds) // (Percent.HUNDRED * _SECONDS_PER_HOUR)
    return Usdc(whole if rate_seconds >= 0 else -whole)
