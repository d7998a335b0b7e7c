"""Submission: reserve, sign, store, broadcast, conclude.

The process may die between any two of these; the next drain finds the row in its state and takes the
same next step with the same function. There is no separate recovery code.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import fees
from execution.domain.broadcast import Answer, Meaning, meaning_of
from execution.domain.fees import FeeQuote, Offer
from execution.domain.intent import Blocked, IntentStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose, SendState
from execution.models.sender import SenderStatus
from execution.ports import SignedCall, UnsignedCall
from execution.services import intents, venue_room
from execution.services.building import BUILT_MAX_AGE
from trading.domain.mode import Book, EffectiveMode
from trading.domain.units import Wei
from trading.kinds import step, write
from trading.lanes import Lease
from trading.services import journal, mode

# The most we ever pay for a gas.
FEE_CEILING = Wei(500 * 10**9)
# An empty call to ourselves.
CANCELLATION_GAS = 21_000
NONE_FREE = 0
_PAUSE = timedelta(seconds=1)
_FUNDS_PAUSE = timedelta(seconds=5)


@step
def submit_due(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Give nonces to what is built, and bring everything that holds one onto the wire."""
    effective = mode.current(switch=desk.switch)
    lease.renew()
    _reserve(lease, effective=effective, address=desk.signer.address, at=clock())
    unsigned = _without_offer(lease, at=clock())
    if unsigned:
        _offer(lease, unsigned, desk=desk, clock=clock)
    ready = list(_ready_sends(lease, at=clock()))
    if ready:
        lease.renew()
        answers = desk.chain.broadcast([send.raw for send in ready])
        _conclude(lease, [send.pk for send in ready], answers, at=clock())


@write
def _reserve(lease: Lease, *, effective: EffectiveMode, address: str, at: datetime) -> None:
    """Bind the oldest built intents to the next nonces, exits first, as far as there is room in flight."""
    sender = locks.sender(lease)
    built = TxIntent.objects.of_lane(lease.pk).due(at=at).filter(status=IntentStatus.BUILT, book=Book.LIVE).in_order()
    fresh = [intent for intent in locks.intents(built.values_list("pk", flat=True)) if _is_usable(intent, at=at)]
    waiting = venue_room.fitting(sorted(fresh, key=lambda intent: (intent.priority, intent.pk)), at=at)
    reason, room = _room(sender, effective=effective, address=address)
    for nonce, intent in enumerate(waiting[:room], start=sender.next_nonce):
        intent.nonce = nonce
        intents.move(intent, IntentStatus.SENDING, at=at, nonce=nonce)
    sender.next_nonce += len(waiting[:room])
    sender.save(update_fields=["next_nonce"])
    intents.block(waiting[room:], reason, at=at, pause=_PAUSE)


def _is_usable(intent: TxIntent, *, at: datetime) -> bool:
    if _is_late(intent, at=at):
        intents.move(intent, IntentStatus.EXPIRED, at=at)
        return False
    return intent.built_at is not None and at - intent.built_at <= BUILT_MAX_AGE


def _room(sender: Sender, *, effective: EffectiveMode, address: str) -> tuple[Blocked, int]:
    if not effective.may_sign:
        return Blocked.MODE, NONE_FREE
    # Another key than the sender's would sign its nonces for another account.
    if sender.status != SenderStatus.ACTIVE or sender.address != address:
        return Blocked.SENDER, NONE_FREE
    in_flight = TxIntent.objects.of_lane(sender.pk).unmined().count()
    return Blocked.IN_FLIGHT, max(sender.max_in_flight - in_flight, NONE_FREE)


def _without_offer(lease: Lease, *, at: datetime) -> list[TxIntent]:
    """Those that hold a nonce and have no bytes on the wire or ready for it: reserved before a crash, or refused."""
    holding = TxIntent.objects.of_lane(lease.pk).due(at=at).filter(status__in=[IntentStatus.SENDING, IntentStatus.RETRYING])
    offered = TxSend.objects.filter(state__in=[SendState.READY, SendState.SENT]).values("intent_id")
    return list(holding.exclude(pk__in=offered).select_related("sender").order_by("nonce"))


@step
def _offer(lease: Lease, unsigned: list[TxIntent], *, desk: Desk, clock: Clock) -> None:
    quote = desk.chain.fees()
    # Asked once more: the gate sits at the signature.
    effective = mode.current(switch=desk.switch)
    is_its_key = all(intent.sender.address == desk.signer.address for intent in unsigned)
    if not effective.may_sign or not is_its_key:
        reason = Blocked.SENDER if effective.may_sign else Blocked.MODE
        _park(lease, [intent.pk for intent in unsigned], reason=reason, at=clock())
        return
    lease.renew()
    at = clock()
    signed = {intent.pk: _signed(intent, quote=quote, desk=desk, at=at) for intent in unsigned}
    _record(lease, signed, at=at)


@write
def _park(lease: Lease, intent_ids: Sequence[int], *, reason: Blocked, at: datetime) -> None:
    locks.sender(lease)
    intents.block(locks.intents(intent_ids), reason, at=at, pause=_PAUSE)


def _signed(intent: TxIntent, *, quote: FeeQuote, desk: Desk, at: datetime) -> TxSend | None:
    """The next offer for an intent's nonce, or None while the ceiling forbids one."""
    refused = intent.sends.order_by("-seq").first()
    purpose = _purpose(intent, refused, at=at)
    offer = _next_offer(refused, quote=quote)
    if offer is None:
        return None
    signed = desk.signer.sign(_unsigned(intent, purpose, offer=offer, desk=desk))
    return _send(intent, signed, seq=refused.seq + 1 if refused else 1, purpose=purpose, offer=offer, at=at)


def _purpose(intent: TxIntent, refused: TxSend | None, *, at: datetime) -> Purpose:
    """A nonce whose content was refused for good, or whose time has passed, is filled by a cancellation."""
    # By the node's words: why the intent waits may have changed meanwhile.
    is_refused = refused is not None and meaning_of(refused.last_answer) is Meaning.FATAL
    was_cancellation = refused is not None and refused.purpose == Purpose.CANCELLATION
    return Purpose.CANCELLATION if _is_late(intent, at=at) or is_refused or was_cancellation else Purpose.CALL


def _is_late(intent: TxIntent, *, at: datetime) -> bool:
    return intent.deadline_at is not None and intent.deadline_at < at


def _next_offer(refused: TxSend | None, *, quote: FeeQuote) -> Offer | None:
    if refused is None:
        return fees.first_offer(quote, ceiling=FEE_CEILING)
    last = Offer(fee_cap=refused.fee_cap_wei, tip_cap=refused.tip_cap_wei)
    return fees.higher_offer(last, quote=quote, ceiling=FEE_CEILING)


def _unsigned(intent: TxIntent, purpose: Purpose, *, offer: Offer, desk: Desk) -> UnsignedCall:
    if intent.nonce is None or intent.gas_limit is None:
        raise ValueError("only a reserved intent is signed")
    is_call = purpose is Purpose.CALL
    return UnsignedCall(
        chain_id=desk.chain.chain_id,
        nonce=intent.nonce,
        target=intent.target if is_call else desk.signer.address,
        data=intent.calldata if is_call else "0x",
        value=intent.value_wei if is_call else Wei.zero(),
        gas_limit=intent.gas_limit if is_call else CANCELLATION_GAS,
        offer=offer,
    )


def _send(intent: TxIntent, signed: SignedCall, *, seq: int, purpose: Purpose, offer: Offer, at: datetime) -> TxSend:
    return TxSend(
        intent=intent,
        seq=seq,
        purpose=purpose,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        fee_cap_wei=offer.fee_cap,
        tip_cap_wei=offer.tip_cap,
        created_at=at,
    )


@write
def _record(lease: Lease, signed: dict[int, TxSend | None], *, at: datetime) -> None:
    # The row goes in before the bytes go out: if we die between the two, the next drain
    # sends the same bytes again and the network sees one transaction.
    locks.sender(lease)
    without = [intent_id for intent_id, send in signed.items() if send is None]
    intents.block(locks.intents(without), Blocked.FEES, at=at, pause=_PAUSE)
    stored = TxSend.objects.bulk_create(send for send in signed.values() if send is not None)
    journal.record_all(
        journal.event("send.recorded", send, at=at, trace_id=send.intent.trace_id, tx_hash=send.tx_hash, seq=send.seq)
        for send in stored
    )


def _ready_sends(lease: Lease, *, at: datetime) -> QuerySet[TxSend]:
    unmined = TxIntent.objects.of_lane(lease.pk).unmined().due(at=at)
    return TxSend.objects.filter(state=SendState.READY, intent__in=unmined.values("pk")).order_by("intent__nonce")


@write
def _conclude(lease: Lease, send_ids: list[int], answers: list[Answer], *, at: datetime) -> None:
    locks.sender(lease)
    by_send = dict(zip(send_ids, answers, strict=True))
    sends = {send.intent_id: send for send in TxSend.objects.filter(pk__in=send_ids)}
    for intent in locks.intents(sends):
        send = sends[intent.pk]
        _note(send, by_send[send.pk], at=at)
        _apply(intent, send, by_send[send.pk], at=at)


def _note(send: TxSend, answer: Answer, *, at: datetime) -> None:
    send.first_sent_at = send.first_sent_at or at
    send.last_sent_at = at
    send.times_sent += 1
    send.last_answer = answer.text


# The answers after which some node has the bytes, or may have them. Unknown is never "failed".
POSSIBLY_LIVE = frozenset((Meaning.ACCEPTED, Meaning.CONSUMED, Meaning.SIBLING_LIVE, Meaning.UNKNOWN))
# Surely refused for a reason that a new offer for the same nonce mends.
_MENDED_BY_OFFER = {Meaning.UNDERPRICED: Blocked.FEES, Meaning.FATAL: Blocked.CONTENT}
# Surely refused for a reason that passes by itself: the same bytes go again.
_PASSING = {Meaning.BACKPRESSURE: (Blocked.BACKPRESSURE, _PAUSE), Meaning.FUNDS: (Blocked.FUNDS, _FUNDS_PAUSE)}


def _apply(intent: TxIntent, send: TxSend, answer: Answer, *, at: datetime) -> None:
    if answer.meaning in POSSIBLY_LIVE:
        send.state = SendState.SENT
        target, reason, pause = IntentStatus.SENT, Blocked.NONE, _PAUSE
    elif answer.meaning in _MENDED_BY_OFFER:
        send.state = SendState.REFUSED
        target, reason, pause = IntentStatus.RETRYING, _MENDED_BY_OFFER[answer.meaning], _PAUSE
    else:
        target, (reason, pause) = IntentStatus.RETRYING, _PASSING[answer.meaning]
        if send.purpose == Purpose.CALL and _is_late(intent, at=at):
            # No node has it, and its time has passed: a cancellation takes its place.
            send.state = SendState.REFUSED
    send.save(update_fields=["state", "first_sent_at", "last_sent_at", "times_sent", "last_answer"])
    if intent.status != target:
        intents.move(intent, target, at=at, due=pause, tx_hash=send.tx_hash, answer=answer.meaning)
    if reason:
        intents.block([intent], reason, at=at, pause=pause)


@write
def note_resent(lease: Lease, send_ids: list[int], answers: list[Answer], *, at: datetime) -> None:
    """Write down that stored bytes went out again; whatever the answer, only a receipt ends a send."""
    locks.sender(lease)
    for send_id, answer in zip(send_ids, answers, strict=True):
        TxSend.objects.filter(pk=send_id).update(last_sent_at=at, times_sent=F("times_sent") + 1, last_answer=answer.text)
