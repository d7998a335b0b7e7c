"""Funding: one side pays the other, by the second, at a rate that changes; and every cost is told apart."""

from typing import Any

import pytest

from devnet.deploy import OPERATOR
from tests.integration.devnet.desk import ALICE, ETH, LIQUIDATION, Desk, refused, tens, usdc

HOUR = 3600
RATE = tens("0.01")


def owed(desk: Desk) -> dict[str, int]:
    told: dict[str, int] = desk.read("TradingCallbacks", "getTradeOwed", ALICE, ETH, 0)
    return told


def funding(desk: Desk, *, seconds: int, rate: int = RATE) -> int:
    trade = desk.trade()
    notional = trade["initialPosToken"] * trade["leverage"] // 10**10
    sign = 1 if trade["buy"] == (rate > 0) else -1
    return sign * (notional * abs(rate) * seconds // (100 * 10**10 * HOUR))


def charged(desk: Desk, receipt: dict[str, Any]) -> dict[str, Any]:
    (event,) = desk.contract("TradingCallbacks").events(receipt["logs"], "FeesCharged")
    return event


@pytest.mark.parametrize("buy", [True, False])
@pytest.mark.parametrize("rate", [RATE, -RATE])
def test_a_positive_rate_makes_longs_pay_shorts(desk: Desk, buy: bool, rate: int) -> None:
    desk.owner("PairStorage", "setFunding", ETH, rate)
    desk.open(buy=buy)
    desk.mine(seconds=HOUR)

    assert owed(desk)["funding"] == funding(desk, seconds=HOUR, rate=rate)
    assert owed(desk)["funding"] > 0 if buy == (rate > 0) else owed(desk)["funding"] < 0


def test_what_is_owed_outlives_its_rate(desk: Desk) -> None:
    desk.owner("PairStorage", "setFunding", ETH, RATE)
    desk.open()
    opened = desk.now()
    desk.mine(seconds=HOUR)
    desk.owner("PairStorage", "setFunding", ETH, 0)
    so_far = funding(desk, seconds=desk.now() - opened)
    desk.mine(seconds=HOUR)

    assert owed(desk)["funding"] == so_far
    assert desk.read("PairStorage", "fundingPerHourP", ETH) == 0


def test_a_close_pays_its_part_and_tells_every_cost(desk: Desk) -> None:
    desk.owner("PairStorage", "setFunding", ETH, RATE)
    desk.open()
    opened, held = desk.now(), desk.trade()["initialPosToken"]
    desk.mine(seconds=HOUR)
    part = held // 3
    whole = funding(desk, seconds=desk.now() - opened + 4)
    before = desk.balance(ALICE)

    desk.submit_close(amount=part)
    receipt = desk.execute(desk.last_order_id())

    costs = charged(desk, receipt)
    (event,) = desk.contract("TradingCallbacks").events(receipt["logs"], "MarketExecuted")
    assert costs["fundingFee"] == whole * part // held
    profit = -(part * -event["percentProfit"] // (100 * 10**10))
    expected = part + profit - costs["rolloverFees"] - costs["fundingFee"] - costs["fee"]
    assert event["usdcSentToTrader"] == expected == desk.balance(ALICE) - before


def test_what_a_short_is_paid_goes_into_its_position_when_margin_changes(desk: Desk) -> None:
    desk.owner("PairStorage", "setFunding", ETH, tens("1"))
    desk.open(buy=False)
    opened, held = desk.now(), desk.trade()["initialPosToken"]
    desk.mine(seconds=HOUR)
    paid = -funding(desk, seconds=desk.now() - opened + 2, rate=tens("1"))

    receipt = desk.on("TradingRouter", "updateMargin", ETH, 0, 0, usdc("10"), [], 0, sender=ALICE)

    costs = charged(desk, receipt)
    assert (costs["collateral"], costs["fundingFee"], costs["fee"]) == (usdc("10"), -paid, 0)
    assert desk.trade()["initialPosToken"] == held + usdc("10") + paid - costs["rolloverFees"]
    assert owed(desk) == {"rollover": 0, "funding": 0}


def test_funding_brings_liquidation_nearer_and_is_charged_by_it(desk: Desk) -> None:
    desk.open()
    before = desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0)
    desk.owner("PairStorage", "setFunding", ETH, tens("1"))
    desk.mine(seconds=4 * HOUR)
    after = desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0)
    desk.price("ETH-USD", "2860")

    assert desk.trigger(LIQUIDATION)["usdcSentToTrader"] == 0
    assert tens("2745") < before < tens("2750")
    assert tens("2860") < after < tens("2870")


def test_an_opening_tells_its_fee(desk: Desk) -> None:
    desk.submit()
    costs = charged(desk, desk.execute(desk.last_order_id()))

    assert (costs["trader"], costs["collateral"], costs["fee"]) == (ALICE, usdc("100"), usdc("0.45"))


def test_the_operator_gives_a_position_other_levels(desk: Desk) -> None:
    desk.open()
    desk.price("ETH-USD", "3200")

    receipt = desk.on("TradingRouter", "updateTpSl", ALICE, ETH, 0, tens("3300"), tens("3100"), sender=OPERATOR)

    (tp,) = desk.contract("TradingCallbacks").events(receipt["logs"], "TpUpdated")
    (sl,) = desk.contract("TradingCallbacks").events(receipt["logs"], "SlUpdated")
    trade = desk.trade()
    assert (trade["tp"], trade["sl"]) == (tens("3300"), tens("3100")) == (tp["newTp"], sl["newSl"])
    assert tp["tradeOpenTimestamp"] == trade["positionSizeUSDC"]
    with refused("NotAuthorized"):
        desk.on("TradingRouter", "updateTpSl", ALICE, ETH, 0, 0, 0, sender=ALICE)
