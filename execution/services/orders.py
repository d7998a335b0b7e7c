"""Orders: one for each leg that a decision allows, each with the one intent that it owes."""

from datetime import datetime, timedelta

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


@write
def take_in(*, trader_id: int, at: datetime) -> int:
    """Owe one intent for each due leg of an account; the number of legs taken in."""
    locks.accounts([trader_id])
    legs = list(Leg.objects.due(at=at).filter(trader_id=trader_id).select_related("decision__signal", "market", "trader"))
    sender = _sender_for(trader_id)
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


@piece
def move(order: Order, target: OrderStatus, *, at: datetime, reason: str = "") -> None:
    """Take an order along its way and write it down; one that ends gives its room back, one brought back takes it again."""
    if order.status == target:
        return
    LIFECYCLE.check(source=OrderStatus(order.status), target=target)
    order.status = target
    order.reason = reason
    order.ended_at = at if target in ENDED else None
    order.save(update_fields=_MOVING)
    Leg.objects.filter(pk=order.leg_id).update(settled_at=order.ended_at)
    journal.record(f"order.{target.lower()}", order, at=at, trace_id=order.trace_id, reason=reason)


_MOVING = ["status", "reason", "ended_at", "venue_order_id", "position", "fill", "accepted_in_block", "settled_in_block"]


def _sender_for(trader_id: int) -> Sender | None:
    """The sender that carries a trader's orders; one without a delegation can still trade on paper, on any."""
    home = Delegation.objects.filter(trader_id=trader_id, is_home=True).select_related("sender").first()
    return home.sender if home else Sender.objects.filter(status=SenderStatus.ACTIVE).order_by("pk").first()


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
