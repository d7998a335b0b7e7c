"""Executions in: what the venue did to positions, in our words and units (venue.md section 2.6)."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from eth_utils import to_checksum_address

from execution.domain.events import Costs, CostsCharged, LevelChanged, PositionResized, TradeExecuted, UnknownEvent
from trading.domain.position import Direction, FillKind, Held, LevelKind, Levels
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
# The venue's number of a withdrawal of margin.
_WITHDRAW = 1
# 2020-01-01: no position is older than the venue.
_FIRST_STAMP = 1_577_836_800


def market_executed(values: dict[str, Any]) -> TradeExecuted:
    """A market order filled: an open or a close."""
    kind = FillKind.OPEN if values["open"] else FillKind.CLOSE
    return _executed(values, kind=kind, order_id=values["orderId"])


def limit_executed(values: dict[str, Any]) -> TradeExecuted:
    """A price was reached: a limit opened, or a level or a liquidation closed.

    Raises:
        UnknownEvent: for a kind that we don't know.
    """
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
        opened_at=_opened_at(trade.position_size_usdc, last_changed=trade.timestamp),
        direction=direction(is_buy=trade.buy),
        price=Price.from_raw(values["price"]),
        collateral=Usdc.from_raw(values["positionSizeUSDC"]),
        leverage=Leverage.from_raw(trade.leverage),
        payout=Usdc.from_raw(values["usdcSentToTrader"]),
        levels=_levels(trade),
    )


def increased(values: dict[str, Any]) -> PositionResized:
    """More of a position."""
    terms = {"coins": values["coinExposureAdded"], "margin_fee": None, "is_withdrawal": False}
    return PositionResized(order_id=values["orderId"], kind=FillKind.INCREASE, **_resized(values["t"]), **terms)


def margin_updated(values: dict[str, Any]) -> PositionResized:
    """More or less collateral of a position."""
    terms = {"coins": None, "margin_fee": Usdc.from_raw(values["marginFees"]), "is_withdrawal": values["_type"] == _WITHDRAW}
    return PositionResized(order_id=None, kind=FillKind.MARGIN, **_resized(values["newTrade"]), **terms)


def _resized(words: tuple[Any, ...]) -> dict[str, Any]:
    trade = _Trade(*words)
    return {
        "trader": to_checksum_address(trade.trader),
        "pair_index": trade.pair_index,
        "venue_index": trade.slot,
        "opened_at": _opened_at(trade.position_size_usdc, last_changed=trade.timestamp),
        "direction": direction(is_buy=trade.buy),
        "after": Held(
            collateral=Usdc.from_raw(trade.initial_pos_token),
            leverage=Leverage.from_raw(trade.leverage),
            entry=Price.from_raw(trade.open_price),
        ),
        "levels": _levels(trade),
    }


def _opened_at(stamp: int, *, last_changed: int) -> datetime | None:
    # Once stored, the venue keeps the opening's time in a field that is named for a size: believe it within reason only.
    return datetime.fromtimestamp(stamp, tz=UTC) if _FIRST_STAMP <= stamp <= last_changed else None


def _levels(trade: _Trade) -> Levels:
    return Levels(take_profit=_level(trade.tp), stop_loss=_level(trade.sl))


def _level(price: int) -> Price | None:
    return Price.from_raw(price) if price else None


def fees_charged(values: dict[str, Any]) -> CostsCharged:
    """The parts of the next execution's cost."""
    costs = Costs(
        moved=Usdc.from_raw(values["collateral"]),
        leverage=Leverage.from_raw(values["leverage"]),
        fee=Usdc.from_raw(values["fee"]),
        rollover=Usdc.from_raw(values["rolloverFees"]),
        funding=Usdc.from_raw(values["fundingFee"]),
    )
    return CostsCharged(trader=to_checksum_address(values["trader"]), pair_index=values["pairIndex"], costs=costs)


def take_profit_changed(values: dict[str, Any]) -> LevelChanged:
    """Another target."""
    return _level_changed(values, level=LevelKind.TAKE_PROFIT, price=values["newTp"])


def stop_loss_changed(values: dict[str, Any]) -> LevelChanged:
    """Another stop."""
    return _level_changed(values, level=LevelKind.STOP_LOSS, price=values["newSl"])


def _level_changed(values: dict[str, Any], *, level: LevelKind, price: int) -> LevelChanged:
    opened_at = _opened_at(values["tradeOpenTimestamp"], last_changed=values["timestamp"])
    return LevelChanged(**place(values), opened_at=opened_at, level=level, price=_level(price))


def place(values: dict[str, Any]) -> dict[str, Any]:
    """Whose slot of which pair an event names."""
    return {
        "trader": to_checksum_address(values["trader"]),
        "pair_index": values["pairIndex"],
        "venue_index": values["index"],
    }


def direction(*, is_buy: bool) -> Direction:
    """Which way a buyer gains."""
    return Direction.LONG if is_buy else Direction.SHORT
