"""Intents: every move goes through here, which writes it down and takes the order along."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pgbulk

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
_MOVED = ["status", "version", "attempts", "failure_code", "blocked_reason", "closed_at", "next_action_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One intent's next state, due again after `due`; `facts` go to the journal."""

    intent: TxIntent
    target: IntentStatus
    due: timedelta = timedelta(0)
    failure: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@piece
def move(
    intent: TxIntent, target: IntentStatus, *, at: datetime, due: timedelta = timedelta(0), failure: str = "", **facts: Any
) -> None:
    """Take one intent along its way; the caller holds its lock."""
    move_all([Move(intent=intent, target=target, due=due, failure=failure, facts=facts)], at=at)


@piece
def move_all(moves: Sequence[Move], *, at: datetime, fields: Sequence[str] = ()) -> None:
    """Take intents along their way in a few statements; `fields` are what the caller changed besides. He holds their locks."""
    if not moves:
        return
    for each in moves:
        _step(each, at=at)
    pgbulk.update(TxIntent, [each.intent for each in moves], [*_MOVED, *fields])
    journal.record_all(
        journal.event(
            f"intent.{each.target.lower()}",
            each.intent,
            at=at,
            trace_id=each.intent.trace_id,
            failure=each.failure,
            **each.facts,
        )
        for each in moves
    )
    _take_orders_along([each.intent for each in moves], at=at)


def _step(each: Move, *, at: datetime) -> None:
    intent, is_end = each.intent, each.target in LIFECYCLE.terminal
    LIFECYCLE.check(source=IntentStatus(intent.status), target=each.target)
    intent.status = each.target
    intent.version += 1
    intent.attempts = 0
    intent.failure_code = each.failure[:200]
    intent.blocked_reason = Blocked.NONE
    intent.closed_at = at if is_end else None
    intent.next_action_at = None if is_end else at + each.due


@piece
def block(intents: Iterable[TxIntent], reason: Blocked, *, at: datetime, pause: timedelta) -> None:
    """Let intents wait where they are, and say why. Only a new reason is news."""
    waiting = list(intents)
    news = [intent for intent in waiting if intent.blocked_reason != reason]
    for intent in waiting:
        # It was worked and came out alive: waiting isn't an attempt.
        intent.blocked_reason, intent.next_action_at, intent.attempts = reason, at + pause, 0
    rows = TxIntent.objects.filter(pk__in=[intent.pk for intent in waiting])
    rows.update(blocked_reason=reason, next_action_at=at + pause, attempts=0)
    journal.record_all(
        journal.event("intent.blocked", intent, at=at, trace_id=intent.trace_id, reason=reason) for intent in news if reason
    )


def _take_orders_along(moved: Sequence[TxIntent], *, at: datetime) -> None:
    after = {intent.order_id: intent for intent in moved if intent.order_id and IntentStatus(intent.status) in _ORDER_AFTER}
    if not after:
        return
    # Read again under their locks: the venue's events move orders too, from another lane.
    waiting = [order for order in locks.orders(after) if OrderStatus(order.status) not in _OVERTAKEN]
    orders.move_all(
        [
            orders.Move(order=order, target=_ORDER_AFTER[IntentStatus(intent.status)], reason=intent.failure_code)
            for order in waiting
            for intent in (after[order.pk],)
        ],
        at=at,
    )
