"""Settlement: what the venue says becomes orders, fills and positions. Mined is not filled."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import Exists, OuterRef, Q

from execution import locks
from execution.domain.events import (
    CostsCharged,
    Happening,
    LevelChanged,
    LimitCanceled,
    LimitUpdated,
    OrderCanceled,
    OrderInitiated,
    PositionResized,
    TradeExecuted,
)
from execution.domain.order import ENDED, OrderStatus
from execution.domain.venue_order import VenueOrderStatus
from execution.models import Order, TxSend, VenueOrder
from execution.services import fills, leading, level_updates, orders, refunds, venue_orders, watching
from execution.services.fills import Asked
from risk.domain.decision import Action
from risk.models import Leg
from risk.services import copies
from trading import locks as trading_locks
from trading.kinds import piece
from trading.models import Fill, Position, PositionLevel, Trader
from trading.services import levels, positions, protections

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
    gone = Fill.objects.canonical().filter(block_hash__in=block_hashes)
    trading_locks.accounts(_touched(block_hashes))
    # Under the same locks in the same transaction: what these blocks had mined is in flight again.
    watching.take_back(block_hashes, at=at)
    touched = Order.objects.filter(Q(settled_in_block__in=block_hashes) | Q(accepted_in_block__in=block_hashes))
    for order in locks.orders(touched.values_list("pk", flat=True)):
        _take_back(order, block_hashes, at=at)
    venue_orders.take_back(block_hashes)
    level_updates.take_back(block_hashes)
    times: defaultdict[int, list[datetime]] = defaultdict(list)
    for position_id, filled_at in gone.values_list("position_id", "filled_at"):
        times[position_id].append(filled_at)
    copies.doubt(gone.values_list("pk", flat=True), at=at)
    gone.update(is_canonical=False)
    for position in trading_locks.positions({*times, *levels.take_back(block_hashes)}):
        positions.rebuild(position, since=times[position.pk])
        levels.refold(position)
    protections.doubt(list(times))


def _touched(block_hashes: list[str]) -> set[int]:
    """The accounts of which these blocks said something."""
    fills_of = Fill.objects.canonical().filter(block_hash__in=block_hashes).values_list("trader_id", flat=True)
    orders_of = VenueOrder.objects.filter(Q(block_hash__in=block_hashes) | Q(ended_in_block__in=block_hashes))
    levels_of = PositionLevel.objects.canonical().filter(block_hash__in=block_hashes)
    return {*fills_of, *orders_of.values_list("trader_id", flat=True), *levels_of.values_list("position__trader_id", flat=True)}


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
    # A leader whom nobody watches anymore is read until what he holds is closed: whoever copied it closes with him.
    holds = Exists(Position.objects.open().filter(trader=OuterRef("pk")))
    known = Trader.objects.filter(Q(is_leader=False) | Q(is_enabled=True) | holds)
    traders = known.filter(address__in={happening.event.trader for happening in happenings})
    by_address = {trader.address: trader for trader in traders}
    return [(happening, by_address[happening.event.trader]) for happening in happenings if happening.event.trader in by_address]


def _orders_by_transaction(happenings: Iterable[Happening]) -> dict[str, int]:
    hashes = {happening.log.tx_hash for happening in happenings if isinstance(happening.event, OrderInitiated)}
    sends = TxSend.objects.filter(tx_hash__in=hashes).values_list("tx_hash", "intent__order_id")
    return dict(sends)


def _number(happening: Happening) -> int | None:
    """The venue's number of the order that an event is about."""
    match happening.event:
        case OrderInitiated(order_id=number) | TradeExecuted(order_id=number) | PositionResized(order_id=number):
            return number
        case OrderCanceled(order_id=number):
            return number
        case _:
            return None


def _end(happening: Happening, status: VenueOrderStatus, *, index: int | None, trader: Trader) -> VenueOrder | None:
    number = _number(happening)
    if number is not None:
        found = venue_orders.numbered(happening, number)
    elif index is not None:
        found = venue_orders.limit(happening, trader_id=trader.pk, pair_index=happening.event.pair_index, index=index)
    else:
        return None
    if found is not None:
        venue_orders.end(found, status, happening)
    return found


def _give_up(happening: Happening, *, index: int | None, trader: Trader) -> None:
    order = _end(happening, VenueOrderStatus.CANCELED, index=index, trader=trader)
    if order is not None:
        refunds.judge(order, happening)


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
                _give_up(happening, index=happening.event.venue_index, trader=trader)
            case TradeExecuted():
                self._execute(happening.event, happening, trader=trader)
            case PositionResized():
                registered = _end(happening, VenueOrderStatus.FILLED, index=None, trader=trader)
                fill = fills.resize(happening.event, happening, trader=trader, asked=_asked(None, registered))
                leading.tell(fill, happening.event, happening, trader=trader, registered=registered)
            case LevelChanged():
                position = fills.relevel(happening.event, happening, trader=trader)
                level_updates.confirm(happening.event, happening, position=position)
            case CostsCharged():
                # Told with the execution that it precedes.
                pass
            case OrderCanceled():
                _give_up(happening, index=None, trader=trader)
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
        registered = _end(happening, VenueOrderStatus.FILLED, index=event.limit_index, trader=trader)
        order = self.by_number.get(event.order_id) if event.order_id is not None else None
        fill = fills.execute(event, happening, trader=trader, asked=_asked(order, registered))
        leading.tell(fill, event, happening, trader=trader, registered=registered)
        if fill is not None and order is not None:
            order.position, order.fill = fill.position, fill
            order.settled_in_block = happening.log.block_hash
            orders.move(order, OrderStatus.FILLED, at=happening.block.mined_at)


def _asked(order: Order | None, registered: VenueOrder | None) -> Asked:
    if order is None:
        return Asked(put_up=registered.collateral_usdc if registered else None)
    return Asked(put_up=order.collateral_usdc, signal_id=order.leg.decision.signal_id, trace_id=order.trace_id)
