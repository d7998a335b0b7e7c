"""Limit and stop-limit orders: placed, moved, canceled, filled by the keeper."""

import pytest

from tests.integration.devnet.desk import ALICE, BOB, ETH, LIMIT, OPENING, STOP_LIMIT, Desk, refused, tens, usdc


def test_a_placed_limit_escrows_and_announces_twelve_fields(desk: Desk) -> None:
    receipt = desk.submit(kind=LIMIT, openPrice=tens("2900"), value=7)
    (event,) = desk.contract("TradingRouter").events(receipt["logs"], "OpenLimitPlaced")
    assert event == {
        "trader": ALICE,
        "pairIndex": ETH,
        "index": 0,
        "isBuy": True,
        "openPrice": tens("2900"),
        "executionFee": 7,
        "orderType": LIMIT,
        "slippageP": tens("1"),
        "collateral": usdc("100"),
        "leverage": tens("10"),
        "coinExposure": 3_448_275_862,
        "timestamp": desk.now(),
    }
    assert desk.balance(ALICE) == usdc("9900")


def test_the_keeper_fills_a_limit_that_the_price_has_reached(desk: Desk) -> None:
    desk.submit(kind=LIMIT, openPrice=tens("2900"))
    assert desk.tick() == []
    desk.price("ETH-USD", "2899")
    (receipt,) = desk.tick()
    (event,) = desk.contract("TradingCallbacks").events(receipt["logs"], "LimitExecuted")
    assert (event["orderType"], event["price"]) == (OPENING, tens("2899.2899"))
    # On an opening the place of the profit holds the trigger price.
    assert (event["percentProfit"], event["usdcSentToTrader"]) == (tens("2900"), 0)
    assert event["t"] == desk.trade()
    assert desk.read("TradingStorage", "openLimitOrdersCount", ALICE, ETH) == 0


@pytest.mark.parametrize(
    ("kind", "buy", "waiting", "reached"),
    [
        (LIMIT, True, "3000.00000001", "3000"),
        (LIMIT, False, "2999.99999999", "3000"),
        (STOP_LIMIT, True, "2999.99999999", "3000"),
        (STOP_LIMIT, False, "3000.00000001", "3000"),
    ],
)
def test_a_limit_waits_for_a_better_price_and_a_stop_limit_for_a_worse(
    desk: Desk, kind: int, buy: bool, waiting: str, reached: str
) -> None:
    desk.price("ETH-USD", waiting)
    desk.submit(kind=kind, buy=buy)
    with refused("NotTriggered"):
        desk.trigger(OPENING)
    desk.price("ETH-USD", reached)
    assert desk.trigger(OPENING)["orderType"] == OPENING


def test_a_canceled_limit_comes_back_whole(desk: Desk) -> None:
    desk.submit(kind=LIMIT, openPrice=tens("2900"))
    receipt = desk.on("TradingRouter", "cancelOpenLimitOrder", ETH, 0, sender=ALICE)
    (event,) = desk.contract("TradingRouter").events(receipt["logs"], "OpenLimitCanceled")
    expected = {"trader": ALICE, "pairIndex": ETH, "index": 0, "timestamp": desk.now(), "collateral": usdc("100")}
    assert event == expected
    assert desk.balance(ALICE) == usdc("10000")


def test_an_updated_limit_waits_for_its_new_price(desk: Desk) -> None:
    desk.submit(kind=LIMIT, openPrice=tens("2900"))
    changes = (tens("3000"), tens("2"), tens("3200"), tens("2950"))
    receipt = desk.on("TradingRouter", "updateOpenLimitOrder", ETH, 0, *changes, sender=ALICE)
    (event,) = desk.contract("TradingRouter").events(receipt["logs"], "OpenLimitUpdated")
    assert (event["newPrice"], event["newTp"], event["newSl"]) == (tens("3000"), tens("3200"), tens("2950"))
    trade = desk.trigger(OPENING)["t"]
    assert (trade["tp"], trade["sl"]) == (tens("3200"), tens("2950"))


def test_a_limit_of_another_is_out_of_reach(desk: Desk) -> None:
    desk.submit(kind=LIMIT, openPrice=tens("2900"))
    with refused("NoOrder"):
        desk.on("TradingRouter", "cancelOpenLimitOrder", ETH, 0, sender=BOB)
