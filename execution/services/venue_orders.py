"""The venue's orders: each that a followed trader's transaction initiated, and what became of it.

An order is found again by its number; a limit, which has none, by its place and by when it came there. So blocks may be
read twice, and in any order. The caller holds the trader's lock.
"""

from typing import Any

from django.db.models import Q

from execution.domain.events import Happening, LimitUpdated, OrderInitiated
from execution.domain.venue_order import VenueOrderKind, VenueOrderStatus
from execution.models import VenueOrder
from execution.models.venue_order import VenueOrderQuerySet
from trading.kinds import piece

# What a limit keeps when its price changes.
_KEPT = ("kind", "venue_index", "direction", "collateral_usdc", "leverage_x")


@piece
def initiate(event: OrderInitiated, happening: Happening, *, trader_id: int) -> VenueOrder:
    """Write an order down, or find it: its block may be read again, or come back."""
    told = {
        "kind": event.kind,
        "venue_order_id": event.order_id,
        "venue_index": event.venue_index,
        "direction": event.direction,
        "collateral_usdc": event.collateral,
        "leverage_x": event.leverage,
        "wanted_price": event.price,
    }
    return _kept(happening, trader_id=trader_id, pair_index=event.pair_index, told=told)


@piece
def replace(event: LimitUpdated, happening: Happening, *, trader_id: int) -> None:
    """A limit's new terms: the old ones end, the new ones are pending."""
    before = limit(happening, trader_id=trader_id, pair_index=event.pair_index, index=event.venue_index)
    if before is None:
        # Placed before we followed its trader; nobody knows what it has in escrow.
        return
    end(before, VenueOrderStatus.REPLACED, happening)
    told = {name: getattr(before, name) for name in _KEPT} | {"wanted_price": event.price}
    _kept(happening, trader_id=trader_id, pair_index=event.pair_index, told=told)


@piece
def numbered(happening: Happening, number: int) -> VenueOrder | None:
    """The order with a number; None: one that was registered before we followed its trader."""
    return _canonical(happening).filter(venue_order_id=number).first()


@piece
def limit(happening: Happening, *, trader_id: int, pair_index: int, index: int) -> VenueOrder | None:
    """The limit that lay in a place when something happened there."""
    placed = _canonical(happening).filter(
        kind=VenueOrderKind.LIMIT, trader_id=trader_id, pair_index=pair_index, venue_index=index
    )
    number, log_index = happening.log.block_number, happening.log.log_index
    earlier = placed.filter(Q(block_number__lt=number) | Q(block_number=number, log_index__lt=log_index))
    return earlier.order_by("-block_number", "-log_index").first()


@piece
def end(order: VenueOrder, status: VenueOrderStatus, happening: Happening) -> None:
    """Say what became of an order."""
    order.move(status)
    order.ended_in_block, order.ended_at = happening.log.block_hash, happening.block.mined_at
    order.save(update_fields=["status", "ended_in_block", "ended_at"])


@piece
def take_back(block_hashes: list[str]) -> None:
    """Pending again is what these blocks ended; gone is what they registered."""
    ended = VenueOrder.objects.filter(ended_in_block__in=block_hashes)
    ended.update(status=VenueOrderStatus.PENDING, ended_in_block="", ended_at=None)
    VenueOrder.objects.canonical().filter(block_hash__in=block_hashes).update(is_canonical=False)


def _canonical(happening: Happening) -> VenueOrderQuerySet:
    return VenueOrder.objects.canonical().filter(chain_id=happening.chain_id)


def _kept(happening: Happening, *, trader_id: int, pair_index: int, told: dict[str, Any]) -> VenueOrder:
    order, _ = VenueOrder.objects.get_or_create(
        chain_id=happening.chain_id,
        block_hash=happening.log.block_hash,
        log_index=happening.log.log_index,
        defaults={
            "trader_id": trader_id,
            "pair_index": pair_index,
            "tx_hash": happening.log.tx_hash,
            "ordinal": happening.ordinal,
            "block_number": happening.log.block_number,
            "registered_at": happening.block.mined_at,
            **told,
        },
    )
    if not order.is_canonical:
        # A block that comes back after a reorganization brings its orders back.
        order.is_canonical = True
        order.save(update_fields=["is_canonical"])
    return order
