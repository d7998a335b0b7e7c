"""Backfill: what the venue did to followed traders before we read its events, range by range, beside the live stream.

What it finds is nobody's news. Each range is written while the live stream's lane is ours for a moment, so that no
reorganization is worked at the same time; and read again if the chain is another since. Reading a range twice, or after
the blocks that follow it, leaves the same rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from execution import locks
from execution.desk import Desk
from execution.domain.chain import Block, Log
from execution.domain.events import Happening
from execution.models import ChainBlock, Cursor
from execution.services import indexing, reading, settlement
from trading import lanes
from trading.domain.errors import Conflict, Unavailable
from trading.kinds import step, write
from trading.lanes import Lease
from trading.models import Trader

FIRST_SPAN = 2_000
WIDEST_SPAN = 10_000


class NothingBefore(Conflict):
    """The live stream hasn't begun, so that nothing is before it."""

    code = "INDEXER_NOT_STARTED"


class Moved(Unavailable):
    """The chain, or the live stream, changed while a range was read."""

    code = "CHAIN_MOVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a backfill is. `span`: how many blocks the next range has; `found`: events of followed traders in the last."""

    number: int
    target: int
    span: int
    found: int = 0

    @property
    def is_done(self) -> bool:
        """Whether the live stream, or the block that was asked for, is reached."""
        return self.number >= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read: from a block on, up to one (None: to where the live stream is), of one trader (None: of everybody)."""

    first: int
    last: int | None = None
    trader: Trader | None = None

    @property
    def stream(self) -> str:
        """The name of its cursor: the same plan goes on where it stopped."""
        return f"backfill:{self.first}" + (f":{self.trader.pk}" if self.trader else "")


@step
def start(plan: Plan, *, desk: Desk) -> Progress:
    """Where the plan begins, or stopped.

    Raises:
        NothingBefore: if the live stream hasn't begun.
    """
    cursor = _begin(plan, chain_id=desk.chain.chain_id)
    return Progress(number=cursor.number, target=_target(plan), span=FIRST_SPAN)


@step
def go_on(plan: Plan, progress: Progress, *, desk: Desk) -> Progress:
    """Read the next range. A node that refuses it, or a chain that moved, halves the span: the same place, fewer blocks.

    Raises:
        Unavailable: if even a single block isn't told.
    """
    last = min(progress.number + progress.span, progress.target)
    try:
        happenings = _read(progress.number + 1, last, plan=plan, desk=desk)
        end = desk.chain.blocks([last])[last]
        _settle(plan, happenings, end=end)
    except (Unavailable, KeyError):
        if progress.span == 1:
            raise
        return replace(progress, span=max(progress.span // 2, 1), found=0)
    span = min(progress.span * 2, WIDEST_SPAN)
    return Progress(number=last, target=_target(plan), span=span, found=len(happenings))


@write
def _begin(plan: Plan, *, chain_id: int) -> Cursor:
    begun = {"chain_id": chain_id, "number": plan.first - 1, "hash": ""}
    return Cursor.objects.get_or_create(stream=plan.stream, defaults=begun)[0]


def _target(plan: Plan) -> int:
    live = Cursor.objects.filter(stream=indexing.STREAM).first()
    if live is None:
        raise NothingBefore("nothing is read yet: start the indexer first")
    return live.number if plan.last is None else min(plan.last, live.number)


def _read(first: int, last: int, *, plan: Plan, desk: Desk) -> list[Happening]:
    logs = [entry for emitter in desk.venue.emitters for entry in desk.chain.search(emitter, topics=[], first=first, last=last)]
    blocks = desk.chain.blocks({entry.block_number for entry in logs})
    happenings, _ = reading.read(_placed(logs, blocks), desk=desk)
    followed = _followed(happenings, plan=plan)
    return [replace(each, past=True) for each in happenings if each.event.trader in followed]


def _placed(logs: Sequence[Log], blocks: dict[int, Block]) -> list[tuple[Block, Log]]:
    if any(blocks[entry.block_number].hash != entry.block_hash for entry in logs):
        raise Moved("a block was replaced while its range was read")
    return [(blocks[entry.block_number], entry) for entry in logs]


def _followed(happenings: Iterable[Happening], *, plan: Plan) -> set[str]:
    if plan.trader is not None:
        return {plan.trader.address}
    named = Trader.objects.filter(address__in={each.event.trader for each in happenings})
    return set(named.values_list("address", flat=True))


def _settle(plan: Plan, happenings: list[Happening], *, end: Block) -> None:
    """Write a range while no reorganization can be worked: those are the holder's of the live stream's lane."""
    live = Cursor.objects.get(stream=indexing.STREAM)
    written: list[bool] = []

    def once(lease: Lease) -> None:
        # A ring in between is the live stream's: its sweep comes soon.
        if not written:
            _write(lease, plan, happenings, end=end)
            written.append(True)

    if not lanes.drain(Cursor, live.pk, once) or not written:
        raise Moved("the live stream is being read")


@write
def _write(lease: Lease, plan: Plan, happenings: list[Happening], *, end: Block) -> None:
    settlement.settle(happenings)
    live = locks.cursor(lease)
    if end.number > live.number or _is_stale([end, *(each.block for each in happenings)], chain_id=live.chain_id):
        raise Moved("the chain was reorganized while its range was read")
    Cursor.objects.filter(stream=plan.stream).update(number=end.number, hash=end.hash)


def _is_stale(blocks: Iterable[Block], *, chain_id: int) -> bool:
    """Whether the live stream knows another block in the place of one of these."""
    by_number = {block.number: block.hash for block in blocks}
    known = ChainBlock.objects.canonical().filter(chain_id=chain_id, number__in=by_number)
    return any(by_number[number] != block_hash for number, block_hash in known.values_list("number", "hash"))
