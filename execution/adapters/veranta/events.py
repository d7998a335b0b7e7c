"""Events in: what the venue's logs say, in our words and units (venue.md section 2.6)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from eth_abi.exceptions import DecodingError
from eth_utils import to_checksum_address

from execution.adapters.veranta.abi import EVENTS
from execution.domain.chain import Log
from execution.domain.events import (
    LimitCanceled,
    LimitUpdated,
    OrderCanceled,
    OrderInitiated,
    TradeExecuted,
    UnknownEvent,
    VenueEvent,
)
from execution.domain.venue_order import VenueOrderKind
from trading.domain.position import Direction, FillKind
from trading.domain.units import Leverage, Price, Usdc


class _Trade(NamedTuple):
    """The venue's struct. After an open, `initial_pos_token` is the collateral net of the fee."""

    trader: str
    pair_index: int
    slot: int
    initial_pos_token: int
    position_size_usdc: int
    open_price: int
    buy: bool
    leverage: int
    tp: int
    sl: int
    timestamp: int


# The venue's numbers of what a limit execution was.
_LIMIT_KINDS = {0: FillKind.TAKE_PROFIT, 1: FillKind.STOP_LOSS, 2: FillKind.LIQUIDATION, 3: FillKind.OPEN}
# What unfitting bytes make the readers raise: words that are missing, instants beyond the calendar.
_MISFITS = (DecodingError, ValueError, OverflowError)


def decode(log: Log) -> VenueEvent | None:
    """What a log says; None for an event that changes neither an order nor a position of ours.

    Raises:
        UnknownEvent: for a topic that the ABI doesn't have, or one whose words don't fit it.
    """
    topic = log.topics[0] if log.topics else ""
    form = EVENTS.get(topic)
    if form is None:
        raise UnknownEvent("an event with an unknown topic", address=log.address, topic=topic, tx_hash=log.tx_hash)
    reader = _READERS.get(form.name)
    try:
        return reader(form.read(log)) if reader else None
    except _MISFITS as misfit:
        # One log that can't be read must not stop the stream of all others.
        facts = {"address": log.address, "topic": topic, "tx_hash": log.tx_hash, "error": type(misfit).__name__}
        raise UnknownEvent("an event that doesn't fit its topic's layout", **facts) from None


def _initiated(values: dict[str, Any]) -> OrderInitiated:
    return OrderInitiated(
        order_id=values["orderId"],
        kind=VenueOrderKind.OPEN if values["open"] else VenueOrderKind.CLOSE,
        trader=to_checksum_address(values["trader"]),
        pair_index=values["pairIndex"],
        venue_index=None,
        direction=_direction(is_buy=values["isBuy"]),
        collateral=Usdc.from_raw(values["initialPosToken"]),
        # Both bounds are the leverage unless the order was sized in coins.
        leverage=Leverage.from_raw(values["maxLeverage"]),
        price=Price.from_raw(values["wantedPrice"]),
    )


def _increase_requested(values: dict[str, Any]) -> OrderInitiated:
    return OrderInitiated(
        order_id=values["orderId"],
        kind=VenueOrderKind.INCREASE,
        trader=to_checksum_address(values["trader"]),
        pair_index=values["pairIndex"],
        venue_index=values["index"],
        direction=_direction(is_buy=values["isBuy"]),
        collateral=Usdc.from_raw(values["addedCollateral"]),
        leverage=None,
        price=None,
    )


def _limit_placed(values: dict[str, Any]) -> OrderInitiated:
    return OrderInitiated(
        order_id=None,
        kind=VenueOrderKind.LIMIT,
        trader=to_checksum_address(values["trader"]),
        pair_index=values["pairIndex"],
        venue_index=values["index"],
        direction=_direction(is_buy=values["isBuy"]),
        collateral=Usdc.from_raw(values["collateral"]),
        leverage=Leverage.from_raw(values["leverage"]),
        price=Price.from_raw(values["openPrice"]),
    )


def _limit_updated(values: dict[str, Any]) -> LimitUpdated:
    return LimitUpdated(**_place(values), price=Price.from_raw(values["newPrice"]))


def _limit_canceled(values: dict[str, Any]) -> LimitCanceled:
    return LimitCanceled(**_place(values))


def _place(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "trader": to_checksum_address(values["trader"]),
        "pair_index": values["pairIndex"],
        "venue_index": values["index"],
    }


def _direction(*, is_buy: bool) -> Direction:
    return Direction.LONG if is_buy else Direction.SHORT


def _market_executed(values: dict[str, Any]) -> TradeExecuted:
    kind = FillKind.OPEN if values["open"] else FillKind.CLOSE
    return _executed(values, kind=kind, order_id=values["orderId"])


def _limit_executed(values: dict[str, Any]) -> TradeExecuted:
    # On an open this event carries the trigger price where the profit is, and a payout of zero.
    kind = _LIMIT_KINDS.get(values["orderType"])
    if kind is None:
        raise UnknownEvent("a limit execution of an unknown kind", order_type=values["orderType"])
    limit_index = values["limitIndex"] if kind is FillKind.OPEN else None
    return _executed(values, kind=kind, order_id=None, limit_index=limit_index)


def _executed(values: dict[str, Any], *, kind: FillKind, order_id: int | None, limit_index: int | None = None) -> TradeExecuted:
    trade = _Trade(*values["t"])
    return TradeExecuted(
        order_id=order_id,
        limit_index=limit_index,
        kind=kind,
        trader=to_checksum_address(trade.trader),
        pair_index=trade.pair_index,
        venue_index=trade.slot,
        opened_at=datetime.fromtimestamp(trade.timestamp, tz=UTC),
        direction=_direction(is_buy=trade.buy),
        price=Price.from_raw(values["price"]),
        collateral=Usdc.from_raw(values["positionSizeUSDC"]),
        leverage=Leverage.from_raw(trade.leverage),
        payout=Usdc.from_raw(values["usdcSentToTrader"]),
    )


def _canceled(values: dict[str, Any]) -> OrderCanceled:
    return OrderCanceled(order_id=values["orderId"], trader=to_checksum_address(values["trader"]), pair_index=values["pairIndex"])


_READERS: dict[str, Callable[[dict[str, Any]], VenueEvent]] = {
    "MarketOrderInitiated": _initiated,
    "IncreasePositionRequested": _increase_requested,
    "OpenLimitPlaced": _limit_placed,
    "OpenLimitUpdated": _limit_updated,
    "OpenLimitCanceled": _limit_canceled,
    "MarketExecuted": _market_executed,
    "LimitExecuted": _limit_executed,
    "MarketOpenCanceled": _canceled,
    "MarketCloseCanceled": _canceled,
}
