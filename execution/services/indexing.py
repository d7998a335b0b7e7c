"""Indexing: the venue's events, block by block, by each block's hash; cursor and rows commit together.

A block whose parent isn't ours means a reorganization: we walk back to the fork and take back what was
derived from the blocks above it. A block that can't be fetched stops the cursor; it is never skipped.
"""

from datetime import datetime
from functools import partial
from typing import Any

import structlog

from execution import locks
from execution.desk import Clock, Desk
from execution.domain.chain import Block, Log
from execution.domain.events import Happening
from execution.models import ChainBlock, Cursor, TxReceipt
from execution.services import reading, refunds, settlement, stumbles, watching
from trading import lanes
from trading.domain.errors import Conflict, Unavailable
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import journal

log = structlog.get_logger(__name__)

STREAM = "venue"
# Blocks fetched in one pass: two JSON-RPC batches.
BATCH = 50
# So far below its start a fork is found before anything was read: as many blocks as a reorganization can be deep.
ANCESTORS = 64


class ForkTooDeep(Conflict):
    """Nothing that we read is on the chain anymore: another chain, or one that was reset."""

    code = "FORK_TOO_DEEP"


@step
def start(*, desk: Desk) -> Cursor:
    """The stream's cursor; a new one starts at the chain's head, since nothing before it is ours."""
    known = Cursor.objects.filter(stream=STREAM).first()
    if known is not None:
        return known
    head = desk.chain.head()
    below = desk.chain.blocks(range(max(head.number - ANCESTORS, 0), head.number))
    return _create(head, ancestors=_ancestors(head, below), chain_id=desk.chain.chain_id)


def _ancestors(block: Block, below: dict[int, Block]) -> list[Block]:
    """The blocks under `block` as far down as each one is named by the one above it: the head may have changed in between."""
    linked: list[Block] = []
    while (parent := below.get(block.number - 1)) is not None and parent.hash == block.parent_hash:
        linked.append(parent)
        block = parent
    return linked


@write
def _create(head: Block, *, ancestors: list[Block], chain_id: int) -> Cursor:
    cursor, is_new = Cursor.objects.get_or_create(
        stream=STREAM, defaults={"chain_id": chain_id, "number": head.number, "hash": head.hash}
    )
    if is_new:
        _keep([head, *ancestors], chain_id=chain_id)
    return cursor


@step
def drain(*, desk: Desk, clock: Clock) -> bool:
    """Read every block up to the head. False if somebody else is at it, or the chain doesn't answer."""
    try:
        cursor = start(desk=desk)
        return lanes.drain(Cursor, cursor.pk, partial(_work, desk=desk, clock=clock))
    except Unavailable as error:
        log.warning("indexer.waits", reason=error.message, **error.facts)
        return False


def _work(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    while True:
        lease.renew()
        cursor = Cursor.objects.get(pk=lease.pk)
        head = desk.chain.head()
        if _lags(head, cursor):
            return
        wanted = range(cursor.number, min(head.number, cursor.number + BATCH) + 1)
        blocks = desk.chain.blocks(wanted) if wanted else {}
        ours = blocks.get(cursor.number)
        if ours is None or ours.hash != cursor.hash:
            _rewind(lease, fork=_fork(cursor, desk=desk), clock=clock)
            continue
        fresh = _linked(ours, blocks)
        if not fresh:
            return
        _read(lease, cursor, fresh[:1] if stumbles.tries(cursor.hash) else fresh, desk=desk, clock=clock)


def _read(lease: Lease, cursor: Cursor, fresh: list[Block], *, desk: Desk, clock: Clock) -> None:
    """Settle what happened in the next blocks, and go past them."""
    lease.renew()
    logs = desk.chain.logs([block.hash for block in fresh], emitters=desk.venue.emitters)
    found, strange = reading.read(_placed(fresh, logs), desk=desk)
    happenings = refunds.look(found, desk=desk)
    _disown(fresh, at=clock())
    with stumbles.counted(cursor.hash) as failures:
        left_out = stumbles.creep(lease, happenings) if failures >= stumbles.SLOW else []
        said = [] if failures >= stumbles.SLOW else happenings
        _advance(lease, cursor_hash=cursor.hash, fresh=fresh, happenings=said, strange=strange, left_out=left_out)


def _placed(blocks: list[Block], logs: list[list[Log]]) -> list[tuple[Block, Log]]:
    return [(block, entry) for block, entries in zip(blocks, logs, strict=True) for entry in entries]


def _lags(head: Block, cursor: Cursor) -> bool:
    """Whether a head below our cursor is a block that we read ourselves: then the node is behind, and nothing was reorganized."""
    if head.number >= cursor.number:
        return False
    return ChainBlock.objects.canonical().filter(chain_id=cursor.chain_id, number=head.number, hash=head.hash).exists()


def _linked(parent: Block, blocks: dict[int, Block]) -> list[Block]:
    """The blocks after `parent` as far as each one names the one before it; a fork in between is for the next pass."""
    linked: list[Block] = []
    while (following := blocks.get(parent.number + 1)) is not None and following.parent_hash == parent.hash:
        linked.append(following)
        parent = following
    return linked


@write
def _disown(fresh: list[Block], *, at: datetime) -> None:
    """Take back receipts in blocks that were replaced before we had read them: nothing else was derived from those."""
    numbers, hashes = [block.number for block in fresh], [block.hash for block in fresh]
    stale = TxReceipt.objects.filter(is_canonical=True, block_number__in=numbers).exclude(block_hash__in=hashes)
    watching.take_back(list(stale.values_list("block_hash", flat=True).distinct()), at=at)


@write
def _advance(
    lease: Lease,
    *,
    cursor_hash: str,
    fresh: list[Block],
    happenings: list[Happening],
    strange: list[Log],
    left_out: list[Happening],
) -> None:
    settlement.settle(happenings)
    cursor = locks.cursor(lease)
    if cursor.hash != cursor_hash:
        raise lanes.LeaseLost("the cursor has moved", stream=cursor.stream)
    _note_strange(cursor, strange, at=fresh[-1].mined_at)
    stumbles.note(cursor, left_out)
    _keep(fresh, chain_id=cursor.chain_id)
    _move(cursor, fresh[-1].number, fresh[-1].hash)


def _note_strange(cursor: Cursor, strange: list[Log], *, at: datetime) -> None:
    """Never dropped: one row of the journal for each, and an ERROR that asks for a person. The stream goes on."""
    for entry in strange:
        topic = entry.topics[0] if entry.topics else ""
        facts: dict[str, Any] = {"address": entry.address, "topic": topic, "tx_hash": entry.tx_hash, "log_index": entry.log_index}
        journal.record("venue.event_unknown", cursor, at=at, **facts)
        log.error("venue.event_unknown", advice="compare the ABI with the venue's", **facts)


def _fork(cursor: Cursor, *, desk: Desk) -> ChainBlock:
    """The newest block of ours that the chain still has.

    Raises:
        ForkTooDeep: if it has none of them.
    """
    kept = ChainBlock.objects.canonical().filter(chain_id=cursor.chain_id, number__lte=cursor.number).order_by("-number")
    for start_at in range(0, kept.count(), BATCH):
        page = list(kept[start_at : start_at + BATCH])
        theirs = desk.chain.blocks(block.number for block in page)
        for block in page:
            if block.number in theirs and theirs[block.number].hash == block.hash:
                return block
    raise ForkTooDeep("no block that was read is on this chain: it isn't the one that the database knows", stream=cursor.stream)


@write
def _rewind(lease: Lease, *, fork: ChainBlock, clock: Clock) -> None:
    """Go back to the fork: blocks, fills, orders, positions and the cursor in one transaction."""
    gone = list(ChainBlock.objects.canonical().filter(chain_id=fork.chain_id, number__gt=fork.number))
    settlement.unsettle([block.hash for block in gone], at=clock())
    cursor = locks.cursor(lease)
    ChainBlock.objects.filter(pk__in=[block.pk for block in gone]).update(is_canonical=False)
    _move(cursor, fork.number, fork.hash)
    log.warning("chain.reorganized", depth=len(gone), fork=fork.number)


@piece
def _keep(blocks: list[Block], *, chain_id: int) -> None:
    ChainBlock.objects.bulk_create(
        (
            ChainBlock(
                chain_id=chain_id,
                number=block.number,
                hash=block.hash,
                parent_hash=block.parent_hash,
                mined_at=block.mined_at,
                is_canonical=True,
            )
            for block in blocks
        ),
        update_conflicts=True,
        unique_fields=["chain_id", "hash"],
        update_fields=["is_canonical"],
    )


def _move(cursor: Cursor, number: int, block_hash: str) -> None:
    cursor.number, cursor.hash = number, block_hash
    cursor.save(update_fields=["number", "hash"])
