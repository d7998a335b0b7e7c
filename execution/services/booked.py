"""Our books of an account as of a block: the fold of the fills up to it, and the orders that waited there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from django.db.models import Q, Sum

from execution.domain.reconciliation import BookedAccount, OrderFacts, Place, PositionFacts, limit_name, order_name
from execution.domain.venue_order import VenueOrderKind, VenueOrderStatus
from execution.models import ChainBlock, VenueOrder
from trading.domain.mode import Book
from trading.domain.position import Direction, LevelKind, PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import Fill, Position, PositionLevel
from trading.models.position import EARNED
from trading.services import positions

# Where the venue itself closes a position; None: nowhere.
Levels = dict[LevelKind, Price | None]


def as_of(trader_id: int, *, block_number: int, chain_id: int) -> BookedAccount:
    """One account; five queries."""
    held = list(_held(trader_id, block_number=block_number))
    return BookedAccount(
        positions=tuple(held),
        orders=tuple(_waiting(trader_id, block_number=block_number, chain_id=chain_id)),
        max_gain=dict(Position.objects.filter(trader_id=trader_id).values_list("market__pair_index", "market__max_gain_pct")),
    )


def earned(trader_id: int, *, after: int, up_to: int) -> Usdc:
    """What an account's live fills earned in a range of blocks."""
    fills = Fill.objects.canonical().filter(trader_id=trader_id, book=Book.LIVE, block_number__gt=after, block_number__lte=up_to)
    return fills.aggregate(sum=Sum(EARNED))["sum"] or Usdc.zero()


def _held(trader_id: int, *, block_number: int) -> Iterator[PositionFacts]:
    live = Fill.objects.canonical().filter(trader_id=trader_id, book=Book.LIVE)
    # Open now, or changed since: what was open then is among these.
    since = live.filter(block_number__gt=block_number).values("position")
    fills = live.filter(Q(position__status=PositionStatus.OPEN) | Q(position__in=since), block_number__lte=block_number)
    ordered = list(fills.select_related("position__market").order_by("position_id", "block_number", "log_index"))
    levels = _levels({fill.position_id for fill in ordered}, block_number=block_number)
    for position, group in groupby(ordered, key=attrgetter("position")):
        facts = _position(position, group, levels=levels.get(position.pk))
        if facts is not None:
            yield facts


def _levels(position_ids: Collection[int], *, block_number: int) -> dict[int, Levels]:
    """The last word by then on each position's levels; those of whose levels nobody spoke are left out."""
    found: defaultdict[int, Levels] = defaultdict(dict)
    told = PositionLevel.objects.canonical().filter(position__in=position_ids, block_number__lte=block_number)
    for position_id, level, price in told.newest().values_list("position_id", "level", "price"):
        found[position_id][LevelKind(level)] = price
    return dict(found)


def _position(position: Position, fills: Iterable[Fill], *, levels: Levels | None) -> PositionFacts | None:
    held = positions.holding(fills)
    if held is None or held.status is not PositionStatus.OPEN:
        return None
    said = {LevelKind.TAKE_PROFIT: position.take_profit, LevelKind.STOP_LOSS: position.stop_loss} if levels is None else levels
    return PositionFacts(
        place=Place(pair_index=position.market.pair_index, venue_index=position.venue_index, opened_at=position.opened_at),
        direction=Direction(position.direction),
        collateral=held.collateral,
        leverage=held.leverage,
        entry=held.entry_price,
        take_profit=said.get(LevelKind.TAKE_PROFIT),
        stop_loss=said.get(LevelKind.STOP_LOSS),
    )


def _waiting(trader_id: int, *, block_number: int, chain_id: int) -> Iterator[OrderFacts]:
    later = ChainBlock.objects.canonical().filter(chain_id=chain_id, number__gt=block_number).values("hash")
    registered = VenueOrder.objects.canonical().filter(trader_id=trader_id, block_number__lte=block_number)
    for order in registered.filter(Q(status=VenueOrderStatus.PENDING) | Q(ended_in_block__in=later)):
        escrow = Usdc.zero() if order.kind == VenueOrderKind.CLOSE else order.collateral_usdc
        yield OrderFacts(name=_name(order), escrow=escrow)


def _name(order: VenueOrder) -> str:
    if order.venue_order_id is not None:
        return order_name(order.venue_order_id)
    return limit_name(order.pair_index, order.venue_index or 0)
