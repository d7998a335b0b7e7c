"""Orders: one for each leg that a decision allows, each with the one intent that it owes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pgbulk
import structlog
from django.db.models import Exists, F, OuterRef, QuerySet

from execution.domain.intent import IntentKind, idempotency_key, leg_key
from execution.domain.order import ENDED, LIFECYCLE, OrderStatus
from execution.models import Delegation, Order, Sender, TxIntent
from execution.models.sender import SenderStatus
from risk.domain.decision import Action
from risk.models import Leg
from trading import doorbell, locks
from trading.domain.mode import Book
from trading.kinds import piece, step, write
from trading.services import journal

log = structlog.get_logger(__name__)

# A leg without a sender to carry it is looked at again after this long.
HOMELESS_PAUSE = timedelta(seconds=5)
# What a worker has claimed is nobody else's for so long; should it die meanwhile, this is what its death costs.
CLAIM_SPAN = timedelta(seconds=5)
# A leg whose order raised or killed its worker this often is set aside, so that the account's others go on.
MAX_ATTEMPTS = 8
# Why no order was ever made of a leg.
ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
CLOSE_NOT_FILLED = "CLOSE_NOT_FILLED"
# A trader whose home stands so moves to another of his senders. A paused one comes back soon.
_LEFT = (SenderStatus.DRAINING, SenderStatus.QUARANTINED)


@step
def take_in(*, trader_id: int, at: datetime) -> int:
    """Owe one intent for each due leg of an account; the number of legs taken in."""
    taken = 0
    while leg_ids := _claim(trader_id, at=at):
        taken += _owe(leg_ids, trader_id=trader_id, at=at)
    return taken


@write
def _claim(trader_id: int, *, at: datetime) -> list[int]:
    """The next batch, its attempts counted before the work; what was tried too often ends here."""
    locks.accounts([trader_id])
    due = Leg.objects.due(at=at).filter(trader_id=trader_id)
    for leg in due.filter(attempts__gte=MAX_ATTEMPTS).select_related("decision__signal"):
        _set_aside(leg, at=at)
    for leg in _stranded(due):
        _leave_out(leg, reason=CLOSE_NOT_FILLED, at=at)
    leg_ids = [leg.pk for leg in _batch(due)]
    Leg.objects.filter(pk__in=leg_ids).update(attempts=F("attempts") + 1, next_action_at=at + CLAIM_SPAN)
    return leg_ids


def _batch(due: QuerySet[Leg]) -> list[Leg]:
    """What was never tried, together; else one of the rest, the least tried first: whatever raises, raises alone and last."""
    return list(due.filter(attempts=0)) or list(due.order_by("attempts", "id")[:1])


def _stranded(due: QuerySet[Leg]) -> QuerySet[Leg]:
    """Opens that come after a close of the same decision which ended otherwise than filled: the account still stands there."""
    before = Leg.objects.filter(decision=OuterRef("decision"), number__lt=OuterRef("number"), action=Action.CLOSE)
    unfilled = before.exclude(order__status=OrderStatus.FILLED)
    return due.filter(Exists(unfilled), action=Action.OPEN).select_related("decision__signal")


def _set_aside(leg: Leg, *, at: datetime) -> None:
    _leave_out(leg, reason=ATTEMPTS_EXHAUSTED, at=at)
    log.error("leg.set_aside", leg=leg.pk, attempts=leg.attempts, advice="look for what its order raised, then signal it again")


@piece
def _leave_out(leg: Leg, *, reason: str, at: datetime) -> None:
    # Without an order there is no nonce and no transaction: nothing can come of it anymore, and its room is
    # free. Held, the room of a close would keep every other close from its position.
    leg.next_action_at, leg.settled_at, leg.left_out = None, at, reason
    leg.save(update_fields=["next_action_at", "settled_at", "left_out"])
    journal.record("leg.set_aside", leg, at=at, trace_id=leg.decision.signal.trace_id, reason=reason, attempts=leg.attempts)


@write
def _owe(leg_ids: list[int], *, trader_id: int, at: datetime) -> int:
    locks.accounts([trader_id])
    # Somebody else may have taken in what this claim was too slow for.
    waiting = Leg.objects.filter(pk__in=leg_ids, next_action_at__isnull=False).order_by("id")
    legs = list(waiting.select_related("decision__signal", "market", "trader"))
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
        # Waiting isn't an attempt.
        Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(next_action_at=at + HOMELESS_PAUSE, attempts=0)
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
            intent_key=signal_key, tg_user_id=leg.trader.account, leg=leg.number, kind=IntentKind(leg.action)
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
