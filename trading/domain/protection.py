"""What guards a position: where it stops, where it takes its profit, and how the stop follows the price."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

from trading.domain.units import Multiple, Percent, Price

EVERYTHING = Percent.of(100)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPrice:
    """At this price."""

    price: Price

    def __str__(self) -> str:
        return str(self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMove:
    """Where the price has moved by this share of the entry price."""

    share: Percent

    def __str__(self) -> str:
        return f"{self.share}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtReward:
    """Where the price has gained this many times the stop's distance."""

    multiple: Multiple

    def __str__(self) -> str:
        return f"{self.multiple}R"


Level = AtPrice | AtMove | AtReward


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where how much of the position is closed with a gain."""

    level: Level
    close_share: Percent = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A stop that follows the best price at a distance, once the price has gained so much; both of the entry price."""

    activate: Percent
    distance: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """A position's whole guard. `breakeven_after`: the stop goes to the entry once so many targets were hit.

    `time_stop`: all of it is closed so long after the position was opened.
    """

    stop: AtPrice | AtMove | None = None
    targets: tuple[Target, ...] = ()
    breakeven_after: int | None = None
    trail: Trail | None = None
    time_stop: timedelta | None = None

    @property
    def closes_all(self) -> bool:
        """Whether its targets together close the whole position; less leaves a rest to the stop."""
        return sum(target.close_share.raw for target in self.targets) == EVERYTHING.raw

    @property
    def is_simple(self) -> bool:
        """Whether the venue's own two levels say all of it: one stop, and one target for the whole position."""
        whole = len(self.targets) <= 1 and all(target.close_share == EVERYTHING for target in self.targets)
        return whole and (self.breakeven_after, self.trail, self.time_stop) == (None, None, None)


def plain(*, take_profit: Price | None, stop_loss: Price | None) -> Protection:
    """The guard that two prices are."""
    return Protection(
        stop=None if stop_loss is None else AtPrice(price=stop_loss),
        targets=() if take_profit is None else (Target(level=AtPrice(price=take_profit)),),
    )


# As a row keeps it.


def as_json(guard: Protection) -> dict[str, Any]:
    """The guard in plain words and decimal strings."""
    return {
        "stop": None if guard.stop is None else _level_as_json(guard.stop),
        "targets": [_level_as_json(each.level) | {"close_pct": str(each.close_share)} for each in guard.targets],
        "breakeven_after": guard.breakeven_after,
        "trail": None
        if guard.trail is None
        else {"activate_pct": str(guard.trail.activate), "distance_pct": str(guard.trail.distance)},
        "time_stop_minutes": None if guard.time_stop is None else guard.time_stop // MINUTE,
    }


def of_json(kept: Mapping[str, Any]) -> Protection:
    """The guard that `as_json` wrote."""
    stop, trail = kept["stop"], kept["trail"]
    # Rows from before there was one don't say it.
    minutes = kept.get("time_stop_minutes")
    found = None if stop is None else _level_of_json(stop)
    if isinstance(found, AtReward):
        raise TypeError("a stop can't be measured by itself")
    return Protection(
        stop=found,
        targets=tuple(Target(level=_level_of_json(each), close_share=Percent.of(each["close_pct"])) for each in kept["targets"]),
        breakeven_after=kept["breakeven_after"],
        trail=None
        if trail is None
        else Trail(activate=Percent.of(trail["activate_pct"]), distance=Percent.of(trail["distance_pct"])),
        time_stop=None if minutes is None else minutes * MINUTE,
    )


def _level_as_json(level: Level) -> dict[str, str]:
    match level:
        case AtPrice():
            return {"price": str(level.price)}
        case AtMove():
            return {"move_pct": str(level.share)}
        case AtReward():
            return {"reward": str(level.multiple)}
        case _:
            assert_never(level)


def _level_of_json(kept: Mapping[str, str]) -> Level:
    if "price" in kept:
        return AtPrice(price=Price.of(kept["price"]))
    if "move_pct" in kept:
        return AtMove(share=Percent.of(kept["move_pct"]))
    return AtReward(multiple=Multiple.of(kept["reward"]))
