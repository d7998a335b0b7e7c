"""What people do with one intent: offer more now, withdraw it, let it pay more, or give it up. Each is one audited write."""

from collections.abc import Mapping

from django.conf import settings
from django.db.models import QuerySet

from execution import locks
from execution.domain.fees import LEAST_BUMP
from execution.domain.intent import LIFECYCLE, Blocked, IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose, SendState
from execution.models.sender import SenderStatus
from execution.services import intents, offers, patience, sender_acts, warrants
from execution.services.warrants import Warrant
from trading import doorbell
from trading.domain.errors import Conflict, Invalid
from trading.domain.units import Wei
from trading.kinds import piece, write
from trading.services import journal

WITHDRAWN = "WITHDRAWN"
USED_ELSEWHERE = "NONCE_USED_ELSEWHERE"


class UnknownIntent(Invalid):
    """There is no intent of this key."""

    code = "INTENT_UNKNOWN"


class Ended(Conflict):
    """Nothing is owed to this intent anymore, or it is on the chain already."""

    code = "INTENT_ENDED"


class NothingToRaise(Conflict):
    """None of its offers is on the wire, or its nonce is in doubt."""

    code = "INTENT_NOT_SENT"


class NotLowest(Conflict):
    """A lower nonce of the same sender must be mined first."""

    code = "NONCE_NOT_LOWEST"


class AtCeiling(Conflict):
    """Even the least higher offer lies above the ceiling."""

    code = "FEE_CEILING"


class AlreadyWithdrawn(Conflict):
    """A cancellation is on its way already."""

    code = "INTENT_WITHDRAWN"


class MayBeMined(Conflict):
    """Nothing proves that its nonce is used up by something else: it may still be mined."""

    code = "INTENT_MAY_BE_MINED"


def find(intent_key: str) -> TxIntent:
    """The intent of a key.

    Raises:
        UnknownIntent: if there is none.
    """
    found = TxIntent.objects.select_related("sender").filter(intent_key=intent_key).first()
    if found is None:
        raise UnknownIntent(f"no intent has the key {intent_key}", intent_key=intent_key)
    return found


@write
def bump(*, intent_id: int, by: Warrant) -> None:
    """Let more be offered at once for the lowest nonce of a sender, without the patience of some blocks.

    Raises:
        Ended: if it is over, or mined.
        NothingToRaise: if nothing of it is on the wire, or nothing more may be offered.
        NotLowest: if a lower nonce is still open.
        AtCeiling: if the least step would pass the ceiling.
    """
    sender, intent = _locked(intent_id)
    _refuse_ended(intent)
    _refuse_still(sender, intent)
    lowest = patience.lowest_nonce(sender)
    if intent.nonce != lowest:
        raise NotLowest(f"nonce {lowest} must be mined before {intent.nonce}: bump that one", lowest=lowest, nonce=intent.nonce)
    best = offers.highest_offer(list(intent.sends.all())).fee_cap
    purpose = Purpose.CANCELLATION if intent.cancel_reason else Purpose.CALL
    least, ceiling = best.times_up(*LEAST_BUMP), offers.ceiling_of(intent, sender, purpose=purpose)
    if least > ceiling:
        said = f"the least higher offer is {least} wei a gas, and its ceiling is {ceiling}: raise that first"
        raise AtCeiling(said, offered=str(best), least=str(least), ceiling=str(ceiling))
    _hurry(sender, intent, by=by)
    _use(by, "intent.bump", intent, before={"fee_cap_wei": best}, after={"at_least_wei": least})


@write
def cancel(*, intent_id: int, by: Warrant) -> TxIntent:
    """Withdraw an intent: at once if it has no nonce, else by a cancellation on its nonce.

    Raises:
        Ended: if it is over, or mined.
        AlreadyWithdrawn: if a cancellation is on its way.
    """
    sender, intent = _locked(intent_id)
    _refuse_ended(intent)
    if intent.cancel_reason:
        raise AlreadyWithdrawn(f"a cancellation is on its way: {intent.cancel_reason}", cancel_reason=intent.cancel_reason)
    before = {"status": intent.status, "nonce": intent.nonce}
    reason = f"{WITHDRAWN}: {by.reason}"[:200]
    if intent.nonce is None:
        intents.move(intent, IntentStatus.CANCELED, at=by.at, failure=reason)
    else:
        _cancel_on_chain(sender, intent, reason=reason, by=by)
    _use(by, "intent.cancel", intent, before=before, after={"status": intent.status, "cancel_reason": intent.cancel_reason})
    return intent


@write
def limit(*, intent_id: int, ceiling: Wei | None, by: Warrant) -> None:
    """Let one intent pay at most this for a gas, or (None) what its sender pays.

    Raises:
        Ended: if it is over, or mined.
        LimitOutOfRange: if settings forbid it.
    """
    sender, intent = _locked(intent_id)
    _refuse_ended(intent)
    if ceiling is not None:
        sender_acts.refuse_ceiling(ceiling)
    before = {"fee_ceiling_wei": intent.fee_ceiling_wei}
    intent.fee_ceiling_wei = ceiling
    intent.save(update_fields=["fee_ceiling_wei"])
    _use(by, "intent.limit", intent, before=before, after={"fee_ceiling_wei": ceiling})
    doorbell.ring("intent.created", key=sender.pk)


@write
def give_up(*, intent_id: int, by: Warrant) -> TxIntent:
    """End an intent whose nonce something else has used: it is canceled, and its order gives its room back.

    Safe by proof and not by the person's word: `doubts` blocks an intent so only when enough nodes, past the safe head,
    have mined its nonce and hold no receipt of any of its sends. A nonce is mined once, so none of them ever will be.
    The person looks at what stands on the nonce (an explorer shows it by sender and nonce): it is none of the sends
    that `manage.py intent show` lists, the trader has no position from it, and whoever signed it has the key. That
    one is replaced before its sender is released.

    Raises:
        Ended: if it is over, or mined.
        MayBeMined: if its nonce isn't proven to be used by something else, or the venue has its order.
    """
    _, intent = _locked(intent_id)
    _refuse_ended(intent)
    _refuse_unproven(intent)
    before = {"status": intent.status, "nonce": intent.nonce, "doubted_at_block": intent.doubted_at_block}
    intents.move(intent, IntentStatus.CANCELED, at=by.at, failure=f"{USED_ELSEWHERE}: {by.reason}")
    _use(by, "intent.give-up", intent, before=before, after={"status": intent.status})
    return intent


@piece
def _locked(intent_id: int) -> tuple[Sender, TxIntent]:
    # Which sender it is never changes: it may be read before the lock.
    (sender,) = locks.senders([TxIntent.objects.values_list("sender_id", flat=True).get(pk=intent_id)])
    (intent,) = locks.intents([intent_id])
    return sender, intent


def _refuse_ended(intent: TxIntent) -> None:
    status = IntentStatus(intent.status)
    if status in LIFECYCLE.terminal:
        raise Ended(f"it has ended: {status} {intent.failure_code}".strip(), status=status)
    if status is IntentStatus.MINED:
        raise Ended("it is mined: only the chain can take it back", status=status)


def _refuse_still(sender: Sender, intent: TxIntent) -> None:
    """Refuse where no drain would offer more, whatever it is told."""
    if sender.status == SenderStatus.QUARANTINED:
        raise NothingToRaise("its sender is quarantined: nothing is signed for it", status=sender.status)
    if intent.status != IntentStatus.SENT:
        raise NothingToRaise(f"it is {intent.status}: more is offered only for what is on the wire", status=intent.status)
    if intent.doubted_at_block is not None:
        raise NothingToRaise("a node calls its nonce used: more offers could only be lost", doubted_at=intent.doubted_at_block)
    if not settings.ENABLE_RBF and not intent.cancel_reason:
        raise NothingToRaise("ENABLE_RBF is false: nothing more is offered")


@piece
def _refuse_unproven(intent: TxIntent) -> None:
    is_foreign = intent.blocked_reason == Blocked.NONCE and intent.doubted_at_block is not None
    if intent.status != IntentStatus.SENT or not is_foreign:
        said = f"it is {intent.status}, and nothing proves that something else used its nonce: it may still be mined"
        raise MayBeMined(said, status=intent.status, blocked_reason=intent.blocked_reason)
    # The venue's events are read in another lane: where it has the order, a send of ours was mined after all.
    for order in locks.orders([intent.order_id] if intent.order_id else []):
        if order.status != OrderStatus.SUBMITTED:
            raise MayBeMined(f"its order is {order.status}: the venue has seen it", status=intent.status, order=order.status)


def _cancel_on_chain(sender: Sender, intent: TxIntent, *, reason: str, by: Warrant) -> None:
    intent.cancel_reason, intent.next_action_at = reason, by.at
    intent.save(update_fields=["cancel_reason", "next_action_at"])
    if intent.status == IntentStatus.RETRYING and not _on_the_wire(intent).exists():
        # Every node refused its bytes for now: they don't go again, and a cancellation takes their place.
        refused = intent.sends.filter(state=SendState.READY, times_sent__gt=0, purpose=Purpose.CALL)
        refused.update(state=SendState.REFUSED)
    if intent.status == IntentStatus.SENT and intent.nonce == patience.lowest_nonce(sender):
        _hurry(sender, intent, by=by)
    journal.record("intent.withdrawn", intent, at=by.at, trace_id=intent.trace_id, reason=by.reason)
    doorbell.ring("intent.created", key=sender.pk)


def _on_the_wire(intent: TxIntent) -> QuerySet[TxSend]:
    return TxSend.objects.filter(intent=intent, state=SendState.SENT)


@piece
def _hurry(sender: Sender, intent: TxIntent, *, by: Warrant) -> None:
    """Let the next look find that the lowest nonce has waited long enough (`patience`), and make it now."""
    sender.waiting_nonce, sender.waiting_since_block = intent.nonce, 0
    sender.save(update_fields=["waiting_nonce", "waiting_since_block"])
    TxIntent.objects.filter(pk=intent.pk).update(next_action_at=by.at)
    doorbell.ring("intent.created", key=sender.pk)


@piece
def _use(by: Warrant, action: str, intent: TxIntent, *, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    was = {"intent_key": intent.intent_key, **before}
    warrants.use(by, action=action, subject=f"txintent:{intent.pk}", before=was, after=after, trace_id=intent.trace_id)
