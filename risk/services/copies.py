"""Copies: a leader's trade owed to each follower, once, and how each row ends.

The row is owed where the leader's fill is written, in the same transaction, under the key of what initiated the trade:
read twice, late, or in another block, it is the same row.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from risk.domain import copying as domain
from risk.domain.copying import ORPHANED_AFTER, CopyKind, CopyStatus, Skip
from risk.models import Copy, CopySignal, Following
from trading import doorbell
from trading.domain.position import OPENING, FillKind
from trading.domain.signal import intent_key
from trading.kinds import piece, write
from trading.models import Fill, Position, Signal
from trading.services import journal
from trading.services.mode import COPY_SOURCE

# What was claimed is nobody else's for so long, times its attempts; a row that raises lets the others pass.
CLAIM_SPAN = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
# One that waits for something on its way looks again after this long.
PAUSE = timedelta(seconds=1)


@piece
def owe(fill: Fill, *, position: Position, initiated: str) -> None:
    """Owe a leader's fill to his followers, or find that it is owed.

    `initiated` is the transaction that asked for it and its ordinal there; empty: nobody asked (a target, a stop, a
    liquidation), and the position's identity with the kind is the key.
    """
    kind = _kind(fill)
    following = Following.objects.filter(leader_id=fill.trader_id, created_at__lte=fill.filled_at)
    if kind is None or not (followers := list(following.values_list("pk", flat=True))):
        return
    key = initiated or _identity(fill, position=position)
    _insert(fill, followers, key=key, kind=kind, position=position)
    # Settled anew in another block: these are about what stands now.
    known = Copy.objects.filter(following__in=followers, key=key)
    known.exclude(fill=fill, position=position).update(fill=fill, position=position)
    known.exclude(orphaned_at=None).update(orphaned_at=None)
    for pk in followers:
        doorbell.ring("leader.traded", key=pk)


@piece
def doubt(fill_ids: Iterable[int], *, at: datetime) -> None:
    """Look later at what was copied from fills that the chain took back: they may come again in another block."""
    Copy.objects.filter(fill__in=list(fill_ids), status=CopyStatus.SENT).update(next_action_at=at + ORPHANED_AFTER)


def due(*, before: datetime) -> QuerySet[Copy, int]:
    """The followings that have something to do. One query."""
    return Copy.objects.filter(next_action_at__lte=before).order_by().values_list("following_id", flat=True).distinct()


@write
def claim(pk: int, *, at: datetime) -> Copy | None:
    """Count the attempt before the work; None if somebody else was faster."""
    copy = Copy.objects.select_for_update(no_key=True).filter(pk=pk, next_action_at__lte=at).first()
    if copy is None:
        return None
    copy.attempts = min(copy.attempts + 1, 1_000)
    copy.next_action_at = at + min(CLAIM_SPAN * copy.attempts, LONGEST_PAUSE)
    copy.save(update_fields=["attempts", "next_action_at"])
    return copy


@piece
def locked(pk: int) -> Copy:
    """A copy under its lock, with all that it is about."""
    return with_neighbors().select_for_update(no_key=True, of=("self",)).get(pk=pk)


def with_neighbors() -> QuerySet[Copy]:
    """Copies with their followers, leaders, positions and fills."""
    return Copy.objects.select_related("following__follower", "following__leader", "position__market", "fill")


@piece
def wait(copy: Copy, *, at: datetime) -> None:
    """Look again a moment later; waiting isn't an attempt."""
    copy.attempts, copy.next_action_at = 0, at + PAUSE
    copy.save(update_fields=["attempts", "next_action_at"])


@write
def look_again(pk: int, *, at: datetime) -> None:
    """The same, as a write of its own."""
    wait(locked(pk), at=at)


@write
def skip(pk: int, why: Skip, *, at: datetime) -> None:
    """End a copy without a signal."""
    skipped(locked(pk), why, at=at)


@piece
def skipped(copy: Copy, why: Skip, *, at: datetime) -> Copy:
    """End a locked copy without a signal, and tell why."""
    copy.move(CopyStatus.SKIPPED)
    copy.reason = why
    _end(copy, at=at)
    journal.record("copy.skipped", copy, at=at, reason=why, **_facts(copy))
    return copy


@write
def conclude(pk: int, *, at: datetime) -> None:
    """Bind a copy to the signals that carry its id, however many workers stored them."""
    copy = locked(pk)
    if CopyStatus(copy.status) in domain.LIFECYCLE.terminal:
        return
    found = list(stored(copy).order_by("pk"))
    if not found:
        skipped(copy, Skip.NOTHING_HELD, at=at)
        return
    CopySignal.objects.bulk_create((CopySignal(copy=copy, signal=each) for each in found), ignore_conflicts=True)
    copy.move(CopyStatus.SENT)
    _end(copy, at=at)


@write
def judge(pk: int, *, at: datetime) -> None:
    """Say that a copied trade is gone for good, unless it came back; what was copied stays, and a person decides."""
    copy = locked(pk)
    copy.next_action_at, copy.attempts = None, 0
    if not copy.fill.is_canonical and copy.orphaned_at is None:
        copy.orphaned_at = at
        journal.record("copy.orphaned", copy, at=at, **_facts(copy))
    copy.save(update_fields=["orphaned_at", "next_action_at", "attempts"])


def stored(copy: Copy) -> QuerySet[Signal]:
    """The signals that carry a copy's id: an open's own, or a close's, one for each position."""
    whole = key_of(copy)
    # The colon between the id and the position's number, as a key spells it.
    return Signal.objects.filter(Q(intent_key=whole) | Q(intent_key__startswith=f"{whole}%3A"))


def key_of(copy: Copy) -> str:
    """The intent key of an open's signal."""
    return intent_key(source=source_of(copy), signal_id=signal_id(copy))


def source_of(copy: Copy) -> str:
    """The whole name of the source: one for each leader."""
    return f"{COPY_SOURCE}:{copy.following.leader.address}"


def signal_id(copy: Copy) -> str:
    """What makes a second signal impossible: what initiated the leader's trade, and the follower."""
    return f"{copy.key}:{copy.following.follower.account}"


def _insert(fill: Fill, followers: list[int], *, key: str, kind: CopyKind, position: Position) -> None:
    closed = fill.collateral_usdc if kind is CopyKind.CLOSE else None
    share = None if closed is None else domain.closed_share(closed=closed, left=position.collateral_usdc)
    said: dict[str, Any] = {"key": key, "kind": kind, "position": position, "fill": fill, "closed_pct": share}
    times = {"created_at": fill.filled_at, "next_action_at": fill.filled_at}
    Copy.objects.bulk_create((Copy(following_id=pk, **said, **times) for pk in followers), ignore_conflicts=True)


def _kind(fill: Fill) -> CopyKind | None:
    """What of a fill is copied; None: it moves nothing that a follower has."""
    if FillKind(fill.kind).closes:
        return CopyKind.CLOSE
    return CopyKind.OPEN if fill.kind in OPENING else None


def _identity(fill: Fill, *, position: Position) -> str:
    return f"{position.market_id}:{position.venue_index}:{int(position.opened_at.timestamp())}:{fill.kind}"


def _facts(copy: Copy) -> dict[str, Any]:
    following = copy.following
    facts = {"leader": following.leader.address, "key": copy.key, "symbol": copy.position.market.symbol}
    return {"tg_user_id": following.follower.account, **facts}


@piece
def _end(copy: Copy, *, at: datetime) -> None:
    copy.ended_at, copy.next_action_at, copy.attempts = at, None, 0
    copy.save(update_fields=["status", "reason", "ended_at", "next_action_at", "attempts"])
