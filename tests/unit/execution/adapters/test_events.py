"""Events in: each kind of log in our words, and none that is unknown passed over."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from eth_abi import encode

from execution.adapters.veranta import events
from execution.domain.chain import Log
from execution.domain.events import (
    LimitCanceled,
    LimitUpdated,
    OrderCanceled,
    OrderInitiated,
    TradeExecuted,
    UnknownEvent,
)
from execution.domain.venue_order import VenueOrderKind
from trading.domain.position import Direction, FillKind, Levels
from trading.domain.units import Leverage, Price, Usdc

TRADER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
TRADER_TOPIC = "0x" + "00" * 12 + TRADER[2:].lower()
INITIATED = "0xdf4eefe414d2dc9d6c031eb82661052d92b0a4f41e6b8a291d45045a000b90a3"
EXECUTED = "0x194c5538fd1fd53a5ec20cd85e48e0a542b1cbfb713ee866339c38465118308a"
LIMIT = "0xa2dec9537892a111bd41f6fafe206c669b1f1fb95cf4cc574df3f2492fddd2d6"
OPEN_CANCELED = "0x4b2ef4d80a0964a9a8f43256d8111558389b384d2029743c1eeb6950b14d9c65"
CLOSE_CANCELED = "0x3535b7356e09f0d6928a700d59b7867c7586a51f83a52da6054384d28ce1622e"
LIMIT_PLACED = "0xba01428df926e7985ce9ea864854311888230af3154a3b78b30b8c91cc32932b"
LIMIT_UPDATED = "0x710a8db87f04e82a9de40076812593a965f4aa48693196d2144c07ff9710e890"
LIMIT_CANCELED = "0x99b2cab0fe1db813d380331f51c117d5622d07c79686cc4ecd043e8d56ace094"
DELEGATE_ADDED = "0x92fbd4ceaa40c4ef313c3f2b0b1115a32a6c570b1f27d856a625fe78e8ef8391"
TRADE_TYPE = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
OPENED_AT = datetime(2026, 9, 1, 12, 0, 0, tzinfo=UTC)
ONE = 10**10


def _trade(*, buy: bool = True) -> tuple[object, ...]:
    # After an open the venue keeps the collateral in the fourth place and a timestamp in the fifth.
    stamp = int(OPENED_AT.timestamp())
    return (TRADER, 1, 7, 49_932_500, stamp, 60_006 * ONE, buy, 3 * ONE, 0, 0, stamp)


def _log(topics: tuple[str, ...], types: list[str], values: list[object]) -> Log:
    return Log(
        address="0x" + "22" * 20,
        topics=topics,
        data="0x" + encode(types, values).hex(),
        block_number=5,
        block_hash="0x" + "33" * 32,
        tx_hash="0x" + "44" * 32,
        log_index=2,
    )


def _executed(*, is_open: bool, sent: int, collateral: int, buy: bool = True) -> Log:
    types = ["uint256", TRADE_TYPE, "bool", "uint256", "uint256", "int256", "uint256", "bool", "uint256", "bool"]
    return _log((EXECUTED,), types, [91, _trade(buy=buy), is_open, 61_000 * ONE, collateral, -7 * ONE, sent, False, 10**9, False])


def _limit(kind: int) -> Log:
    types = ["uint256", "uint256", TRADE_TYPE, "uint8", "uint256", "uint256", "int256", "uint256", "bool", "uint256"]
    return _log((LIMIT,), types, [92, 7, _trade(), kind, 66_000 * ONE, 49_932_500, 30 * ONE, 64_000_000, False, 10**9])


def test_an_initiated_order_is_read() -> None:
    types = ["uint256", "bool", "uint256", "uint256", "bool", "bool", "uint256"] + ["uint256"] * 3 + ["bool", "uint256"]
    values = [1, True, 91, 1_788_000_000, True, False, 50_000_000, 3 * ONE, 3 * ONE, 10**9, False, 60_000 * ONE]

    event = events.decode(_log((INITIATED, TRADER_TOPIC), types, values))

    assert event == OrderInitiated(
        order_id=91,
        kind=VenueOrderKind.OPEN,
        trader=TRADER,
        pair_index=1,
        venue_index=None,
        direction=Direction.LONG,
        collateral=Usdc.of(50),
        leverage=Leverage.of(3),
        price=Price.of(60_000),
    )


def test_an_open_is_read_with_the_collateral_net_of_its_fee() -> None:
    assert events.decode(_executed(is_open=True, sent=0, collateral=49_932_500)) == TradeExecuted(
        order_id=91,
        limit_index=None,
        kind=FillKind.OPEN,
        trader=TRADER,
        pair_index=1,
        venue_index=7,
        opened_at=OPENED_AT,
        direction=Direction.LONG,
        price=Price.of(61_000),
        collateral=Usdc.of("49.9325"),
        leverage=Leverage.of(3),
        payout=Usdc.zero(),
        levels=Levels(take_profit=None, stop_loss=None),
    )


def test_a_close_is_read_with_what_was_closed_and_what_was_paid() -> None:
    event = events.decode(_executed(is_open=False, sent=21_234_567, collateral=20_000_001, buy=False))

    assert isinstance(event, TradeExecuted)
    assert (event.kind, event.direction) == (FillKind.CLOSE, Direction.SHORT)
    assert (event.collateral, event.payout) == (Usdc.of("20.000001"), Usdc.of("21.234567"))


@pytest.mark.parametrize(
    ("number", "kind"),
    [(0, FillKind.TAKE_PROFIT), (1, FillKind.STOP_LOSS), (2, FillKind.LIQUIDATION), (3, FillKind.OPEN)],
)
def test_a_limit_execution_belongs_to_no_order_of_ours(number: int, kind: FillKind) -> None:
    event = events.decode(_limit(number))

    assert isinstance(event, TradeExecuted)
    assert (event.kind, event.order_id, event.price, event.payout) == (kind, None, Price.of(66_000), Usdc.of(64))


@pytest.mark.parametrize("number", [4, 5, 255])
def test_a_limit_execution_of_an_unknown_kind_raises(number: int) -> None:
    with pytest.raises(UnknownEvent):
        events.decode(_limit(number))


def test_only_an_opening_limit_execution_says_where_its_limit_lay() -> None:
    places = [getattr(events.decode(_limit(number)), "limit_index", None) for number in range(4)]

    assert places == [None, None, None, 7]


def test_a_limit_is_read_at_its_place() -> None:
    types = ["uint256", "uint256", "bool", "uint256", "uint256", "uint8"] + ["uint256"] * 5
    values = [1, 4, False, 59_000 * ONE, 0, 2, ONE, 40_000_000, 3 * ONE, 10**9, 1_788_000_000]

    assert events.decode(_log((LIMIT_PLACED, TRADER_TOPIC), types, values)) == OrderInitiated(
        order_id=None,
        kind=VenueOrderKind.LIMIT,
        trader=TRADER,
        pair_index=1,
        venue_index=4,
        direction=Direction.SHORT,
        collateral=Usdc.of(40),
        leverage=Leverage.of(3),
        price=Price.of(59_000),
    )


def test_a_limits_new_price_and_its_end_are_read() -> None:
    updated = _log((LIMIT_UPDATED, TRADER_TOPIC), ["uint256"] * 6, [1, 4, 58_000 * ONE, 0, 0, 1_788_000_000])
    canceled = _log((LIMIT_CANCELED, TRADER_TOPIC), ["uint256"] * 4, [1, 4, 1_788_000_000, 40_000_000])

    place = {"trader": TRADER, "pair_index": 1, "venue_index": 4}
    assert events.decode(updated) == LimitUpdated(**place, price=Price.of(58_000))
    assert events.decode(canceled) == LimitCanceled(**place)


def test_a_canceled_open_is_read() -> None:
    event = events.decode(_log((OPEN_CANCELED, TRADER_TOPIC), ["uint256", "uint256"], [91, 1]))

    assert event == OrderCanceled(order_id=91, trader=TRADER, pair_index=1, pays_back=True)


def test_a_canceled_close_is_read() -> None:
    event = events.decode(_log((CLOSE_CANCELED, TRADER_TOPIC), ["uint256"] * 4, [93, 1, 7, 1_788_000_000]))

    assert event == OrderCanceled(order_id=93, trader=TRADER, pair_index=1, pays_back=False)


def test_an_event_that_changes_no_order_and_no_position_is_none() -> None:
    assert events.decode(_log((DELEGATE_ADDED, TRADER_TOPIC, TRADER_TOPIC), ["uint256"], [1])) is None


@pytest.mark.parametrize("stamp", [0, 50_000_000, 2**255])
def test_a_time_of_opening_that_makes_no_sense_is_none(stamp: int) -> None:
    types = ["uint256", TRADE_TYPE, "bool", "uint256", "uint256", "int256", "uint256", "bool", "uint256", "bool"]
    trade = (*_trade()[:4], stamp, *_trade()[5:])

    event = events.decode(_log((EXECUTED,), types, [91, trade, False, 1, 1, 0, 0, False, 1, False]))

    assert isinstance(event, TradeExecuted)
    assert event.opened_at is None


@pytest.mark.parametrize("topics", [("0x" + "99" * 32,), ()])
def test_an_unknown_topic_raises(topics: tuple[str, ...]) -> None:
    with pytest.raises(UnknownEvent):
        events.decode(replace(_executed(is_open=True, sent=0, collateral=1), topics=topics))


@pytest.mark.parametrize("log", [_executed(is_open=True, sent=0, collateral=1), _limit(0)])
@pytest.mark.parametrize("length", [2, 66, 130, 400])
def test_a_log_cut_short_raises_what_the_indexer_steps_around(log: Log, length: int) -> None:
    with pytest.raises(UnknownEvent):
        events.decode(replace(log, data=log.data[:length]))


def test_a_log_that_is_no_hex_raises_it_too() -> None:
    with pytest.raises(UnknownEvent):
        events.decode(replace(_limit(0), data="0xzz"))


def test_an_instant_beyond_the_calendar_raises_it_too() -> None:
    types = ["uint256", TRADE_TYPE, "bool", "uint256", "uint256", "int256", "uint256", "bool", "uint256", "bool"]
    trade = (*_trade()[:4], 2**255, *_trade()[5:-1], 2**255)

    with pytest.raises(UnknownEvent):
        events.decode(_log((EXECUTED,), types, [91, trade, True, 1, 1, 0, 0, False, 1, False]))
