"""The prices that a guard means, once the entry's price is known."""

from dataclasses import dataclass
from typing import assert_never

from trading.domain.position import Direction
from trading.domain.protection import AtMove, AtPrice, AtReward, Level, Protection
from trading.domain.units import Multiple, Percent, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The prices that a guard means for one entry. A target measured by the stop has none without a stop."""

    stop: Price | None = None
    targets: tuple[Price | None, ...] = ()


def of(guard: Protection, *, entry: Price, direction: Direction) -> Levels:
    """The guard's prices for a position entered at a price. Each is rounded toward the entry: reached earlier, never later."""
    stop = None if guard.stop is None else _stop(guard.stop, entry=entry, direction=direction)
    targets = tuple(_target(each.level, entry=entry, stop=stop, direction=direction) for each in guard.targets)
    return Levels(stop=stop, targets=targets)


def _stop(level: AtPrice | AtMove, *, entry: Price, direction: Direction) -> Price:
    if isinstance(level, AtPrice):
        return level.price
    return _moved(entry, entry.times_down(level.share.raw, Percent.HUNDRED), gains=False, direction=direction)


def _target(level: Level, *, entry: Price, stop: Price | None, direction: Direction) -> Price | None:
    match level:
        case AtPrice():
            return level.price
        case AtMove():
            return _moved(entry, entry.times_down(level.share.raw, Percent.HUNDRED), gains=True, direction=direction)
        case AtReward():
            risk = None if stop is None else abs(entry - stop).times_down(level.multiple.raw, 10**Multiple.SCALE)
            return None if risk is None else _moved(entry, risk, gains=True, direction=direction)
        case _:
            assert_never(level)


def _moved(entry: Price, distance: Price, *, gains: bool, direction: Direction) -> Price:
    # A long gains upward, a short downward.
    is_up = gains is (direction is Direction.LONG)
    return entry + distance if is_up else entry - distance
