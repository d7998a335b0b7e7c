"""PAPER intents: the same way up to the signature, then a fill on paper instead of one."""

from datetime import datetime

import structlog

from execution import locks
from execution.desk import Clock
from execution.domain import paper
from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.domain.paper import PaperFill
from execution.models import Order, TxIntent
from execution.services import intents, orders
from risk.domain.decision import Action
from trading import locks as trading_locks
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind
from trading.domain.units import Price
from trading.kinds import step, write
from trading.lanes import Lease
from trading.models import Position
from trading.services import positions
from trading.services.positions import Execution, Slot

log = structlog.get_logger(__name__)

# What raised this often fails: nothing hangs on it.
MAX_ATTEMPTS = 8


@step
def fill_due(lease: Lease, *, clock: Clock) -> None:
    """Fill every built PAPER intent of a sender's lane, one write each: each has its own account to lock."""
    built = TxIntent.objects.of_lane(lease.pk).due(at=clock()).filter(book=Book.PAPER, status=IntentStatus.BUILT)
    # What was tried least often comes first: one that raises keeps nobody waiting but itself.
    due = built.order_by("attempts", "priority", "pk").values_list("pk", "order__pk", "order__trader_id")
    for intent_id, order_id, trader_id in due:
        lease.renew()
        if _claim(lease, intent_id, at=clock()):
            _fill(lease, intent_id, order_id=order_id, trader_id=trader_id, at=clock())


@write
def _claim(lease: Lease, intent_id: int, *, at: datetime) -> bool:
    """Count the attempt before the work. False if it was tried too often: then it ends here."""
    locks.sender(lease)
    (intent,) = locks.intents([intent_id])
    if intent.attempts >= MAX_ATTEMPTS:
        log.error("intent.set_aside", intent=intent.pk, attempts=intent.attempts, advice="look for what its filling raised")
        intents.move(intent, IntentStatus.FAILED, at=at, failure="PAPER_ATTEMPTS_EXHAUSTED")
        return False
    intent.attempts += 1
    intent.save(update_fields=["attempts"])
    return True


@write
def _fill(lease: Lease, intent_id: int, *, order_id: int, trader_id: int, at: datetime) -> None:
    trading_locks.accounts([trader_id])
    locks.sender(lease)
    (intent,) = locks.intents([intent_id])
    if intent.status != IntentStatus.BUILT:
        return
    intents.move(intent, IntentStatus.SIMULATED, at=at)
    (order,) = locks.orders([order_id])
    position = _held(order)
    if order.action == Action.CLOSE and position is None:
        orders.move(order, OrderStatus.CANCELED, at=at, reason="POSITION_GONE")
        return
    execution = _execution(intent, order=order, position=position, at=at)
    position = position or positions.opened(execution, slot=_slot(order, at=at), signal_id=order.leg.decision.signal_id)
    order.fill = positions.record(execution, position=position, trace_id=order.trace_id)
    order.position = position
    orders.move(order, OrderStatus.FILLED, at=at)


def _held(order: Order) -> Position | None:
    if order.action == Action.OPEN:
        return None
    return Position.objects.open().filter(orders=order, collateral_usdc__gte=order.collateral_usdc).first()


def _slot(order: Order, *, at: datetime) -> Slot:
    # The order's number stands for the venue's slot: it is never used twice.
    return Slot(trader_id=order.trader_id, market_id=order.market_id, book=Book.PAPER, venue_index=order.pk, opened_at=at)


def _execution(intent: TxIntent, *, order: Order, position: Position | None, at: datetime) -> Execution:
    if intent.wanted_price is None:
        raise ValueError("a built intent has a price")
    fill = _close(order, position, price=intent.wanted_price) if position else _open(order, price=intent.wanted_price)
    return Execution(
        kind=FillKind.CLOSE if position else FillKind.OPEN,
        direction=Direction(order.direction),
        price=fill.price,
        collateral=fill.collateral,
        leverage=order.leverage_x,
        fee=fill.fee,
        payout=fill.payout,
        chain_id=0,
        tx_hash=intent.intent_key,
        log_index=0,
        block_number=intent.pk,
        block_hash=intent.intent_key,
        filled_at=at,
    )


def _open(order: Order, *, price: Price) -> PaperFill:
    return paper.fill_open(
        price=price,
        spread=order.market.spread_pct,
        fee=order.market.open_fee_pct,
        direction=Direction(order.direction),
        collateral=order.collateral_usdc,
        leverage=order.leverage_x,
    )


def _close(order: Order, position: Position, *, price: Price) -> PaperFill:
    return paper.fill_close(
        price=price,
        spread=order.market.spread_pct,
        fee=order.market.close_fee_pct,
        direction=Direction(order.direction),
        collateral=order.collateral_usdc,
        leverage=position.leverage_x,
        entry=position.entry_price,
    )
