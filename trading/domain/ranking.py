"""Ranking: who of the leaders did best in a window, by what he earned, by how much he traded, or by how steadily."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trading.domain.result import Result
from trading.domain.units import Multiple, Percent

# With fewer closed trades nobody is steady: he was lucky, or wasn't.
LEAST_TRADES = 10


class Window(StrEnum):
    """How many days back."""

    WEEK = "7"
    MONTH = "30"
    QUARTER = "90"


class Measure(StrEnum):
    """What the best have the most of."""

    PNL = "PNL"  # realised profit, costs included
    VOLUME = "VOLUME"  # notional opened and closed
    CONSISTENCY = "CONSISTENCY"  # profitable days of all on which he traded; among equals, gains over losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one leader did in a window. `days` are those on which something was filled, `good_days` those that earned."""

    leader_id: int
    result: Result
    days: int
    good_days: int

    @property
    def consistency(self) -> Percent | None:
        """The share of his days that earned, rounded down; None with fewer than LEAST_TRADES closed trades."""
        if self.result.trades < LEAST_TRADES or not self.days:
            return None
        return Percent(Percent.HUNDRED * self.good_days // self.days)


def ranked(standings: Iterable[Standing], *, by: Measure) -> list[Standing]:
    """The best first; whom a measure doesn't know comes last, and who is equal in the order of the leaders' numbers."""
    return sorted(standings, key=lambda each: (*_worse(each, by), each.leader_id))


def _worse(standing: Standing, by: Measure) -> tuple[int, ...]:
    match by:
        case Measure.PNL:
            return (-standing.result.net.raw,)
        case Measure.VOLUME:
            return (-standing.result.volume.raw,)
        case Measure.CONSISTENCY:
            return _unsteadiness(standing)


def _unsteadiness(standing: Standing) -> tuple[int, ...]:
    share, factor = standing.consistency, standing.result.profit_factor
    if share is None:
        return (1, 0, 0, 0)
    # Who lost nothing has no factor, and is ahead of all who have one.
    return (0, -share.raw, 0 if factor is None else 1, -(factor or Multiple.zero()).raw)
