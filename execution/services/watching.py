"""Watching: what the chain made of our sends. Only a receipt of one of them ends an intent's way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from execution import locks
from execution.desk import Clock, Desk
from execution.domain.chain import Block, Heads, ReceiptFacts
from execution.domain.intent import UNMINED, IntentStatus
from execution.models import ChainBlock, TxIntent, TxReceipt, TxSend
from execution.models.send import SendState
from execution.services import doubts, intents, patience, submission
from execution.services.doubts import Doubt
from execution.services.intents import Move
from trading import doorbell
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import journal

log = structlog.get_logger(__name__)

BATCH = 200
# About one look for each block; Base makes one every 2 s.
LOOK_AGAIN = timedelta(seconds=1)
# Bytes that no block has taken go out again after about a block.
RESEND_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look saw: the heads, the receipts that stand (by send), how many transactions are mined, and what is doubtful."""

    heads: Heads
    standing: dict[int, ReceiptFacts]
    mined: int
    doubt: Doubt


@step
def look(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Look up every send of what is in flight; what no block has taken yet goes out again."""
    sends = _watched(lease, at=clock())
    if not sends:
        return
    lease.renew()
    sight = _sight(sends, desk=desk)
    missing = _conclude(lease, sends, sight, at=clock())
    if missing:
        lease.renew()
        answers = desk.chain.broadcast([send.raw for send in missing])
        submission.note_resent(lease, dict(zip((send.pk for send in missing), answers, strict=True)), at=clock())


def _watched(lease: Lease, *, at: datetime) -> list[TxSend]:
    """All sends, not only the last, of the due intents that may be on the chain.

    One that was refused too: its bytes may have been taken before, by a process that died before it wrote that down.
    """
    due = TxIntent.objects.of_lane(lease.pk).due(at=at).unmined()
    watched = TxSend.objects.filter(intent__in=due.values("pk"), times_sent__gt=0).select_related("intent__sender")
    return list(watched.order_by("intent__nonce", "seq")[:BATCH])


def _sight(sends: list[TxSend], *, desk: Desk) -> Sight:
    sender = sends[0].intent.sender
    heads = desk.chain.heads()
    mined, _ = desk.chain.nonce(sender.address)
    receipts = desk.chain.receipts([send.tx_hash for send in sends])
    found = {send.pk: receipt for send, receipt in zip(sends, receipts, strict=True) if receipt is not None}
    blocks = desk.chain.blocks({receipt.block_number for receipt in found.values()})
    standing = {pk: receipt for pk, receipt in found.items() if _stands(receipt, blocks)}
    missing = [send for send in sends if send.pk not in standing]
    doubt = doubts.hear(sender, missing, heads=heads, mined=mined, desk=desk)
    return Sight(heads=heads, standing=doubt.found | standing, mined=mined, doubt=doubt)


def _stands(receipt: ReceiptFacts, blocks: dict[int, Block]) -> bool:
    """Whether the block of a receipt is the one that the same chain has at its number."""
    block = blocks.get(receipt.block_number)
    return block is not None and block.hash == receipt.block_hash


@write
def _conclude(lease: Lease, sends: list[TxSend], sight: Sight, *, at: datetime) -> list[TxSend]:
    """Move each intent by what stands; the newest bytes of those that nothing stands for are to be sent again."""
    sender = locks.sender(lease)
    by_intent: dict[int, list[TxSend]] = {}
    for send in sends:
        by_intent.setdefault(send.intent_id, []).append(send)
    locked = [intent for intent in locks.intents(by_intent) if intent.status in UNMINED]
    stored = _stored_hashes(sight.standing.values())
    mined: dict[int, tuple[TxSend, ReceiptFacts]] = {}
    for intent in locked:
        own = next((send for send in by_intent[intent.pk] if send.pk in sight.standing), None)
        if own is not None and _is_ours(sight.standing[own.pk], stored):
            mined[intent.pk] = (own, sight.standing[own.pk])
    mine(locked, mined, at=at)
    open_ones = [intent for intent in locked if intent.pk not in mined]
    doubts.note(sender, open_ones, sight.doubt, by_intent=by_intent, heads=sight.heads, at=at)
    _look_again(open_ones, heads=sight.heads, at=at)
    patience.judge(sender, open_ones, by_intent=by_intent, head=sight.heads.latest, progress=len(mined), at=at)
    sender.mined_count = sight.mined
    sender.save(update_fields=["mined_count"])
    return _missing(open_ones, by_intent, at=at)


def _stored_hashes(receipts: Iterable[ReceiptFacts]) -> dict[int, str]:
    numbers = {receipt.block_number for receipt in receipts}
    kept = ChainBlock.objects.canonical().filter(number__in=numbers)
    return dict(kept.values_list("number", "hash"))


def _is_ours(receipt: ReceiptFacts, stored: dict[int, str]) -> bool:
    """Whether a receipt's block is the one that we read at its number, or one that we haven't read yet."""
    return stored.get(receipt.block_number, receipt.block_hash) == receipt.block_hash


@piece
def mine(locked: list[TxIntent], mined: dict[int, tuple[TxSend, ReceiptFacts]], *, at: datetime) -> None:
    """Keep the receipts of intents and move them to MINED; the caller holds their locks."""
    if not mined:
        return
    keep(list(mined.values()), at=at)
    taken = [send for send, _ in mined.values() if send.state != SendState.SENT]
    # It was taken after all.
    TxSend.objects.filter(pk__in=[send.pk for send in taken]).update(state=SendState.SENT)
    for intent in locked:
        intent.doubted_at_block = None
    moves = [_mined_move(intent, *mined[intent.pk]) for intent in locked if intent.pk in mined]
    intents.move_all(moves, at=at, fields=("doubted_at_block",))
    doorbell.ring("intent.mined", key=locked[0].sender_id)


def _mined_move(intent: TxIntent, send: TxSend, receipt: ReceiptFacts) -> Move:
    facts = {"tx_hash": send.tx_hash, "block": receipt.block_number, "is_success": receipt.is_success}
    return Move(intent=intent, target=IntentStatus.MINED, due=LOOK_AGAIN, facts=facts)


@piece
def keep(found: list[tuple[TxSend, ReceiptFacts]], *, at: datetime) -> None:
    """Keep one receipt for each of some intents as the one that stands; what stood before, doesn't anymore."""
    intent_ids = {send.intent_id for send, _ in found}
    TxReceipt.objects.filter(send__intent__in=intent_ids, is_canonical=True).update(is_canonical=False)
    TxReceipt.objects.bulk_create(
        (
            TxReceipt(
                send=send,
                block_number=receipt.block_number,
                block_hash=receipt.block_hash,
                is_success=receipt.is_success,
                gas_used=receipt.gas_used,
                gas_price_wei=receipt.gas_price,
                l1_fee_wei=receipt.l1_fee,
                seen_at=at,
            )
            for send, receipt in found
        ),
        update_conflicts=True,
        unique_fields=["send", "block_hash", "is_success"],
        update_fields=["is_canonical"],
    )


def _look_again(waiting: list[TxIntent], *, heads: Heads, at: datetime) -> None:
    sent = [intent for intent in waiting if intent.status == IntentStatus.SENT]
    for pause in {doubts.pause(intent, heads=heads, otherwise=LOOK_AGAIN) for intent in sent}:
        together = [intent.pk for intent in sent if doubts.pause(intent, heads=heads, otherwise=LOOK_AGAIN) == pause]
        TxIntent.objects.filter(pk__in=together).update(next_action_at=at + pause)
    # The others' bytes are still to be offered: they stay due, and submission is next.


def _missing(waiting: list[TxIntent], by_intent: dict[int, list[TxSend]], *, at: datetime) -> list[TxSend]:
    # What every node surely refused goes out again only as a new offer.
    newest = [[send for send in by_intent[intent.pk] if send.state == SendState.SENT][-1:] for intent in waiting]
    missing = [send for sends in newest for send in sends if send.last_sent_at is None or at - send.last_sent_at >= RESEND_AFTER]
    return sorted(missing, key=lambda send: send.intent.nonce or 0)


@piece
def take_back(block_hashes: list[str], *, at: datetime) -> None:
    """A reorganization: receipts in these blocks don't stand anymore, and what they had mined is in flight again."""
    if not block_hashes:
        return
    gone = TxReceipt.objects.filter(block_hash__in=block_hashes, is_canonical=True)
    intent_ids = set(gone.values_list("send__intent_id", flat=True))
    gone.update(is_canonical=False)
    locked = locks.intents(intent_ids)
    back = [intent for intent in locked if intent.status == IntentStatus.MINED]
    intents.move_all([Move(intent=intent, target=IntentStatus.SENT, facts={"words": "reorged out"}) for intent in back], at=at)
    for intent in locked:
        if intent not in back:
            log.error("intent.final_reorganized", intent=intent.pk, advice="the chain broke its own finality")
            journal.record("intent.final_reorganized", intent, at=at, trace_id=intent.trace_id, status=intent.status)
    for sender_id in {intent.sender_id for intent in back}:
        doorbell.ring("intent.created", key=sender_id)
