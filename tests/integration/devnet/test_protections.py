"""Take profit, stop loss and liquidation, found by the keeper and settled by the venue."""

import pytest

from tests.integration.devnet.arithmetic import liquidation_price, opened
from tests.integration.devnet.desk import ALICE, ETH, LIQUIDATION, STOP_LOSS, TAKE_PROFIT, Desk, refused, tens, usdc

VAULT = usdc("100000000")


def limit_events(desk: Desk) -> list[dict[str, object]]:
    receipts = desk.tick()
    logs = [log for receipt in receipts for log in receipt["logs"]]
    return desk.contract("TradingCallbacks").events(logs, "LimitExecuted")


def test_the_keeper_takes_a_profit_one_tick_after_the_price(desk: Desk) -> None:
    desk.open(tp=tens("3100"))
    desk.keeper.set_price("ETH-USD", "3100")
    assert limit_events(desk) == []
    (event,) = limit_events(desk)
    assert (event["orderType"], event["limitIndex"]) == (TAKE_PROFIT, 0)
    assert event["price"] == tens("3099.69")
    assert event["positionSizeUSDC"] == usdc("99.55")
    assert desk.trade()["leverage"] == 0


def test_a_short_takes_its_profit_below(desk: Desk) -> None:
    desk.open(buy=False, tp=tens("2900"))
    desk.price("ETH-USD", "2900")
    assert desk.trigger(TAKE_PROFIT)["price"] == tens("2900.29")


def test_the_keeper_stops_a_loss(desk: Desk) -> None:
    desk.open(sl=tens("2900"))
    desk.keeper.set_price("ETH-USD", "2900")
    desk.tick()
    (event,) = limit_events(desk)
    assert event["orderType"] == STOP_LOSS
    assert event["price"] == tens("2899.71")


def test_the_keeper_liquidates_and_the_vault_keeps_all(desk: Desk) -> None:
    desk.open(sl=tens("2800"))
    desk.keeper.set_price("ETH-USD", "2700")
    desk.tick()
    (event,) = limit_events(desk)
    assert (event["orderType"], event["usdcSentToTrader"]) == (LIQUIDATION, 0)
    assert desk.balances() == (usdc("9900"), 0, VAULT + usdc("100"))


def test_the_liquidation_price_is_the_formulas(desk: Desk) -> None:
    desk.open(leverage=tens("50"))
    opened_at = desk.now()
    desk.mine(seconds=3600)
    position = opened(collateral=usdc("100"), leverage=tens("50"), oracle=tens("3000"), buy=True)
    found = desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0)
    assert found == liquidation_price(position, seconds=desk.now() - opened_at)


def test_a_position_is_liquidated_at_its_price_and_not_before(desk: Desk) -> None:
    desk.change_pair(ETH, rolloverPerHourP=0)
    desk.open()
    assert desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0) == tens("2745.2745")
    desk.price("ETH-USD", "2745.27450001")
    with refused("NotTriggered"):
        desk.trigger(LIQUIDATION)
    desk.price("ETH-USD", "2745.2745")
    assert desk.trigger(LIQUIDATION)["usdcSentToTrader"] == 0


def test_a_short_is_liquidated_above(desk: Desk) -> None:
    desk.change_pair(ETH, rolloverPerHourP=0)
    desk.open(buy=False)
    assert desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0) == tens("3254.6745")


@pytest.mark.parametrize("kind", [TAKE_PROFIT, STOP_LOSS, LIQUIDATION])
def test_a_trigger_that_is_not_reached_is_refused(desk: Desk, kind: int) -> None:
    desk.open(tp=tens("3100"), sl=tens("2900"))
    with refused("NotTriggered"):
        desk.trigger(kind)


def test_a_stop_loss_too_far_after_the_fill_is_brought_closer(desk: Desk) -> None:
    desk.submit(sl=tens("2760"), slippage="5")
    desk.price("ETH-USD", "3100")
    # 80 % of the collateral at 10x is 8 % below the entry of 3100.31.
    assert desk.fill()["t"]["sl"] == tens("2852.2852")


def test_a_take_profit_that_the_fill_has_passed_keeps_the_order(desk: Desk) -> None:
    desk.submit(tp=tens("3001"))
    desk.price("ETH-USD", "3002")
    with refused("WrongTp"):
        desk.fill()
    assert len(desk.pending()) == 1


def test_many_positions_are_watched_at_once(desk: Desk) -> None:
    desk.owner("TradingStorage", "setMaxPendingMarketOrders", 100)
    for index in range(10):
        desk.submit(sl=tens(str(2900 + index)))
    assert len(desk.tick()) == 10
    desk.keeper.set_price("ETH-USD", "2904.5")
    desk.tick()
    assert len(limit_events(desk)) == 5
    assert desk.read("TradingStorage", "openTradesCount", ALICE, ETH) == 5
