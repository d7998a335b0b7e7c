"""Results: what fills and closed positions amount to. The results of the parts add up to that of the whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Self

from trading.domain.units import Multiple, Percent, Usdc


class Grain(StrEnum):
    """What results are added up by."""

    DAY = "DAY"
    WEEK = "WEEK"  # from Monday on
    MONTH = "MONTH"
    MARKET = "MARKET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a span of time brought.

    A trade is a position that was closed in it; won if what all its fills made together is above zero. `gains` and
    `losses` are the sums of what won and lost trades made; both are above zero.
    """

    fills: int = 0
    trades: int = 0
    won: int = 0
    gains: Usdc = field(default_factory=Usdc.zero)
    losses: Usdc = field(default_factory=Usdc.zero)
    # What price moves made, before all costs.
    price_pnl: Usdc = field(default_factory=Usdc.zero)
    # The four below are what was paid; funding below zero was received.
    fees: Usdc = field(default_factory=Usdc.zero)
    rollover: Usdc = field(default_factory=Usdc.zero)
    funding: Usdc = field(default_factory=Usdc.zero)
    # Notional of everything that was opened or closed.
    volume: Usdc = field(default_factory=Usdc.zero)

    def __add__(self, other: Self) -> Self:
        parts = (each.name for each in fields(self))
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in parts})

    @property
    def net(self) -> Usdc:
        """What is left of the price moves after all costs: what was earned."""
        return self.price_pnl - self.fees - self.rollover - self.funding

    @property
    def win_rate(self) -> Percent | None:
        """Won trades of all, rounded down; None without a trade."""
        return Percent(Percent.HUNDRED * self.won // self.trades) if self.trades else None

    @property
    def profit_factor(self) -> Multiple | None:
        """How many times the losses the gains were, rounded down; None while nothing was lost."""
        return Multiple(10**Multiple.SCALE * self.gains.raw // self.losses.raw) if self.losses else None

    @property
    def expectancy(self) -> Usdc | None:
        """What a trade made on average, rounded against us; None without a trade."""
        return (self.gains - self.losses).times_down(1, self.trades) if self.trades else None


def total(results: Iterable[Result]) -> Result:
    """All of them together."""
    return sum(results, Result())


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How much had been earned in all when a day ended."""

    day: date
    earned: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall of a curve, and between which days it lies."""

    depth: Usdc
    peak: date
    trough: date


def curve(days: Iterable[tuple[date, Result]]) -> list[Point]:
    """What had been earned by the end of each day, which come in order."""
    points: list[Point] = []
    earned = Usdc.zero()
    for day, result in days:
        earned += result.net
        points.append(Point(day=day, earned=earned))
    return points


def drawdown(points: Iterable[Point]) -> Drawdown | None:
    """The deepest fall below an earlier end of a day, or below nothing, where all begins. None if it never fell."""
    deepest: Drawdown | None = None
    peak: Point | None = None
    for point in points:
        peak = peak or Point(day=point.day, earned=Usdc.zero())
        if point.earned > peak.earned:
            peak = point
        depth = peak.earned - point.earned
        if depth and (deepest is None or depth > deepest.depth):
            deepest = Drawdown(depth=depth, peak=peak.day, trough=point.day)
    return deepest


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How days of trading went, all in all. `best` and `worst` are the days that earned most and least."""

    total: Result
    days: int
    best: tuple[date, Usdc] | None
    worst: tuple[date, Usdc] | None
    drawdown: Drawdown | None


def performance(days: Iterable[tuple[date, Result]]) -> Performance:
    """What is said of days, which come in order. Days on which nothing happened aren't among them."""
    active = [(day, result) for day, result in days if result.fills or result.trades]
    earned = [(day, result.net) for day, result in active]
    return Performance(
        total=total(result for _, result in active),
        days=len(active),
        best=max(earned, key=lambda each: each[1], default=None),
        worst=min(earned, key=lambda each: each[1], default=None),
        drawdown=drawdown(curve(active)),
    )
