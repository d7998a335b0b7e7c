"""The watch over what is guarded: one pass a second, whoever makes it and however many make it at once.

A pass reads only what has something to do at the newest prices, so that it costs the same few queries for ten
protections as for ten thousand. What fires is judged again under its row's lock, and becomes a row before it becomes
a close (`trading.services.firings`). Nothing here decides whether a close is right: that is the one path's.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Q

from trading import locks, selectors
from trading.domain import guarding
from trading.domain.guarding import Cause, Fate, Memory
from trading.domain.guarding import Firing as Reached
from trading.domain.mode import Book
from trading.domain.signal import SignalStatus
from trading.domain.units import Price, Usdc
from trading.kinds import step, write
from trading.models import Event, Firing, Protection, Signal, many
from trading.models.protection import MEMORY
from trading.ports import Exits
from trading.services import apart, firings, journal, mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a pass sees: prices by symbol, and what became of closes.

    `known` holds what was agreed on within the last half a minute, enough for a stop; `agreed` what is agreed on now.
    """

    at: datetime
    agreed: dict[str, Price]
    known: dict[str, Price]
    is_paused: bool
    # By firing.
    fates: dict[int, Fate]
    # By position: how much of it is being closed, and who waits for a decision on an exit.
    closing: dict[int, Usdc]
    deciding: frozenset[int]

    def price(self, row: Protection) -> Price | None:
        """The newest price that a stop may go by."""
        return self.known.get(row.position.market.symbol)


@step
def watch(*, exits: Exits, at: datetime) -> int:
    """Make one pass: keep what prices change, fire what they reach, and send its closes; how many were fired."""
    views = selectors.price_views(now=at).values()
    known = {view.symbol: view.last_known.price for view in views if view.last_known is not None}
    rows = Protection.objects.reached(known, at=at), Protection.objects.waiting()
    reached = {pk: position_id for each in rows for pk, position_id in each.values_list("pk", "position_id")}
    if not reached:
        return 0
    agreed = {view.symbol: view.agreed.price for view in views if view.agreed is not None}
    sight = _look(reached, agreed=agreed, known=known, exits=exits, at=at)
    wanting = apart.work(partial(_keep, sight=sight), list(reached))
    fired = [firing_id for pk in wanting for firing_id in apart.work(partial(_fire, sight=sight), [pk])]
    apart.work(partial(_send, at=at), fired)
    return len(fired)


def _send(firing_ids: Collection[int], *, at: datetime) -> list[int]:
    for firing_id in firing_ids:
        firings.send(firing_id=firing_id, at=at)
    return []


def unsent(*, before: datetime) -> Collection[int]:
    """Firings whose close is missing: whoever fired them died."""
    return Firing.objects.unsent().filter(fired_at__lte=before).order_by("pk").values_list("pk", flat=True)


def _look(reached: dict[int, int], *, agreed: dict[str, Price], known: dict[str, Price], exits: Exits, at: datetime) -> Sight:
    """Everything that a pass must know besides, in the same few queries however much was reached."""
    waiting = Firing.objects.filter(protection__in=many.among(reached), fate=Fate.UNDER_WAY, signal__isnull=False)
    by_signal = {firing.signal_id: firing.pk for firing in waiting if firing.signal_id is not None}
    undecided = Signal.objects.filter(status=SignalStatus.RECEIVED, position__in=many.among(set(reached.values())))
    return Sight(
        at=at,
        agreed=agreed,
        known=known,
        is_paused=mode.is_automation_paused(),
        fates={by_signal[signal_id]: fate for signal_id, fate in exits.fates(by_signal).items()},
        closing=exits.closing(set(reached.values())),
        deciding=frozenset(signal.position_id for signal in undecided.only("position") if signal.position_id is not None),
    )


@write
def _keep(protection_ids: Collection[int], *, sight: Sight) -> list[int]:
    """Learn what became of closes and move stops that follow the price; which protections want to fire."""
    rows = locks.protections(protection_ids)
    before = {row.pk: _kept(row) for row in rows}
    reasons = {row.pk: row.stop_reason for row in rows}
    fired = _firings(rows, at=sight.at)
    learned = [(row, firing) for row in rows for firing in _learn(row, fired[row.pk], sight=sight)]
    wanting = [row.pk for row in rows if _follow(row, fired[row.pk], sight=sight)]
    many.update([row for row in rows if _kept(row) != before[row.pk]], _KEPT)
    many.update([firing for _, firing in learned], ["fate", "retry_at"])
    moved = [_move(row, at=sight.at) for row in rows if row.stop_reason != reasons[row.pk]]
    unfilled = [_nothing(row, firing, at=sight.at) for row, firing in learned if firing.fate == Fate.UNFILLED]
    journal.record_all([*moved, *unfilled])
    return wanting


_KEPT = [*MEMORY, "is_waiting", "held_since"]


@write
def _fire(protection_ids: Collection[int], *, sight: Sight) -> list[int]:
    """Write down what fires, judged once more under the lock; whose turn has passed fires nothing."""
    rows = [row for row in locks.protections(protection_ids) if row.is_live]
    firings_of = _firings(rows, at=sight.at)
    written: list[int] = []
    for row in rows:
        memory, reached = _judged(row, sight=sight)
        fired = firings_of[row.pk]
        if reached is None or not _may_fire(row, reached, fired, sight=sight):
            continue
        reduce = _reduce(row, reached, fired, sight=sight)
        firing = firings.record(row, reached, price=sight.price(row), reduce=reduce, at=sight.at)
        row.remember(memory, guard=row.as_guard)
        row.is_waiting, row.held_since = True, None
        row.save(update_fields=_KEPT)
        written.append(firing.pk)
    return written


def _move(row: Protection, *, at: datetime) -> Event:
    facts: dict[str, Any] = {"protection": row.pk, "stop": row.stop_price, "why": row.stop_reason}
    return journal.event("protection.moved", row.position, at=at, **facts)


def _nothing(row: Protection, firing: Firing, *, at: datetime) -> Event:
    facts: dict[str, Any] = {"protection": row.pk, "level": firing.level, "attempt": firing.attempt}
    return journal.event("protection.unfilled", row.position, at=at, **facts, retry_at=firing.retry_at)


def _kept(row: Protection) -> list[object]:
    return [getattr(row, column) for column in _KEPT]


def _firings(rows: Sequence[Protection], *, at: datetime) -> dict[int, list[Firing]]:
    """What still says something of each: what is under way, what was filled, and what rests after it came to nothing."""
    found: dict[int, list[Firing]] = defaultdict(list)
    says = ~Q(fate=Fate.UNFILLED) | Q(retry_at__gt=at)
    for firing in Firing.objects.filter(says, protection__in=many.among([row.pk for row in rows])).order_by("pk"):
        found[firing.protection_id].append(firing)
    return found


def _learn(row: Protection, fired: list[Firing], *, sight: Sight) -> list[Firing]:
    """Take over what became of a protection's closes; what came to nothing may be tried again later."""
    learned = [firing for firing in fired if firing.fate == Fate.UNDER_WAY and firing.pk in sight.fates]
    for firing in learned:
        firing.fate = sight.fates[firing.pk]
        if firing.fate == Fate.UNFILLED:
            _give_up(firing, row, at=sight.at)
    row.is_waiting = any(firing.fate == Fate.UNDER_WAY for firing in fired)
    return learned


def _give_up(firing: Firing, row: Protection, *, at: datetime) -> None:
    firing.retry_at = at + guarding.pause_after(firing.attempt)
    if firing.cause == Cause.TARGET:
        # It wasn't hit after all.
        row.targets_hit = min(row.targets_hit, firing.hits_before)


def _follow(row: Protection, fired: list[Firing], *, sight: Sight) -> bool:
    """Bring a protection up to the price; whether it wants to fire."""
    if not row.is_live:
        return False
    hits = row.targets_hit
    memory, reached = _judged(row, sight=sight)
    is_keepers = reached is not None and _is_keepers(row, reached, sight=sight)
    row.held_since = (row.held_since or sight.at) if is_keepers else None
    # A target that can't fire now isn't hit yet; one whose share is closed already is.
    is_done = reached is None or _reduce(row, reached, fired, sight=sight) == Usdc.zero()
    row.remember(memory if is_done else replace(memory, hits=hits), guard=row.as_guard)
    return reached is not None and _may_fire(row, reached, fired, sight=sight)


def _judged(row: Protection, *, sight: Sight) -> tuple[Memory, Reached | None]:
    """What the price changes and fires; without agreement, or while automation rests, nothing but the stop."""
    guard, memory = row.as_guard, row.memory
    agreed, known = sight.agreed.get(row.position.market.symbol), sight.price(row)
    if not sight.is_paused and agreed is not None:
        return guarding.judge(guard, memory, price=agreed, at=sight.at)
    stop = None if known is None else guarding.judge_stop(guard, memory, price=known)
    return memory, stop or (None if sight.is_paused else guarding.judge_time(guard, at=sight.at))


def _may_fire(row: Protection, reached: Reached, fired: list[Firing], *, sight: Sight) -> bool:
    """Whether nobody is closing it already, nothing that came to nothing rests, and the venue had its time."""
    is_ending = any(Cause(firing.cause).closes_all and firing.fate == Fate.UNDER_WAY for firing in fired)
    # A target that rests keeps no stop from firing.
    alike = (firing for firing in fired if Cause(firing.cause).closes_all is reached.cause.closes_all)
    is_resting = any(firing.retry_at is not None and firing.retry_at > sight.at for firing in alike)
    if is_ending or is_resting or row.position_id in sight.deciding or _free(row, sight=sight) <= Usdc.zero():
        return False
    had_time = row.held_since is None or sight.at - row.held_since >= timedelta(seconds=settings.VENUE_LEVEL_PATIENCE_SECONDS)
    return had_time and _reduce(row, reached, fired, sight=sight) != Usdc.zero()


def _free(row: Protection, *, sight: Sight) -> Usdc:
    held: Usdc = row.position.collateral_usdc
    return held - sight.closing.get(row.position_id, Usdc.zero())


def _reduce(row: Protection, reached: Reached, fired: list[Firing], *, sight: Sight) -> Usdc | None:
    """How much a firing closes; None: all that nobody is closing."""
    targets = [firing for firing in fired if firing.cause == Cause.TARGET and firing.fate != Fate.UNFILLED]
    claimed = sum((firing.reduce_usdc or row.guarded_usdc for firing in targets), Usdc.zero())
    wanted = guarding.amount(row.as_guard, reached, guarded=row.guarded_usdc, claimed=claimed)
    return None if wanted is not None and wanted >= _free(row, sight=sight) else wanted


def _is_keepers(row: Protection, reached: Reached, *, sight: Sight) -> bool:
    """Whether the venue itself holds a level that is reached too: its keeper and our close would race for one position."""
    held = {Cause.STOP: row.position.stop_loss, Cause.TARGET: row.position.take_profit}.get(reached.cause)
    price = sight.price(row)
    if row.position.book != Book.LIVE or held is None or price is None:
        return False
    gain, level = row.as_guard.gain(price), row.as_guard.gain(held)
    return gain <= level if reached.cause is Cause.STOP else gain >= level
