"""Offers: what is signed for a nonce. The call, more for the same call, or a cancellation in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pgbulk
import structlog
from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import fees
from execution.domain.fees import FeeQuote, Offer
from execution.domain.intent import Blocked, IntentStatus
from execution.domain.signing import CANCELLATION_GAS, SignerBroken, SigningDenied
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose, SendState
from execution.models.sender import SenderStatus
from execution.ports import SignedCall, UnsignedCall
from execution.services import copied, doubts, intents
from execution.services.intents import Move
from trading.domain.errors import Unavailable
from trading.domain.mode import EffectiveMode
from trading.domain.units import Wei
from trading.kinds import step, write
from trading.lanes import Lease
from trading.services import journal, mode

log = structlog.get_logger(__name__)

BATCH = 100
# What raised or killed its worker this often is not signed anymore: a cancellation takes its nonce.
MAX_ATTEMPTS = 8
# An unsigned nonce below live ones is held open this long for its call; then a cancellation lets the others pass.
GAP_PATIENCE = timedelta(seconds=30)
PAUSE = timedelta(seconds=1)
# A stop is to be silent within a second, with the signatures that are under way: the mode is asked more often than that.
LOOK_AGAIN = timedelta(milliseconds=250)
_LONGEST_PAUSE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The next offer for an intent's nonce."""

    intent: TxIntent
    purpose: Purpose
    offer: Offer
    seq: int


@step
def sign_due(lease: Lease, *, desk: Desk, clock: Clock) -> bool:
    """Sign the next offer of every nonce that wants one, and store it before anybody sees it.

    What was tried before is signed alone, when nothing else is left: True if there is such to come.
    """
    if not wanting(lease.pk, at=clock()).exists():
        return False
    quote = desk.chain.fees()
    signer = desk.signer_of(Sender.objects.values_list("address", flat=True).get(pk=lease.pk))
    # The gate sits at the signature.
    asked_at = clock()
    effective = mode.current(switch=desk.switch, at=asked_at)
    lease.renew()
    plans = _claim(lease, effective=effective, quote=quote, has_key=signer is not None, at=clock())
    signed: dict[int, TxSend] = {}
    for plan in plans:
        # One look at the clock for each: it is the database's.
        at = clock()
        if at - asked_at > LOOK_AGAIN:
            asked_at = clock()
            effective = mode.current(switch=desk.switch, at=asked_at)
            lease.renew()
        if signer is None or (plan.purpose is Purpose.CALL and not effective.may_sign):
            break
        try:
            signed[plan.intent.pk] = _send(plan, signer.sign(_unsigned(plan, chain_id=desk.chain.chain_id)), at=at)
        except SigningDenied as denied:
            _withdraw(lease, plan.intent, reason=f"SIGNING_DENIED: {denied.facts.get('rule', denied.message)}", at=clock())
        except SignerBroken as broken:
            _stop(lease, reason=broken.message, at=clock())
            break
        except Unavailable as error:
            log.warning("signer.silent", intent=plan.intent.pk, **error.facts)
            break
    unsigned = [plan.intent.pk for plan in plans if plan.intent.pk not in signed]
    _record(lease, list(signed.values()), unsigned=unsigned, at=clock())
    return bool(signed) and wanting(lease.pk, at=clock()).exists()


def wanting(sender_id: int, *, at: datetime) -> QuerySet[TxIntent]:
    """Due intents whose nonce has no bytes on the wire or ready for it, and those for which more is to be offered."""
    ready = TxSend.objects.filter(intent=OuterRef("pk"), state=SendState.READY)
    offered = TxSend.objects.filter(intent=OuterRef("pk"), state__in=[SendState.READY, SendState.SENT])
    bare = Q(status__in=[IntentStatus.SENDING, IntentStatus.RETRYING]) & ~Exists(offered)
    raising = Q(status=IntentStatus.RBF_PENDING) & ~Exists(ready)
    return TxIntent.objects.of_lane(sender_id).due(at=at).filter(bare | raising).order_by("nonce")


@write
def _claim(lease: Lease, *, effective: EffectiveMode, quote: FeeQuote, has_key: bool, at: datetime) -> list[Plan]:
    """What is to be signed, its attempts counted before the work; what may not be signed now waits and says why."""
    sender = locks.sender(lease)
    due = list(wanting(sender.pk, at=at)[:BATCH])
    # What was tried before goes last and alone: if it is what kills, it takes nobody along.
    due = [intent for intent in due if not intent.attempts] or sorted(due, key=lambda intent: intent.attempts)[:1]
    locked = locks.intents([intent.pk for intent in due])
    prefetch_related_objects(locked, "sends")
    highest_live = _highest_live(sender)
    if sender.status == SenderStatus.QUARANTINED or not has_key:
        _park(locked, Blocked.SENDER, at=at)
        return []
    plans = []
    for intent in sorted(locked, key=lambda intent: intent.nonce or 0):
        _decide_to_cancel(intent, effective=effective, highest_live=highest_live, at=at)
        plan = _plan(intent, sender, quote=quote)
        if plan is None:
            _park([intent], Blocked.CEILING, at=at)
        elif plan.purpose is Purpose.CALL and not effective.may_sign:
            _park([intent], Blocked.MODE, at=at)
        else:
            plans.append(plan)
    for plan in plans:
        plan.intent.attempts += 1
    pgbulk.update(TxIntent, [plan.intent for plan in plans], ["attempts", "cancel_reason"])
    return plans


def _highest_live(sender: Sender) -> int:
    """The highest nonce that some node may hold; -1 if there is none."""
    live = TxIntent.objects.of_lane(sender.pk).unmined().filter(sends__state=SendState.SENT)
    return max((nonce or 0 for nonce in live.values_list("nonce", flat=True)), default=-1)


def _park(waiting: Sequence[TxIntent], reason: Blocked, *, at: datetime) -> None:
    """Let them wait; one for which more was to be offered goes on with what is on the wire."""
    raising = [intent for intent in waiting if intent.status == IntentStatus.RBF_PENDING]
    intents.move_all([Move(intent=intent, target=IntentStatus.SENT) for intent in raising], at=at)
    intents.block(waiting, reason, at=at, pause=PAUSE)


def _decide_to_cancel(intent: TxIntent, *, effective: EffectiveMode, highest_live: int, at: datetime) -> None:
    """Nothing but a cancellation is signed for what is too late, what kills its workers, or what holds live ones up."""
    newest = max(intent.sends.all(), key=lambda send: send.seq, default=None)
    touched_at = newest.last_sent_at if newest is not None else intent.reserved_at
    is_gap = not effective.may_sign and (intent.nonce or 0) < highest_live and intent.status != IntentStatus.RBF_PENDING
    has_waited = effective.emergency_stop or touched_at is None or at - touched_at > GAP_PATIENCE
    if intent.cancel_reason:
        return
    if intent.is_late(at=at):
        intent.cancel_reason = "DEADLINE_PASSED"
    elif intent.attempts >= MAX_ATTEMPTS:
        log.error("intent.set_aside", intent=intent.pk, attempts=intent.attempts, advice="look for what its signing raised")
        intent.cancel_reason = "SIGNING_ATTEMPTS_EXHAUSTED"
    elif (is_gap and has_waited) or (newest is None and copied.must_wait(intent)):
        intent.cancel_reason = "NOT_LIVE"


def _plan(intent: TxIntent, sender: Sender, *, quote: FeeQuote) -> Plan | None:
    purpose = Purpose.CANCELLATION if intent.cancel_reason else Purpose.CALL
    ceiling = ceiling_of(intent, sender, purpose=purpose)
    sends = list(intent.sends.all())
    is_exit = intent.priority == TxIntent.EXIT_PRIORITY
    offer = _next_offer(sends, quote=quote.urgent if is_exit else quote, ceiling=ceiling)
    if offer is None:
        return None
    return Plan(intent=intent, purpose=purpose, offer=offer, seq=max((send.seq for send in sends), default=0) + 1)


def ceiling_of(intent: TxIntent, sender: Sender, *, purpose: Purpose) -> Wei:
    """The most that an offer of this purpose may pay for a gas."""
    ceiling = intent.fee_ceiling_wei or sender.fee_ceiling_wei
    return ceiling if purpose is Purpose.CANCELLATION else fees.call_ceiling(ceiling)


def highest_offer(sends: Sequence[TxSend]) -> Offer:
    """The most that was ever offered for a nonce, whatever became of it: a node may hold it."""
    return Offer(fee_cap=max(send.fee_cap_wei for send in sends), tip_cap=max(send.tip_cap_wei for send in sends))


def _next_offer(sends: Sequence[TxSend], *, quote: FeeQuote, ceiling: Wei) -> Offer | None:
    if sends:
        return fees.higher_offer(highest_offer(sends), quote=quote, ceiling=ceiling, number=len(sends))
    return fees.first_offer(quote, ceiling=ceiling) if fees.is_affordable(quote, ceiling=ceiling) else None


def _send(plan: Plan, signed: SignedCall, *, at: datetime) -> TxSend:
    return TxSend(
        intent=plan.intent,
        seq=plan.seq,
        purpose=plan.purpose,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        fee_cap_wei=plan.offer.fee_cap,
        tip_cap_wei=plan.offer.tip_cap,
        created_at=at,
    )


def _unsigned(plan: Plan, *, chain_id: int) -> UnsignedCall:
    intent = plan.intent
    if intent.nonce is None or intent.gas_limit is None:
        raise ValueError("only a reserved intent is signed")
    is_call = plan.purpose is Purpose.CALL
    return UnsignedCall(
        chain_id=chain_id,
        nonce=intent.nonce,
        target=intent.target if is_call else intent.sender.address,
        data=(intent.calldata or "0x") if is_call else "0x",
        value=intent.value_wei if is_call else Wei.zero(),
        gas_limit=intent.gas_limit if is_call else CANCELLATION_GAS,
        offer=plan.offer,
    )


@write
def _withdraw(lease: Lease, intent: TxIntent, *, reason: str, at: datetime) -> None:
    """Let a cancellation take the nonce of what our own signer refuses; slowly, should it refuse that too."""
    locks.sender(lease)
    (locked,) = locks.intents([intent.pk])
    is_first = not locked.cancel_reason
    locked.cancel_reason = locked.cancel_reason or reason[:200]
    locked.save(update_fields=["cancel_reason"])
    pause = timedelta(0) if is_first else timedelta(seconds=_LONGEST_PAUSE_SECONDS)
    intents.block([locked], Blocked.CONTENT, at=at, pause=pause)
    log.error("signer.denied", intent=intent.pk, reason=reason)


@write
def _stop(lease: Lease, *, reason: str, at: datetime) -> None:
    """A key that signs for another account signs nothing: its sender waits for a person."""
    doubts.quarantine(locks.sender(lease), reason=reason, at=at)


@write
def _record(lease: Lease, signed: list[TxSend], *, unsigned: Sequence[int], at: datetime) -> None:
    # The row goes in before the bytes go out: if we die between the two, the next drain
    # sends the same bytes again and the network sees one transaction.
    locks.sender(lease)
    if unsigned:
        _park([intent for intent in locks.intents(unsigned) if not intent.cancel_reason], Blocked.ENDPOINT, at=at)
    stored = TxSend.objects.bulk_create(signed)
    TxIntent.objects.filter(pk__in=[send.intent_id for send in stored]).update(attempts=0)
    journal.record_all(
        journal.event(
            "send.recorded",
            send,
            at=at,
            trace_id=send.intent.trace_id,
            tx_hash=send.tx_hash,
            seq=send.seq,
            purpose=send.purpose,
            fee_cap_wei=send.fee_cap_wei,
        )
        for send in stored
    )
