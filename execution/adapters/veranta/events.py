"""Events in: what the venue's logs say, in our words and units (venue.md section 2.6)."""

from collections.abc import Callable
from typing import Any

from eth_abi.exceptions import DecodingError
from eth_utils import to_checksum_address

from execution.adapters.veranta import executions
from execution.adapters.veranta.abi import EVENTS
from execution.adapters.veranta.executions import direction, place
from execution.domain.chain import Log
from execution.domain.events import (
    LimitCanceled,
    LimitUpdated,
    OrderCanceled,
    OrderInitiated,
    UnknownEvent,
    VenueEvent,
)
from execution.domain.venue_order import VenueOrderKind
from trading.domain.units import Leverage, Price, Usdc

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
        direction=direction(is_buy=values["isBuy"]),
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
        direction=direction(is_buy=values["isBuy"]),
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
        direction=direction(is_buy=values["isBuy"]),
        collateral=Usdc.from_raw(values["collateral"]),
        leverage=Leverage.from_raw(values["leverage"]),
        price=Price.from_raw(values["openPrice"]),
    )


def _limit_updated(values: dict[str, Any]) -> LimitUpdated:
    return LimitUpdated(**place(values), price=Price.from_raw(values["newPrice"]))


def _limit_canceled(values: dict[str, Any]) -> LimitCanceled:
    return LimitCanceled(**place(values))


def _open_canceled(values: dict[str, Any]) -> OrderCanceled:
    return _canceled(values, pays_back=True)


def _close_canceled(values: dict[str, Any]) -> OrderCanceled:
    return _canceled(values, pays_back=False)


def _canceled(values: dict[str, Any], *, pays_back: bool) -> OrderCanceled:
    trader, pair_index = to_checksum_address(values["trader"]), values["pairIndex"]
    return OrderCanceled(order_id=values["orderId"], trader=trader, pair_index=pair_index, pays_back=pays_back)


_READERS: dict[str, Callable[[dict[str, Any]], VenueEvent]] = {
    "MarketOrderInitiated": _initiated,
    "IncreasePositionRequested": _increase_requested,
    "OpenLimitPlaced": _limit_placed,
    "OpenLimitUpdated": _limit_updated,
    "OpenLimitCanceled": _limit_canceled,
    "MarketExecuted": executions.market_executed,
    "LimitExecuted": executions.limit_executed,
    "FeesCharged": executions.fees_charged,
    "PositionSizeIncreased": executions.increased,
    "MarginUpdated": executions.margin_updated,
    "TpUpdated": executions.take_profit_changed,
    "SlUpdated": executions.stop_loss_changed,
    "MarketOpenCanceled": _open_canceled,
    "MarketCloseCanceled": _close_canceled,
}
