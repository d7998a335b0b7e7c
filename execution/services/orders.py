"""Orders: one for each leg that a decision allows, each with the one intent that it owes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pgbulk
import structlog

from execution.domain.intent import IntentKind, idempotency_key, leg_key
from execution.domain.order import ENDED, LIFECYCLE, OrderStatus
from execution.models import Delegation, Order, Sender, TxIntent
from execution.models.sender import SenderStatus
from risk.domain.decision import Action
from risk.models import Leg
from trading import doorbell, locks
from trading.domain.mode import Book
from trading.kinds import piece, write
from trading.services import journal

log = structlog.get_logger(__name__)

# A leg without a sender to carry it is looked at again after this long.
HOMELESS_PAUSE = timedelta(seconds=5)
# A trader whose home stands so moves to another of his senders. A paused one comes back soon.
_LEFT = (SenderStatus.DRAINING, SenderStatus.QUARANTINED)


@write
def take_in(*, trader_id: int, at: datetime) -> int:
    """Owe one intent for each due leg of an account; the number of legs taken in."""
    locks.accounts([trader_id])
    legs = list(Leg.objects.due(at=at).filter(trader_id=trader_id).select_related("decision__signal", "market", "trader"))
    sender = _sender_for(trader_id, at=at)
    if not legs or sender is None:
        return _wait_for_sender(legs, at=at)
    orders = Order.objects.bulk_create(_order(leg, at=at) for leg in legs)
    TxIntent.objects.bulk_create(_intent(order, sender=sender, at=at) for order in orders)
    Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(next_action_at=None)
    journal.record_all(
        journal.event("order.initialized", order, at=at, trace_id=order.trace_id, **_facts(order)) for order in orders
    )
    doorbell.ring("intent.created", key=sender.pk)
    return len(legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One order's next state."""

    order: Order
    target: OrderStatus
    reason: str = ""


@piece
def move(order: Order, target: OrderStatus, *, at: datetime, reason: str = "") -> None:
    """Take one order along its way; the caller holds its lock."""
    move_all([Move(order=order, target=target, reason=reason)], at=at)


@piece
def move_all(moves: Iterable[Move], *, at: datetime) -> None:
    """Take orders along their way; one that ends gives its room back, one brought back takes it again."""
    real = [each for each in moves if each.order.status != each.target]
    if not real:
        return
    for each in real:
        _step(each, at=at)
    pgbulk.update(Order, [each.order for each in real], _MOVING)
    for ended_at in {each.order.ended_at for each in real}:
        legs = [each.order.leg_id for each in real if each.order.ended_at == ended_at]
        Leg.objects.filter(pk__in=legs).update(settled_at=ended_at)
    journal.record_all(
        journal.event(f"order.{each.target.lower()}", each.order, at=at, trace_id=each.order.trace_id, reason=each.reason)
        for each in real
    )


def _step(each: Move, *, at: datetime) -> None:
    LIFECYCLE.check(source=OrderStatus(each.order.status), target=each.target)
    each.order.status = each.target
    each.order.reason = each.reason
    each.order.ended_at = at if each.target in ENDED else None


_MOVING = ["status", "reason", "ended_at", "venue_order_id", "position", "fill", "accepted_in_block", "settled_in_block"]


@piece
def _sender_for(trader_id: int, *, at: datetime) -> Sender | None:
    """The sender that carries a trader's orders; one without a delegation can still trade on paper, on any."""
    home = Delegation.objects.filter(trader_id=trader_id, is_home=True).select_related("sender", "trader").first()
    if home is None:
        return Sender.objects.filter(status=SenderStatus.ACTIVE, is_treasury=False).order_by("pk").first()
    if home.sender.status not in _LEFT or _has_open_orders(home):
        return home.sender
    refuge = Delegation.objects.filter(trader_id=trader_id, sender__status=SenderStatus.ACTIVE, expires_at__gt=at)
    other = refuge.filter(sender__is_treasury=False).select_related("sender").order_by("pk").first()
    return _rehome(home, other, at=at) if other else home.sender


def _has_open_orders(home: Delegation) -> bool:
    # Two senders' transactions have no order between them: a trader moves only with nothing under way.
    return TxIntent.objects.of_lane(home.sender_id).filter(order__trader=home.trader_id, closed_at=None).exists()


@piece
def _rehome(home: Delegation, other: Delegation, *, at: datetime) -> Sender:
    """Let another sender carry a trader's orders from now on; the caller holds the account's lock."""
    Delegation.objects.filter(pk=home.pk).update(is_home=False)
    Delegation.objects.filter(pk=other.pk).update(is_home=True)
    facts = {"source": home.sender.address, "target": other.sender.address, "reason": home.sender.status}
    journal.record("trader.rehomed", home.trader, at=at, **facts)
    return other.sender


def _wait_for_sender(legs: list[Leg], *, at: datetime) -> int:
    if legs:
        Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(next_action_at=at + HOMELESS_PAUSE)
        log.error("orders.no_sender", trader=legs[0].trader_id, advice="run manage.py sender sync")
    return 0


def _order(leg: Leg, *, at: datetime) -> Order:
    return Order(
        leg=leg,
        trader=leg.trader,
        market=leg.market,
        book=leg.book,
        action=leg.action,
        direction=leg.direction,
        collateral_usdc=leg.collateral_usdc,
        leverage_x=leg.leverage_x,
        slippage_pct=leg.slippage_pct,
        take_profit=leg.take_profit,
        stop_loss=leg.stop_loss,
        position_id=leg.position_id,
        trace_id=leg.decision.signal.trace_id,
        created_at=at,
    )


def _intent(order: Order, *, sender: Sender, at: datetime) -> TxIntent:
    leg = order.leg
    signal_key = leg.decision.signal.intent_key
    is_exit = leg.action == Action.CLOSE
    return TxIntent(
        order=order,
        intent_key=leg_key(intent_key=signal_key, leg=leg.number),
        idempotency_key=idempotency_key(
            intent_key=signal_key, tg_user_id=leg.trader.tg_user_id, leg=leg.number, kind=IntentKind(leg.action)
        ),
        kind=IntentKind(leg.action),
        book=Book(leg.book),
        sender=sender,
        priority=TxIntent.EXIT_PRIORITY if is_exit else TxIntent.ENTRY_PRIORITY,
        deadline_at=leg.expires_at,
        trace_id=order.trace_id,
        created_at=at,
        next_action_at=at,
    )


def _facts(order: Order) -> dict[str, object]:
    return {
        "action": order.action,
        "symbol": order.market.symbol,
        "direction": order.direction,
        "collateral_usdc": order.collateral_usdc,
        "book": order.book,
    }
