"""Intents: every move goes through `move`, which writes it down and takes the order along."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from execution import locks
from execution.domain.intent import LIFECYCLE, Blocked, IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent
from execution.services import orders
from trading.kinds import piece
from trading.services import journal

# What an intent's end means for its order.
_ORDER_AFTER = {
    IntentStatus.SENT: OrderStatus.SUBMITTED,
    # An intent can be found mined that nobody knew to be sent.
    IntentStatus.MINED: OrderStatus.SUBMITTED,
    IntentStatus.FAILED: OrderStatus.DENIED,
    IntentStatus.EXPIRED: OrderStatus.EXPIRED,
    IntentStatus.REVERTED: OrderStatus.REJECTED,
    IntentStatus.CANCELED: OrderStatus.CANCELED,
}
# The order is further than the news: the venue's own event overtook our look at the receipt.
_OVERTAKEN = frozenset((OrderStatus.ACCEPTED, OrderStatus.FILLED, OrderStatus.CANCELED))


@piece
def move(
    intent: TxIntent, target: IntentStatus, *, at: datetime, due: timedelta = timedelta(0), failure: str = "", **facts: Any
) -> None:
    """Take an intent along its way, due again after `due`; the caller holds its lock."""
    LIFECYCLE.check(source=IntentStatus(intent.status), target=target)
    is_end = target in LIFECYCLE.terminal
    intent.status = target
    intent.version += 1
    intent.attempts = 0
    intent.failure_code = failure[:200]
    intent.blocked_reason = Blocked.NONE
    intent.closed_at = at if is_end else None
    intent.next_action_at = None if is_end else at + due
    intent.save()
    journal.record(f"intent.{target.lower()}", intent, at=at, trace_id=intent.trace_id, failure=failure, **facts)
    _take_order_along(intent, at=at)


@piece
def block(intents: Iterable[TxIntent], reason: Blocked, *, at: datetime, pause: timedelta) -> None:
    """Let intents wait where they are, and say why. Only a new reason is news."""
    for intent in intents:
        is_news = intent.blocked_reason != reason
        intent.blocked_reason = reason
        intent.next_action_at = at + pause
        # It was worked and came out alive: waiting isn't an attempt.
        intent.attempts = 0
        intent.save(update_fields=["blocked_reason", "next_action_at", "attempts"])
        if is_news:
            journal.record("intent.blocked", intent, at=at, trace_id=intent.trace_id, reason=reason)


def _take_order_along(intent: TxIntent, *, at: datetime) -> None:
    target = _ORDER_AFTER.get(IntentStatus(intent.status))
    if target is None:
        return
    # Read again under its lock: the venue's events move orders too, from another lane.
    (order,) = locks.orders([intent.order_id])
    if OrderStatus(order.status) not in _OVERTAKEN:
        orders.move(order, target, at=at, reason=intent.failure_code)
