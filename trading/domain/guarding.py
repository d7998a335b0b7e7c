"""A guard at work: what it remembers of its position, and what fires at a price. Longs and shorts are mirror images.

Everything is measured in gains: how far a price has moved for the position, whichever way it gains.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from trading.domain import levels
from trading.domain.position import Direction
from trading.domain.protection import EVERYTHING, Protection
from trading.domain.units import Percent, Price, Usdc

# After a close that came to nothing the next attempt waits: twice as long each time, up to this.
LONGEST_PAUSE = timedelta(minutes=1)
_FIRST_PAUSE = timedelta(seconds=1)
# The chain's smallest part of a price.
_TICK = Price.from_raw(1)


class StopReason(StrEnum):
    """Why the stop stands where it stands."""

    SET = "SET"  # as it was asked for
    BREAKEVEN = "BREAKEVEN"  # where a close costs nothing, after enough targets or by hand
    TRAIL = "TRAIL"  # behind the best price


class Cause(StrEnum):
    """What fires."""

    STOP = "STOP"
    TARGET = "TARGET"
    TIME = "TIME"

    @property
    def closes_all(self) -> bool:
        """Whether nothing of the position is to be left."""
        return self is not Cause.TARGET


class Fate(StrEnum):
    """What became of a close that a firing asked for."""

    UNDER_WAY = "UNDER_WAY"  # nobody knows yet: no second one is sent
    FILLED = "FILLED"  # the venue closed what was asked for
    UNFILLED = "UNFILLED"  # denied, or ended without a fill: it may be tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A target as a price, and the share of what was guarded that it closes."""

    price: Price
    share: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A protection for one position: every level as a price. `rungs` lie in the order in which a gain reaches them."""

    direction: Direction
    entry: Price
    rungs: tuple[Rung, ...]
    # Where closing it costs nothing.
    breakeven: Price
    breakeven_after: int | None = None
    # Where the stop begins to follow the price, and how far behind.
    activation: Price | None = None
    distance: Price | None = None
    deadline: datetime | None = None

    @property
    def closes_all(self) -> bool:
        """Whether its rungs together leave nothing."""
        return sum(rung.share.raw for rung in self.rungs) == EVERYTHING.raw

    def gain(self, price: Price) -> Price:
        """How far a price has moved for the position; below zero: against it."""
        return price - self.entry if self.direction is Direction.LONG else self.entry - price

    def at(self, gain: Price) -> Price:
        """The price at which the position has gained so much."""
        return self.entry + gain if self.direction is Direction.LONG else self.entry - gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a guard remembers. No reason exactly without a stop; `best` only while the stop trails."""

    stop: Price | None = None
    reason: StopReason | None = None
    best: Price | None = None
    # How many rungs were reached and fired.
    hits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A level that was reached. `level` is None for the time stop, `number` counts targets from 1."""

    cause: Cause
    level: Price | None = None
    number: int = 0

    @property
    def name(self) -> str:
        """How a signal's id names it: `stop`, `tp2`, `time`."""
        return f"tp{self.number}" if self.cause is Cause.TARGET else self.cause.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The prices between which a guard has nothing to do; at either it has."""

    below: Price | None
    above: Price | None


def of(protection: Protection, *, entry: Price, direction: Direction, cost: Percent, opened_at: datetime) -> Guard:
    """A protection's prices for a position. `cost` is what the way in and out takes of the notional."""
    found = levels.of(protection, entry=entry, direction=direction)
    pairs = zip(found.targets, protection.targets, strict=True)
    rungs = [Rung(price=price, share=target.close_share) for price, target in pairs if price is not None]
    trail = protection.trail
    bare = Guard(direction=direction, entry=entry, rungs=(), breakeven=entry)
    return replace(
        bare,
        rungs=tuple(sorted(rungs, key=lambda rung: bare.gain(rung.price))),
        # Rounded away from the entry: it must not lose.
        breakeven=bare.at(entry.times_up(cost.raw, Percent.HUNDRED)),
        breakeven_after=protection.breakeven_after,
        activation=None if trail is None else bare.at(entry.times_up(trail.activate.raw, Percent.HUNDRED)),
        distance=None if trail is None else entry.times_down(trail.distance.raw, Percent.HUNDRED),
        deadline=None if protection.time_stop is None else opened_at + protection.time_stop,
    )


def begin(protection: Protection, *, entry: Price, direction: Direction) -> Memory:
    """What a guard knows before it has seen a price."""
    stop = levels.of(protection, entry=entry, direction=direction).stop
    return Memory(stop=stop, reason=None if stop is None else StopReason.SET)


def judge(guard: Guard, memory: Memory, *, price: Price, at: datetime) -> tuple[Memory, Firing | None]:
    """What a price changes, and what fires at it: exactly at a level fires. The stop comes first, then time, then targets."""
    ends = judge_stop(guard, memory, price=price) or judge_time(guard, at=at)
    if ends is not None:
        return memory, ends
    hits = max(memory.hits, _reached(guard, price))
    after = _moved(guard, replace(memory, hits=hits), price=price)
    if hits == memory.hits:
        return after, None
    return after, Firing(cause=Cause.TARGET, level=guard.rungs[hits - 1].price, number=hits)


def judge_stop(guard: Guard, memory: Memory, *, price: Price) -> Firing | None:
    """What of it fires while nothing else may: the stop, where it stands."""
    if memory.stop is None or guard.gain(price) > guard.gain(memory.stop):
        return None
    return Firing(cause=Cause.STOP, level=memory.stop)


def judge_time(guard: Guard, *, at: datetime) -> Firing | None:
    """Whether its time is over; that needs no price."""
    return Firing(cause=Cause.TIME) if guard.deadline is not None and at >= guard.deadline else None


def tightened(guard: Guard, memory: Memory, *, stop: Price, reason: StopReason) -> Memory:
    """The memory with its stop there, unless it stands closer already: a stop never moves against the trader."""
    if memory.stop is not None and guard.gain(stop) <= guard.gain(memory.stop):
        return memory
    return replace(memory, stop=stop, reason=reason)


def band(guard: Guard, memory: Memory) -> Band:
    """Between which prices judging again would change nothing and fire nothing."""
    gain = min(_next_gains(guard, memory), default=None)
    upper = None if gain is None else guard.at(gain)
    is_long = guard.direction is Direction.LONG
    return Band(below=memory.stop if is_long else upper, above=upper if is_long else memory.stop)


def amount(guard: Guard, firing: Firing, *, guarded: Usdc, claimed: Usdc) -> Usdc | None:
    """How much a firing closes; None: everything that is left.

    `claimed`: what earlier targets closed, or are closing. The last of targets that close all takes the rest.
    """
    is_last = firing.number == len(guard.rungs) and guard.closes_all
    if firing.cause.closes_all or is_last:
        return None
    share = sum(rung.share.raw for rung in guard.rungs[: firing.number])
    return max(guarded.times_up(share, Percent.HUNDRED) - claimed, Usdc.zero())


def pause_after(attempt: int) -> timedelta:
    """How long the next attempt waits after one that came to nothing; they are counted from 1."""
    return min(_FIRST_PAUSE * (1 << min(attempt, 10)), LONGEST_PAUSE)


def _reached(guard: Guard, price: Price) -> int:
    return sum(guard.gain(price) >= guard.gain(rung.price) for rung in guard.rungs)


def _moved(guard: Guard, memory: Memory, *, price: Price) -> Memory:
    """The memory after a price that fired no stop: a stop at breakeven if it is due, and one behind the best price."""
    if _owes_breakeven(guard, memory) and guard.gain(price) > guard.gain(guard.breakeven):
        memory = tightened(guard, memory, stop=guard.breakeven, reason=StopReason.BREAKEVEN)
    best = _best(guard, memory, price=price)
    if best is None or guard.distance is None:
        return memory
    behind = guard.at(guard.gain(best) - guard.distance)
    return replace(tightened(guard, memory, stop=behind, reason=StopReason.TRAIL), best=best)


def _best(guard: Guard, memory: Memory, *, price: Price) -> Price | None:
    if guard.activation is None:
        return None
    if memory.best is None:
        return price if guard.gain(price) >= guard.gain(guard.activation) else None
    return max(memory.best, price, key=guard.gain)


def _owes_breakeven(guard: Guard, memory: Memory) -> bool:
    """Whether enough targets were hit, and the stop still loses."""
    is_due = guard.breakeven_after is not None and memory.hits >= guard.breakeven_after
    return is_due and (memory.stop is None or guard.gain(memory.stop) < guard.gain(guard.breakeven))


def _next_gains(guard: Guard, memory: Memory) -> Iterator[Price]:
    """At which gains something happens next."""
    if memory.hits < len(guard.rungs):
        yield guard.gain(guard.rungs[memory.hits].price)
    if guard.activation is not None:
        yield guard.gain(guard.activation) if memory.best is None else guard.gain(memory.best) + _TICK
    if _owes_breakeven(guard, memory):
        yield guard.gain(guard.breakeven) + _TICK
