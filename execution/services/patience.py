"""Patience: how long a sender's lowest nonce may wait before more is offered for it, and how wide its window is."""

from datetime import datetime

import structlog
from django.conf import settings

from execution.domain import window
from execution.domain.chain import Block
from execution.domain.fees import LEAST_BUMP, Offer
from execution.domain.intent import Blocked, IntentStatus
from execution.domain.window import Window
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose
from execution.services import intents, offers
from trading.kinds import piece

log = structlog.get_logger(__name__)

# Blocks without inclusion after which more is offered.
ENTRY_PATIENCE = 3
EXIT_PATIENCE = 2
# An offer below the base fee can't be mined at all: nothing is gained by waiting.
PRICED_OUT_PATIENCE = 1


@piece
def judge(
    sender: Sender, waiting: list[TxIntent], *, by_intent: dict[int, list[TxSend]], head: Block, progress: int, at: datetime
) -> None:
    """See whether the lowest nonce has waited too long; widen the window after a block that refused nothing."""
    lowest = lowest_nonce(sender)
    if lowest != sender.waiting_nonce:
        sender.waiting_nonce, sender.waiting_since_block = lowest, None if lowest is None else head.number
    _widen(sender, head=head, progress=progress)
    first = next((intent for intent in waiting if intent.nonce == lowest), None)
    if first is not None and first.status == IntentStatus.SENT:
        _judge_first(sender, first, by_intent[first.pk], head=head, at=at)
    sender.save(update_fields=["waiting_nonce", "waiting_since_block", "window_size", "window_block"])


def lowest_nonce(sender: Sender) -> int | None:
    """The lowest nonce that is still to be mined; one that something else has used never will be."""
    open_ones = TxIntent.objects.of_lane(sender.pk).unmined().exclude(blocked_reason=Blocked.NONCE)
    return open_ones.order_by("nonce").values_list("nonce", flat=True).first()


def _judge_first(sender: Sender, first: TxIntent, sends: list[TxSend], *, head: Block, at: datetime) -> None:
    best = offers.highest_offer(sends)
    if not _has_waited(sender, first, best, head=head):
        return
    if first.is_late(at=at) and not first.cancel_reason:
        # Nothing is signed for it anymore but a cancellation.
        first.cancel_reason = "DEADLINE_PASSED"
        first.save(update_fields=["cancel_reason"])
    purpose = Purpose.CANCELLATION if first.cancel_reason else Purpose.CALL
    if best.fee_cap.times_up(*LEAST_BUMP) > offers.ceiling_of(first, sender, purpose=purpose):
        _hold(first, at=at)
    elif settings.ENABLE_RBF or first.cancel_reason:
        sender.waiting_since_block = head.number
        intents.move(first, IntentStatus.RBF_PENDING, at=at, fee_cap_wei=best.fee_cap, base_fee_wei=head.base_fee)


def _has_waited(sender: Sender, first: TxIntent, best: Offer, *, head: Block) -> bool:
    if sender.waiting_since_block is None or first.doubted_at_block is not None:
        return False
    patience = EXIT_PATIENCE if first.priority == TxIntent.EXIT_PRIORITY else ENTRY_PATIENCE
    if best.fee_cap < head.base_fee:
        patience = PRICED_OUT_PATIENCE
    return head.number - sender.waiting_since_block >= patience


def _hold(first: TxIntent, *, at: datetime) -> None:
    """Its bytes go out again and again; more than the ceiling is offered only once a person raises that."""
    if first.blocked_reason != Blocked.CEILING:
        log.error("intent.at_ceiling", intent=first.pk, nonce=first.nonce, advice="raise the sender's fee ceiling, or cancel it")
    intents.block([first], Blocked.CEILING, at=at, pause=offers.PAUSE)


def _widen(sender: Sender, *, head: Block, progress: int) -> None:
    """A window that was full and of which something was mined may be wider; at most one step a block."""
    in_flight = TxIntent.objects.of_lane(sender.pk).unmined()
    was_full = in_flight.count() + progress >= sender.window_size
    is_refused = in_flight.filter(blocked_reason=Blocked.BACKPRESSURE).exists()
    if not progress or not was_full or is_refused or head.number <= sender.window_block:
        return
    wide = window.widened(Window(size=sender.window_size, threshold=sender.window_threshold), limit=sender.max_in_flight)
    sender.window_size, sender.window_block = wide.size, head.number
