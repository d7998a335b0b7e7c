"""What recent closes say about the next entry: a cooldown, too many stop-losses, a market that earns nothing.

Each answer follows from the closes alone, not from when somebody looks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from risk.domain.lock import LockKind, LockPlan
from trading.domain.position import FillKind
from trading.domain.units import Usdc

# What lies further back than this isn't read.
LONGEST_WINDOW = timedelta(days=30)
# A liquidation is a stop-loss that came too late.
STOPS = (FillKind.STOP_LOSS, FillKind.LIQUIDATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """One closing fill. `is_last` says that nothing of its position is left."""

    symbol: str
    kind: FillKind
    profit: Usdc
    closed_at: datetime
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLossGuard:
    """So many stop-losses within a window lock the account, from the last of them on."""

    count: int
    window: timedelta
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitFloor:
    """A market that realised less than the floor within a window is locked, from its last close on."""

    floor: Usdc
    window: timedelta
    lasts: timedelta


def cooldown(closings: Iterable[Closing], *, symbol: str, lasts: timedelta) -> LockPlan | None:
    """A market rests after a position in it was closed."""
    closed = [each.closed_at for each in closings if each.symbol == symbol and each.is_last]
    if not closed:
        return None
    return LockPlan(
        kind=LockKind.COOLDOWN,
        symbol=symbol,
        value=f"closed {_clock(max(closed))}",
        limit=f"{_minutes(lasts)} later",
        reason=f"A position in {symbol} was closed at {_clock(max(closed))}; entries rest for {_minutes(lasts)}",
        caused_at=max(closed),
        until=max(closed) + lasts,
    )


def stop_loss_guard(closings: Iterable[Closing], *, guard: StopLossGuard) -> LockPlan | None:
    """The newest run of as many stop-losses as the guard counts, in any market."""
    stops = sorted(each.closed_at for each in closings if each.kind in STOPS)
    last = _end_of_run(stops, guard=guard)
    if last is None:
        return None
    return LockPlan(
        kind=LockKind.STOP_LOSS_GUARD,
        symbol=None,
        value=f"{guard.count} stop-losses",
        limit=f"{guard.count} in {_minutes(guard.window)}",
        reason=f"{guard.count} stop-losses within {_minutes(guard.window)}, the last at {_clock(last)}",
        caused_at=last,
        until=last + guard.lasts,
    )


def low_profit(closings: Iterable[Closing], *, symbol: str, floor: ProfitFloor) -> LockPlan | None:
    """What a market realised in the window that ends with its last close; at the floor passes."""
    mine = [each for each in closings if each.symbol == symbol]
    if not mine:
        return None
    last = max(each.closed_at for each in mine)
    realised = sum((each.profit for each in mine if each.closed_at > last - floor.window), Usdc.zero())
    if realised >= floor.floor:
        return None
    return LockPlan(
        kind=LockKind.LOW_PROFIT,
        symbol=symbol,
        value=f"${realised}",
        limit=f"${floor.floor}",
        reason=f"{symbol} realised ${realised} within {_minutes(floor.window)}, limit ${floor.floor}",
        caused_at=last,
        until=last + floor.lasts,
    )


def _end_of_run(stops: Sequence[datetime], *, guard: StopLossGuard) -> datetime | None:
    runs = zip(stops, stops[guard.count - 1 :], strict=False)
    return max((last for first, last in runs if last - first <= guard.window), default=None)


def _minutes(span: timedelta) -> str:
    return f"{span / timedelta(minutes=1):g} min"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"
