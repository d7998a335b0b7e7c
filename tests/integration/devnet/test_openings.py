"""Openings: what is taken, what is refused, what is stored."""

from typing import Any

import pytest

from devnet.deploy import OPERATOR
from tests.integration.devnet.desk import ALICE, BOB, BTC, ETH, MARKET_PNL, Desk, refused, tens, usdc

VAULT = usdc("100000000")


def test_a_submission_takes_the_collateral_into_escrow(desk: Desk) -> None:
    desk.submit()
    assert desk.balances() == (usdc("9900"), usdc("100"), VAULT)


def test_a_submission_announces_thirteen_fields(desk: Desk) -> None:
    receipt = desk.submit()
    (event,) = desk.contract("TradingRouter").events(receipt["logs"], "MarketOrderInitiated")
    assert event == {
        "trader": ALICE,
        "pairIndex": ETH,
        "open": True,
        "orderId": desk.last_order_id(),
        "timestamp": desk.now(),
        "isBuy": True,
        "isPnl": False,
        "initialPosToken": usdc("100"),
        "minLeverage": tens("10"),
        "maxLeverage": tens("10"),
        "coinExposure": 3_333_333_333,
        "isCoinExposureFixed": False,
        "wantedPrice": tens("3000"),
    }


def test_a_filled_long_pays_fee_and_spread(desk: Desk) -> None:
    event = desk.open()
    assert event == {
        "orderId": event["orderId"],
        "t": desk.trade(),
        "open": True,
        "price": tens("3000.3"),
        "positionSizeUSDC": usdc("99.55"),
        "percentProfit": 0,
        "usdcSentToTrader": 0,
        "isPnl": False,
        "coinExposure": 3_318_001_533,
        "isCoinExposureFixed": False,
    }
    assert desk.balances() == (usdc("9900"), usdc("99.55"), VAULT + usdc("0.45"))
    assert desk.pending() == []


def test_a_stored_trade_has_the_venues_odd_fields(desk: Desk) -> None:
    desk.open()
    assert desk.trade() == {
        "trader": ALICE,
        "pairIndex": ETH,
        "index": 0,
        "initialPosToken": usdc("99.55"),
        "positionSizeUSDC": desk.now(),
        "openPrice": tens("3000.3"),
        "buy": True,
        "leverage": tens("10"),
        # 2500 % of gain at 10x is a price 250 % higher.
        "tp": tens("10501.05"),
        "sl": 0,
        "timestamp": desk.now(),
    }


def test_a_filled_short_sells_below_the_oracle(desk: Desk) -> None:
    event = desk.open(buy=False, tp=tens("2900"), sl=tens("3100"))
    assert event["price"] == tens("2999.7")
    assert (event["t"]["tp"], event["t"]["sl"]) == (tens("2900"), tens("3100"))


def test_a_short_of_low_leverage_has_no_take_profit_of_its_own(desk: Desk) -> None:
    event = desk.open(buy=False)
    assert event["t"]["tp"] == 0


def test_open_interest_is_counted_by_side_and_by_wallet(desk: Desk) -> None:
    desk.open()
    assert desk.read("PairStorage", "openInterestUSDC", ETH, 0) == usdc("995.5")
    assert desk.read("PairStorage", "openInterestUSDC", ETH, 1) == 0
    assert desk.read("PairStorage", "walletOI", ALICE, ETH) == usdc("995.5")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"positionSizeUSDC": usdc("0.999999")}, "BelowMinPosition"),
        ({"leverage": tens("0.9999999999")}, "WrongLeverage"),
        ({"leverage": tens("75.0000000001")}, "WrongLeverage"),
        ({"tp": tens("3000")}, "WrongTp"),
        ({"tp": tens("10500.0000000001")}, "WrongTp"),
        ({"buy": False, "tp": tens("3000")}, "WrongTp"),
        ({"sl": tens("3000")}, "WrongSl"),
        ({"sl": tens("2759.9999999999")}, "WrongSl"),
        ({"buy": False, "sl": tens("3240.0000000001")}, "WrongSl"),
        ({"openPrice": 0}, "WrongPrice"),
        ({"slippage": "80.0000000001"}, "WrongSlippage"),
        ({"pairIndex": 3}, "PairNotListed"),
        ({"kind": MARKET_PNL}, "PnlOrderNotAllowed"),
        ({"positionSizeUSDC": usdc("10000.000001")}, "InsufficientBalance"),
    ],
)
def test_a_wrong_opening_is_refused_and_takes_nothing(desk: Desk, changes: dict[str, Any], error: str) -> None:
    with refused(error):
        desk.submit(**changes)
    assert desk.balances() == (usdc("10000"), 0, VAULT)


@pytest.mark.parametrize(
    "changes",
    [
        {"positionSizeUSDC": usdc("1")},
        {"leverage": tens("1")},
        {"leverage": tens("75")},
        {"tp": tens("10500")},
        {"sl": tens("2760")},
        {"buy": False, "sl": tens("3240")},
        {"slippage": "80"},
    ],
)
def test_an_opening_at_the_limit_is_taken(desk: Desk, changes: dict[str, Any]) -> None:
    desk.submit(**changes)
    assert len(desk.pending()) == 1


def test_nobody_opens_in_anothers_name(desk: Desk) -> None:
    call = desk.contract("TradingRouter").transaction("openTrade", desk.wish(), 0, tens("1"))
    with refused("NotAuthorized"):
        desk.send(BOB, call)


def test_a_close_only_pair_takes_no_opening(desk: Desk) -> None:
    desk.change_pair(ETH, isCloseOnly=True)
    assert desk.read("PairStorage", "isCloseOnly", ETH) is True
    with refused("PairIsCloseOnly"):
        desk.submit()


def test_a_paused_venue_takes_nothing_until_it_runs_again(desk: Desk) -> None:
    desk.owner("TradingRouter", "pause")
    with refused("Paused"):
        desk.submit()
    desk.owner("TradingRouter", "unpause")
    desk.submit()
    assert len(desk.pending()) == 1


def test_an_open_interest_cap_holds_the_order_back(desk: Desk) -> None:
    desk.change_pair(ETH, maxOpenInterestUsdc=usdc("995.499999"))
    desk.submit()
    with refused("ExposureLimitsBreached"):
        desk.fill()
    assert len(desk.pending()) == 1


def test_a_pair_at_its_cap_says_so(desk: Desk) -> None:
    desk.change_pair(ETH, maxOpenInterestUsdc=usdc("995.5"))
    desk.open()
    assert desk.read("PairStorage", "isPairOIHardCapped", ETH) is True
    assert desk.read("PairStorage", "isPairOIHardCapped", BTC) is False


def test_a_sixth_pending_order_is_refused(desk: Desk) -> None:
    for _ in range(5):
        desk.submit()
    with refused("TooManyPendingOrders"):
        desk.submit()
    assert len(desk.pending()) == 5


def test_the_pending_limit_is_a_setting(desk: Desk) -> None:
    desk.owner("TradingStorage", "setMaxPendingMarketOrders", 6)
    for _ in range(6):
        desk.submit()
    assert len(desk.pending()) == 6


def test_a_forty_first_trade_on_a_pair_is_refused(desk: Desk) -> None:
    desk.owner("TradingStorage", "setMaxPendingMarketOrders", 100)
    for _ in range(40):
        desk.submit(positionSizeUSDC=usdc("10"))
    with refused("TooManyTrades"):
        desk.submit(positionSizeUSDC=usdc("10"))


def test_an_index_is_used_again_once_empty(desk: Desk) -> None:
    desk.open()
    assert desk.open()["t"]["index"] == 1
    desk.close(amount=usdc("99.55"), index=0)
    assert desk.open()["t"]["index"] == 0
    assert desk.read("TradingStorage", "openTradesCount", ALICE, ETH) == 2


def test_what_is_sent_along_goes_to_the_operator(desk: Desk) -> None:
    before = int(desk.rpc.call("eth_getBalance", OPERATOR, "latest"), 16)
    desk.submit(value=350_000_000_000_000)
    after = int(desk.rpc.call("eth_getBalance", OPERATOR, "latest"), 16)
    assert after - before == 350_000_000_000_000


def test_only_the_operator_fills(desk: Desk) -> None:
    desk.submit()
    with refused("NotAuthorized"):
        desk.on("TradingRouter", "executeMarketOrder", desk.last_order_id(), sender=ALICE)


def test_an_order_is_filled_once(desk: Desk) -> None:
    event = desk.open()
    with refused("NoOrder"):
        desk.execute(event["orderId"])
