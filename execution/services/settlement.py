"""Settlement: what the venue says becomes orders, fills and positions. Mined is not filled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Q

from execution import locks
from execution.domain.events import Happening, LimitCanceled, LimitUpdated, OrderCanceled, OrderInitiated, TradeExecuted
from execution.domain.order import ENDED, OrderStatus
from execution.domain.venue_order import VenueOrderStatus
from execution.models import Order, TxSend, VenueOrder
from execution.services import orders, venue_orders, watching
from risk.domain.decision import Action
from risk.models import Leg
from trading import locks as trading_locks
from trading.domain.mode import Book
from trading.domain.position import FillKind, PositionStatus
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.models import Fill, Market, Position, Trader
from trading.services import journal, positions, protections
from trading.services.positions import Execution, Slot

log = structlog.get_logger(__name__)

REORGED_OUT = "REORGED_OUT"


@piece
def settle(happenings: Iterable[Happening]) -> None:
    """Apply the venue's events in the chain's order; those about nobody of ours change nothing."""
    ours = _of_our_traders(list(happenings))
    if not ours:
        return
    trading_locks.accounts(trader.pk for _, trader in ours)
    by_transaction = _orders_by_transaction(happening for happening, _ in ours)
    by_number = _orders_by_number(happening for happening, _ in ours)
    locked = {order.pk: order for order in locks.orders([*by_transaction.values(), *by_number.values()])}
    book = _Book(
        by_transaction={tx_hash: locked[pk] for tx_hash, pk in by_transaction.items()},
        by_number={number: locked[pk] for number, pk in by_number.items()},
    )
    for happening, trader in ours:
        book.apply(happening, trader=trader)


@piece
def unsettle(block_hashes: list[str], *, at: datetime) -> None:
    """Take back what was derived from blocks that the chain no longer has; positions become the fold of what is left."""
    gone = list(Fill.objects.canonical().filter(block_hash__in=block_hashes))
    touched_orders = VenueOrder.objects.filter(Q(block_hash__in=block_hashes) | Q(ended_in_block__in=block_hashes))
    trading_locks.accounts([*(fill.trader_id for fill in gone), *touched_orders.values_list("trader_id", flat=True)])
    # Under the same locks in the same transaction: what these blocks had mined is in flight again.
    watching.take_back(block_hashes, at=at)
    touched = Order.objects.filter(Q(settled_in_block__in=block_hashes) | Q(accepted_in_block__in=block_hashes))
    for order in locks.orders(touched.values_list("pk", flat=True)):
        _take_back(order, block_hashes, at=at)
    venue_orders.take_back(block_hashes)
    Fill.objects.filter(pk__in=[fill.pk for fill in gone]).update(is_canonical=False)
    for position in trading_locks.positions(fill.position_id for fill in gone):
        positions.rebuild(position, since=[fill.filled_at for fill in gone if fill.position_id == position.pk])
    protections.doubt([fill.position_id for fill in gone])


def _take_back(order: Order, block_hashes: list[str], *, at: datetime) -> None:
    if order.settled_in_block in block_hashes:
        order.settled_in_block, order.fill = "", None
        orders.move(order, OrderStatus.ACCEPTED, at=at, reason=REORGED_OUT)
    if order.accepted_in_block in block_hashes:
        # The venue may number it anew.
        order.venue_order_id, order.accepted_in_block = None, ""
        _charge(order, in_block=None)
        orders.move(order, OrderStatus.SUBMITTED, at=at, reason=REORGED_OUT)


@piece
def _charge(order: Order, *, in_block: int | None) -> None:
    # From this block on the trader's balance no longer holds what an open put up.
    Leg.objects.filter(pk=order.leg_id, action=Action.OPEN).update(charged_in_block=in_block)


def _of_our_traders(happenings: list[Happening]) -> list[tuple[Happening, Trader]]:
    traders = Trader.objects.filter(address__in={happening.event.trader for happening in happenings})
    by_address = {trader.address: trader for trader in traders}
    return [(happening, by_address[happening.event.trader]) for happening in happenings if happening.event.trader in by_address]


def _orders_by_transaction(happenings: Iterable[Happening]) -> dict[str, int]:
    hashes = {happening.log.tx_hash for happening in happenings if isinstance(happening.event, OrderInitiated)}
    sends = TxSend.objects.filter(tx_hash__in=hashes).values_list("tx_hash", "intent__order_id")
    return dict(sends)


def _number(happening: Happening) -> int | None:
    """The venue's number of the order that an event is about."""
    match happening.event:
        case LimitUpdated() | LimitCanceled():
            return None
        case event:
            return event.order_id


def _end(happening: Happening, status: VenueOrderStatus, *, index: int | None, trader: Trader) -> None:
    number = _number(happening)
    if number is not None:
        found = venue_orders.numbered(happening, number)
    elif index is not None:
        found = venue_orders.limit(happening, trader_id=trader.pk, pair_index=happening.event.pair_index, index=index)
    else:
        return
    if found is not None:
        venue_orders.end(found, status, happening)


def _orders_by_number(happenings: Iterable[Happening]) -> dict[int, int]:
    numbers = {number for happening in happenings if (number := _number(happening)) is not None}
    found = Order.objects.filter(venue_order_id__in=numbers).values_list("venue_order_id", "pk")
    return {number: pk for number, pk in found if number is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """The orders that a range of events may be about, locked."""

    by_transaction: dict[str, Order]
    by_number: dict[int, Order]

    def apply(self, happening: Happening, *, trader: Trader) -> None:
        """One event."""
        match happening.event:
            case OrderInitiated():
                venue_orders.initiate(happening.event, happening, trader_id=trader.pk)
                self._accept(happening.event, happening)
            case LimitUpdated():
                venue_orders.replace(happening.event, happening, trader_id=trader.pk)
            case LimitCanceled():
                _end(happening, VenueOrderStatus.CANCELED, index=happening.event.venue_index, trader=trader)
            case TradeExecuted():
                _end(happening, VenueOrderStatus.FILLED, index=happening.event.limit_index, trader=trader)
                self._execute(happening.event, happening, trader=trader)
            case OrderCanceled():
                _end(happening, VenueOrderStatus.CANCELED, index=None, trader=trader)
                self._cancel(happening.event, happening)

    def _accept(self, event: OrderInitiated, happening: Happening) -> None:
        order = self.by_transaction.get(happening.log.tx_hash)
        if order is None or event.order_id is None:
            log.info("venue.order_not_ours", order_id=event.order_id, tx_hash=happening.log.tx_hash)
            return
        order.venue_order_id = event.order_id
        order.accepted_in_block = happening.log.block_hash
        self.by_number[event.order_id] = order
        _charge(order, in_block=happening.log.block_number)
        if OrderStatus(order.status) not in ENDED:
            orders.move(order, OrderStatus.ACCEPTED, at=happening.block.mined_at)

    def _cancel(self, event: OrderCanceled, happening: Happening) -> None:
        order = self.by_number.get(event.order_id)
        if order is not None:
            order.settled_in_block = happening.log.block_hash
            orders.move(order, OrderStatus.CANCELED, at=happening.block.mined_at, reason="CANCELED_BY_VENUE")

    def _execute(self, event: TradeExecuted, happening: Happening, *, trader: Trader) -> None:
        order = self.by_number.get(event.order_id) if event.order_id is not None else None
        execution = _execution(event, happening, order=order)
        position = _position(event, execution, order=order, trader=trader)
        if position is None:
            self._note_unknown(event, happening, trader=trader)
            return
        fill = positions.record(execution, position=position, trace_id=order.trace_id if order else "")
        if order is not None:
            order.position, order.fill = position, fill
            order.settled_in_block = happening.log.block_hash
            orders.move(order, OrderStatus.FILLED, at=happening.block.mined_at)

    def _note_unknown(self, event: TradeExecuted, happening: Happening, *, trader: Trader) -> None:
        facts: dict[str, Any] = {"pair_index": event.pair_index, "venue_index": event.venue_index, "kind": event.kind}
        facts |= {"tx_hash": happening.log.tx_hash, "log_index": happening.log.log_index}
        journal.record("venue.position_unknown", trader, at=happening.block.mined_at, **facts)
        log.error("venue.position_unknown", trader=trader.address, **facts)


def _position(event: TradeExecuted, execution: Execution, *, order: Order | None, trader: Trader) -> Position | None:
    known = _position_of_fill(execution)
    if known is not None:
        return known
    if event.kind is FillKind.OPEN:
        market = Market.objects.filter(pair_index=event.pair_index).first()
        if market is None:
            # Not in our catalogue yet. It is said out loud; the stream of all others goes on.
            return None
        slot = Slot(
            trader_id=trader.pk,
            market_id=market.pk,
            book=Book.LIVE,
            venue_index=event.venue_index,
            opened_at=event.opened_at,
        )
        return positions.opened(execution, slot=slot, signal_id=order.leg.decision.signal_id if order else None)
    if order is not None and order.position is not None:
        return order.position
    return _open_in_slot(event, trader=trader)


def _position_of_fill(execution: Execution) -> Position | None:
    """The position of a fill that we know already: the block is read again."""
    same = Fill.objects.filter(chain_id=execution.chain_id, block_hash=execution.block_hash, log_index=execution.log_index)
    fill = same.select_related("position").first()
    return fill.position if fill else None


def _open_in_slot(event: TradeExecuted, *, trader: Trader) -> Position | None:
    """At most one position lies in a slot at a time: the venue uses a slot again only when it is empty."""
    held = Position.objects.filter(book=Book.LIVE, trader=trader, market__pair_index=event.pair_index)
    return held.filter(venue_index=event.venue_index, status=PositionStatus.OPEN).first()


def _execution(event: TradeExecuted, happening: Happening, *, order: Order | None) -> Execution:
    opening = order if event.kind is FillKind.OPEN else None
    return Execution(
        kind=event.kind,
        direction=event.direction,
        price=event.price,
        collateral=event.collateral,
        leverage=event.leverage,
        fee=Usdc.zero() if opening is None else opening.collateral_usdc - event.collateral,
        payout=event.payout,
        chain_id=happening.chain_id,
        tx_hash=happening.log.tx_hash,
        log_index=happening.log.log_index,
        block_number=happening.log.block_number,
        block_hash=happening.log.block_hash,
        filled_at=happening.block.mined_at,
        take_profit=None if opening is None else opening.take_profit,
        stop_loss=None if opening is None else opening.stop_loss,
    )
