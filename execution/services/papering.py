"""PAPER intents: the same way up to the signature, then the venue's delay and a fill on paper instead of one.

As at the venue, an order that can't be filled is tried again until its time is over, and then canceled; all that it
held is free again.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings

from execution import locks
from execution.desk import Clock
from execution.domain import latency, paper
from execution.domain.intent import Blocked, IntentStatus
from execution.domain.order import OrderStatus
from execution.domain.paper import PaperFill, Wish
from execution.models import Order, TxIntent
from execution.services import intents, orders, paper_positions, quoting
from risk.domain.decision import Action
from trading import locks as trading_locks
from trading import selectors
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
# The venue's fifteen blocks of two seconds; what isn't filled by then is canceled.
LIFETIME = timedelta(seconds=30)
# The keepers try again with each block; we ask for prices each second.
_PAUSE = timedelta(seconds=1)
NO_PRICE = "NO_PRICE"
POSITION_GONE = "POSITION_GONE"


def delay_of(intent_key: str) -> timedelta:
    """How long the paper venue leaves an order."""
    return latency.fill_delay(
        intent_key,
        seed=settings.PAPER_DELAY_SEED,
        median=timedelta(seconds=float(settings.PAPER_DELAY_SECONDS)),
        longest=timedelta(seconds=float(settings.PAPER_LONGEST_DELAY_SECONDS)),
    )


@step
def fill_due(lease: Lease, *, clock: Clock) -> None:
    """Fill every due PAPER intent of a sender's lane, one write each: each has its own account to lock."""
    built = TxIntent.objects.of_lane(lease.pk).due(at=clock()).filter(book=Book.PAPER, status=IntentStatus.BUILT)
    # What was tried least often comes first: one that raises keeps nobody waiting but itself.
    due = list(built.select_related("order__market").order_by("attempts", "priority", "pk"))
    views = selectors.price_views(now=clock(), symbols={each.order.market.symbol for each in due if each.order}) if due else {}
    for intent in due:
        lease.renew()
        if intent.order and _claim(lease, intent.pk, at=clock()):
            _fill(lease, intent.pk, order=intent.order, price=quoting.bound(intent.order, views=views), at=clock())


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
def _fill(lease: Lease, intent_id: int, *, order: Order, price: Price | None, at: datetime) -> None:
    trading_locks.accounts([order.trader_id])
    locks.sender(lease)
    (intent,) = locks.intents([intent_id])
    if intent.status != IntentStatus.BUILT:
        return
    (order,) = locks.orders([order.pk])
    position = _held(order)
    if order.action == Action.CLOSE and position is None:
        _cancel(intent, order, reason=POSITION_GONE, at=at)
        return
    fill = None if price is None else _quote(order, position, price=price, at=at)
    trouble = NO_PRICE if fill is None else paper.trouble(fill, _wish(intent, order, position))
    if trouble or fill is None:
        _wait(intent, order, reason=trouble, at=at)
        return
    intents.move(intent, IntentStatus.SIMULATED, at=at)
    _record(intent, order, position, fill=fill, at=at)


def _wait(intent: TxIntent, order: Order, *, reason: str, at: datetime) -> None:
    if intent.built_at is None or at - intent.built_at >= LIFETIME:
        _cancel(intent, order, reason=reason, at=at)
    else:
        intents.block([intent], Blocked.PRICE, at=at, pause=_PAUSE)


def _cancel(intent: TxIntent, order: Order, *, reason: str, at: datetime) -> None:
    intents.move(intent, IntentStatus.SIMULATED, at=at)
    orders.move(order, OrderStatus.CANCELED, at=at, reason=reason)


def _record(intent: TxIntent, order: Order, position: Position | None, *, fill: PaperFill, at: datetime) -> None:
    execution = _execution(intent, order, position, fill=fill, at=at)
    position = position or positions.opened(execution, slot=_slot(order, at=at), signal_id=order.leg.decision.signal_id)
    order.fill = positions.record(execution, position=position, trace_id=order.trace_id)
    order.position = position
    orders.move(order, OrderStatus.FILLED, at=at)


def _held(order: Order) -> Position | None:
    if order.action == Action.OPEN:
        return None
    held = Position.objects.open().filter(orders=order, collateral_usdc__gte=order.collateral_usdc)
    return held.select_related("market").first()


def _slot(order: Order, *, at: datetime) -> Slot:
    # The order's number stands for the venue's slot: it is never used twice.
    return Slot(trader_id=order.trader_id, market_id=order.market_id, book=Book.PAPER, venue_index=order.pk, opened_at=at)


def _quote(order: Order, position: Position | None, *, price: Price, at: datetime) -> PaperFill:
    terms = paper_positions.terms(order.market)
    if position is not None:
        return paper.fill_close(
            price=price, terms=terms, held=paper_positions.held(position, at=at), amount=order.collateral_usdc
        )
    return paper.fill_open(
        price=price,
        terms=terms,
        direction=Direction(order.direction),
        collateral=order.collateral_usdc,
        leverage=order.leverage_x,
    )


def _wish(intent: TxIntent, order: Order, position: Position | None) -> Wish:
    if intent.wanted_price is None:
        raise ValueError("a built intent has a price")
    # A close slips by what its position was opened with: the venue keeps that beside the position.
    opening = order if position is None else Order.objects.filter(position=position, action=Action.OPEN).first()
    is_open = position is None
    return Wish(
        direction=Direction(order.direction),
        opens=is_open,
        price=intent.wanted_price,
        slippage=(opening or order).slippage_pct,
        take_profit=order.take_profit if is_open else None,
        stop_loss=order.stop_loss if is_open else None,
    )


def _execution(intent: TxIntent, order: Order, position: Position | None, *, fill: PaperFill, at: datetime) -> Execution:
    return Execution(
        kind=FillKind.CLOSE if position else FillKind.OPEN,
        direction=Direction(order.direction),
        price=fill.price,
        collateral=fill.collateral,
        leverage=position.leverage_x if position else order.leverage_x,
        fee=fill.fee,
        payout=fill.payout,
        chain_id=0,
        tx_hash=intent.intent_key,
        log_index=0,
        block_number=intent.pk,
        block_hash=intent.intent_key,
        filled_at=at,
        rollover=fill.rollover,
        funding=fill.funding,
    )
