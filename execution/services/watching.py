"""Watching: what the chain made of our sends. Only a receipt of one of them ends an intent's way."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings

from execution import locks
from execution.desk import Clock, Desk
from execution.domain.chain import Block, ReceiptFacts
from execution.domain.intent import UNMINED, IntentStatus
from execution.models import TxIntent, TxReceipt, TxSend
from execution.models.send import Purpose, SendState
from execution.services import intents, submission
from trading import doorbell
from trading.kinds import step, write
from trading.lanes import Lease

log = structlog.get_logger(__name__)

BATCH = 200
# About one look for each block; Base and the local chain make one every 2 s.
LOOK_AGAIN = timedelta(seconds=1)


@step
def look(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Look up every send of what is in flight, and whether what was mined still stands."""
    sends = _watched(lease, at=clock())
    if not sends:
        return
    lease.renew()
    head = desk.chain.head()
    receipts = desk.chain.receipts([send.tx_hash for send in sends])
    found = {send.pk: receipt for send, receipt in zip(sends, receipts, strict=True) if receipt is not None}
    blocks = desk.chain.blocks({receipt.block_number for receipt in found.values()})
    standing = {pk: receipt for pk, receipt in found.items() if _stands(receipt, blocks)}
    missing = _conclude(lease, sends, standing, head=head, at=clock())
    if missing:
        lease.renew()
        answers = desk.chain.broadcast([send.raw for send in missing])
        submission.note_resent(lease, [send.pk for send in missing], answers, at=clock())


def _watched(lease: Lease, *, at: datetime) -> list[TxSend]:
    """All sends, not only the last, of the due intents that may be on the chain.

    One that was refused too: its bytes may have been taken before, by a process that died before it wrote that down.
    """
    in_flight = [str(status) for status in UNMINED] + [str(IntentStatus.MINED)]
    due = TxIntent.objects.of_lane(lease.pk).due(at=at).filter(status__in=in_flight).order_by("nonce")
    watched = TxSend.objects.filter(intent__in=due.values("pk"), times_sent__gt=0).select_related("intent")
    return list(watched.order_by("intent__nonce", "seq")[:BATCH])


def _stands(receipt: ReceiptFacts, blocks: dict[int, Block]) -> bool:
    """Whether the block of a receipt is the one that the same chain has at its number."""
    block = blocks.get(receipt.block_number)
    return block is not None and block.hash == receipt.block_hash


@write
def _conclude(lease: Lease, sends: list[TxSend], standing: dict[int, ReceiptFacts], *, head: Block, at: datetime) -> list[TxSend]:
    """Move each intent by what stands; the newest bytes of those that nothing stands for are to be sent again."""
    locks.sender(lease)
    by_intent: dict[int, list[TxSend]] = {}
    for send in sends:
        by_intent.setdefault(send.intent_id, []).append(send)
    missing = []
    for intent in locks.intents(by_intent):
        own = by_intent[intent.pk]
        mined = next((send for send in own if send.pk in standing), None)
        if mined is None:
            # What every node surely refused goes out again only as a new offer.
            missing += [send for send in own if send.state == SendState.SENT][-1:]
            _not_found(intent, at=at)
        else:
            _found(intent, mined, standing[mined.pk], head=head, at=at)
    return sorted(missing, key=lambda send: send.intent.nonce or 0)


def _not_found(intent: TxIntent, *, at: datetime) -> None:
    if intent.status == IntentStatus.MINED:
        TxReceipt.objects.filter(send__intent=intent, is_canonical=True).update(is_canonical=False)
        intents.move(intent, IntentStatus.SENT, at=at, due=LOOK_AGAIN, words="reorged out")
    elif intent.status == IntentStatus.SENT:
        _look_again(intent, at=at)
    # Otherwise its bytes are still to be offered: it stays due, and submission is next.


def _found(intent: TxIntent, send: TxSend, receipt: ReceiptFacts, *, head: Block, at: datetime) -> None:
    _store(send, receipt, at=at)
    if send.state != SendState.SENT:
        # It was taken after all.
        send.state = SendState.SENT
        send.save(update_fields=["state"])
    if intent.status in UNMINED:
        _mine(intent, send, receipt, at=at)
        doorbell.ring("intent.mined", key=intent.sender_id)
    elif head.number - receipt.block_number >= settings.FINALITY_BLOCKS:
        target, failure = _end(send, receipt)
        intents.move(intent, target, at=at, failure=failure)
    else:
        _look_again(intent, at=at)


def _mine(intent: TxIntent, send: TxSend, receipt: ReceiptFacts, *, at: datetime) -> None:
    facts: dict[str, Any] = {"tx_hash": send.tx_hash, "block": receipt.block_number, "is_success": receipt.is_success}
    intents.move(intent, IntentStatus.MINED, at=at, due=LOOK_AGAIN, **facts)


def _end(send: TxSend, receipt: ReceiptFacts) -> tuple[IntentStatus, str]:
    if send.purpose == Purpose.CANCELLATION:
        return IntentStatus.CANCELED, "CANCELED_ON_CHAIN"
    return (IntentStatus.FINAL, "") if receipt.is_success else (IntentStatus.REVERTED, "REVERTED_ON_CHAIN")


def _store(send: TxSend, receipt: ReceiptFacts, *, at: datetime) -> None:
    elsewhere = TxReceipt.objects.filter(send__intent_id=send.intent_id, is_canonical=True)
    elsewhere.exclude(send=send, block_hash=receipt.block_hash).update(is_canonical=False)
    TxReceipt.objects.update_or_create(
        send=send,
        block_hash=receipt.block_hash,
        defaults={"is_canonical": True},
        create_defaults={
            "block_number": receipt.block_number,
            "is_success": receipt.is_success,
            "gas_used": receipt.gas_used,
            "gas_price_wei": receipt.gas_price,
            "l1_fee_wei": receipt.l1_fee,
            "seen_at": at,
        },
    )


def _look_again(intent: TxIntent, *, at: datetime) -> None:
    intent.next_action_at = at + LOOK_AGAIN
    intent.save(update_fields=["next_action_at"])
