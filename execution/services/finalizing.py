"""Finalizing: what was mined is final once it lies deep enough in blocks that we read, and enough nodes vouch for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import finality
from execution.domain.chain import Heads, ReceiptFacts, Testimony
from execution.domain.intent import IntentStatus
from execution.models import ChainBlock, TxIntent, TxReceipt, TxSend
from execution.models.send import Purpose
from execution.services import intents, watching
from execution.services.intents import Move
from trading.kinds import step, write
from trading.lanes import Lease

log = structlog.get_logger(__name__)

BATCH = 100
BLOCK_SPAN = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What every node says about some sends; `places` tells where each stands in what was asked."""

    heads: Heads
    endpoints: int
    testimonies: list[Testimony]
    places: dict[int, int]


@step
def conclude_due(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """End the way of what was mined long enough ago."""
    due = TxIntent.objects.of_lane(lease.pk).due(at=clock()).filter(status=IntentStatus.MINED)
    if not due.exists():
        return
    lease.renew()
    heads = desk.chain.heads()
    height = finality.final_height(heads, depth=settings.FINALITY_BLOCKS)
    while batch := _deep(lease, height=height, at=clock()):
        sends = list(TxSend.objects.filter(intent__in=batch, times_sent__gt=0).order_by("intent__nonce", "seq"))
        lease.renew()
        said = desk.chain.testimonies([send.tx_hash for send in sends], address=batch[0].sender.address)
        places = {send.pk: at for at, send in enumerate(sends)}
        evidence = Evidence(heads=heads, endpoints=desk.chain.endpoints, testimonies=said, places=places)
        _conclude(lease, sends, evidence, at=clock())


@write
def _deep(lease: Lease, *, height: int, at: datetime) -> list[TxIntent]:
    """The mined intents whose block is final and was read; the others are due again when theirs can be."""
    locks.sender(lease)
    due = TxIntent.objects.of_lane(lease.pk).due(at=at).filter(status=IntentStatus.MINED).select_related("sender")
    receipts = TxReceipt.objects.filter(send__intent__in=due, is_canonical=True)
    numbers = dict(receipts.values_list("send__intent_id", "block_number"))
    kept = ChainBlock.objects.canonical().filter(number__in=set(numbers.values()))
    read = set(kept.values_list("number", flat=True))
    deep, pauses = [], dict[timedelta, list[int]]()
    for intent in due.order_by("nonce"):
        number = numbers.get(intent.pk, 0)
        if number <= height and (number in read or not number):
            deep.append(intent)
        else:
            pauses.setdefault(_until(number, height=height), []).append(intent.pk)
    for pause, waiting in pauses.items():
        TxIntent.objects.filter(pk__in=waiting).update(next_action_at=at + pause)
    return deep[:BATCH]


def _until(number: int, *, height: int) -> timedelta:
    """About when a block of this number is final."""
    return min(max((number - height) * BLOCK_SPAN, BLOCK_SPAN / 2), LONGEST_PAUSE)


@write
def _conclude(lease: Lease, sends: list[TxSend], evidence: Evidence, *, at: datetime) -> None:
    locks.sender(lease)
    by_intent: dict[int, list[TxSend]] = {}
    for send in sends:
        by_intent.setdefault(send.intent_id, []).append(send)
    kept = dict(ChainBlock.objects.canonical().filter(number__in=_numbers(evidence)).values_list("number", "hash"))
    moves, waiting = [], []
    for intent in locks.intents(by_intent):
        if intent.status != IntentStatus.MINED:
            continue
        end = _end(intent, by_intent[intent.pk], evidence, kept=kept)
        if end is None:
            waiting.append(intent)
        else:
            moves.append(end)
    intents.move_all([move for move, _ in moves], at=at)
    # What the witnesses hold, should one node have said otherwise before.
    watching.keep([proof for _, proof in moves if proof is not None], at=at)
    _note_depth(waiting, evidence, at=at)


def _numbers(evidence: Evidence) -> set[int]:
    return {receipt.block_number for said in evidence.testimonies for receipt in said.receipts if receipt is not None}


End = tuple[Move, tuple[TxSend, ReceiptFacts] | None]


def _end(intent: TxIntent, sends: list[TxSend], evidence: Evidence, *, kept: dict[int, str]) -> End | None:
    """An intent's end and its proof, if enough nodes vouch for one receipt in a block that we read.

    Back to SENT, without a proof, if no node has any.
    """
    said = evidence.testimonies
    held = [(send, receipt) for send in sends if (receipt := _best(send, evidence)) is not None]
    if not held and len(said) >= min(evidence.endpoints, finality.WITNESSES):
        return Move(intent=intent, target=IntentStatus.SENT, facts={"words": "no node has its receipt"}), None
    for send, receipt in held:
        witnesses = finality.vouched(said, at=evidence.places[send.pk], receipt=receipt, depth=settings.FINALITY_BLOCKS)
        said_at = _first_deep(send, receipt)
        is_proven = finality.is_proven(
            witnesses, endpoints=evidence.endpoints, said_at=said_at, head=evidence.heads.latest.number
        )
        if is_proven and kept.get(receipt.block_number) == receipt.block_hash:
            return _end_by(intent, send, receipt), (send, receipt)
    return None


def _best(send: TxSend, evidence: Evidence) -> ReceiptFacts | None:
    """The receipt of a send that most nodes hold."""
    at = evidence.places[send.pk]
    held = [found for said in evidence.testimonies if (found := said.receipts[at]) is not None]
    return max(held, key=lambda receipt: len(finality.holders(evidence.testimonies, at=at, receipt=receipt)), default=None)


def _first_deep(send: TxSend, receipt: ReceiptFacts) -> int | None:
    same = TxReceipt.objects.filter(send=send, block_hash=receipt.block_hash, is_success=receipt.is_success)
    return same.values_list("deep_at_block", flat=True).first()


def _end_by(intent: TxIntent, send: TxSend, receipt: ReceiptFacts) -> Move:
    if send.purpose == Purpose.CANCELLATION:
        return Move(intent=intent, target=IntentStatus.CANCELED, failure=intent.cancel_reason or "CANCELED_ON_CHAIN")
    if receipt.is_success:
        return Move(intent=intent, target=IntentStatus.FINAL)
    return Move(intent=intent, target=IntentStatus.REVERTED, failure="REVERTED_ON_CHAIN")


def _note_depth(waiting: list[TxIntent], evidence: Evidence, *, at: datetime) -> None:
    """Remember at which head a receipt was first found deep: a single node must say the same again later."""
    receipts = TxReceipt.objects.filter(send__intent__in=waiting, is_canonical=True, deep_at_block=None)
    receipts.update(deep_at_block=evidence.heads.latest.number)
    TxIntent.objects.filter(pk__in=[intent.pk for intent in waiting]).update(next_action_at=at + watching.LOOK_AGAIN)
