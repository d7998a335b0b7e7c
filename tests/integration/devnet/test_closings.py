"""Closings: profit, loss, a part, and what no longer fits."""

from tests.integration.devnet.arithmetic import closed, opened
from tests.integration.devnet.desk import ALICE, BOB, ETH, LIQUIDATION, Desk, refused, tens, usdc

VAULT = usdc("100000000")


def test_a_close_in_profit_is_paid_by_the_vault(desk: Desk) -> None:
    desk.open()
    opened_at = desk.trade()["timestamp"]
    desk.price("ETH-USD", "3300")
    event = desk.close(amount=usdc("99.55"), price="3300")
    assert desk.now() - opened_at == 6
    assert event["price"] == tens("3299.67")
    assert event["percentProfit"] == 997_800_219_978  # 99.78 %
    assert event["usdcSentToTrader"] == 198_433_008
    assert event["positionSizeUSDC"] == usdc("99.55")
    assert desk.balances() == (usdc("9900") + 198_433_008, 0, VAULT + usdc("100") - 198_433_008)


def test_a_close_at_a_loss_leaves_the_rest_to_the_vault(desk: Desk) -> None:
    desk.open()
    desk.price("ETH-USD", "2900")
    event = desk.close(amount=usdc("99.55"), price="2900")
    assert event["percentProfit"] < 0
    sent = event["usdcSentToTrader"]
    assert desk.balances() == (usdc("9900") + sent, 0, VAULT + usdc("100") - sent)


def test_a_close_event_carries_the_trade_as_it_was(desk: Desk) -> None:
    desk.open()
    before = desk.trade()
    event = desk.close(amount=usdc("99.55"))
    assert (event["open"], event["isPnl"], event["t"]) == (False, False, before)
    assert event["coinExposure"] == 3_318_001_533


def test_a_closed_position_leaves_no_trace(desk: Desk) -> None:
    desk.open()
    desk.close(amount=usdc("99.55"))
    assert desk.trade()["leverage"] == 0
    assert desk.read("TradingStorage", "openTradesCount", ALICE, ETH) == 0
    assert desk.read("PairStorage", "openInterestUSDC", ETH, 0) == 0
    assert desk.read("PairStorage", "walletOI", ALICE, ETH) == 0
    assert desk.read("TradingStorage", "tradeKeys", 0, 10) == []


def test_a_submitted_close_announces_itself(desk: Desk) -> None:
    desk.open()
    receipt = desk.submit_close(amount=usdc("50"))
    (event,) = desk.contract("TradingRouter").events(receipt["logs"], "MarketOrderInitiated")
    assert (event["open"], event["initialPosToken"], event["wantedPrice"]) == (False, usdc("50"), tens("3000"))
    assert event["orderId"] == desk.last_order_id()


def test_a_part_closes_and_the_rest_stays_with_a_fresh_timestamp(desk: Desk) -> None:
    desk.open()
    before = desk.trade()
    event = desk.close(amount=usdc("40"))
    after = desk.trade()
    assert event["positionSizeUSDC"] == usdc("40")
    assert after == before | {"initialPosToken": usdc("59.55"), "timestamp": desk.now()}
    assert desk.read("PairStorage", "walletOI", ALICE, ETH) == usdc("595.5")


def test_two_parts_pay_what_the_whole_would(desk: Desk) -> None:
    desk.change_pair(ETH, rolloverPerHourP=0)
    desk.open()
    desk.price("ETH-USD", "3100")
    first = desk.close(amount=usdc("40"), price="3100")["usdcSentToTrader"]
    second = desk.close(amount=usdc("59.55"), price="3100")["usdcSentToTrader"]
    position = opened(collateral=usdc("100"), leverage=tens("10"), oracle=tens("3000"), buy=True)
    whole = closed(position, amount=usdc("99.55"), oracle=tens("3100"), seconds=0).sent
    # Each part is rounded down by itself.
    assert first + second == whole - 1


def test_more_than_the_position_is_refused(desk: Desk) -> None:
    desk.open()
    with refused("AmountAboveCollateral"):
        desk.submit_close(amount=usdc("99.550001"))


def test_nothing_is_refused_too(desk: Desk) -> None:
    desk.open()
    with refused("ZeroAmount"):
        desk.submit_close(amount=0)


def test_a_close_of_no_position_is_refused(desk: Desk) -> None:
    with refused("NoTrade"):
        desk.submit_close(amount=1)


def test_a_position_of_another_is_out_of_reach(desk: Desk) -> None:
    desk.open()
    with refused("NoTrade"):
        desk.submit_close(amount=1, trader=BOB)


def test_a_second_close_waits_for_the_first(desk: Desk) -> None:
    desk.open()
    desk.submit_close(amount=usdc("10"))
    with refused("AlreadyBeingClosed"):
        desk.submit_close(amount=usdc("10"))
    desk.fill()
    desk.submit_close(amount=usdc("10"))
    assert len(desk.pending()) == 1


def test_a_close_slips_by_what_its_opening_allowed(desk: Desk) -> None:
    desk.open(slippage="0.5")
    desk.submit_close(amount=usdc("99.55"), price="3000")
    desk.price("ETH-USD", "2985")
    with refused("HighSlippage"):
        desk.fill()
    desk.price("ETH-USD", "2985.3")
    assert desk.fill()["price"] == tens("2985.00147")


def test_a_short_close_slips_upward(desk: Desk) -> None:
    desk.open(buy=False)
    desk.submit_close(amount=usdc("99.55"), price="3000")
    desk.price("ETH-USD", "3030")
    with refused("HighSlippage"):
        desk.fill()


def test_a_close_of_a_position_that_is_gone_does_not_touch_the_next_one(desk: Desk) -> None:
    desk.open(leverage=tens("50"))
    desk.submit_close(amount=1, price="2000")
    stale = desk.last_order_id()
    desk.price("ETH-USD", "2900")
    desk.trigger(LIQUIDATION)
    desk.price("ETH-USD", "3000")
    desk.open()
    before = desk.trade()
    with refused("PositionMismatch"):
        desk.execute(stale)
    desk.mine(15)
    desk.cancel(stale)
    assert desk.trade() == before


def test_a_close_below_the_liquidation_loss_pays_nothing(desk: Desk) -> None:
    desk.open()
    desk.price("ETH-USD", "2740")
    assert desk.close(amount=usdc("99.55"), price="2740")["usdcSentToTrader"] == 0
    assert desk.balances() == (usdc("9900"), 0, VAULT + usdc("100"))


def test_a_profit_that_the_vault_cannot_pay_keeps_the_order(desk: Desk) -> None:
    desk.open()
    desk.owner("Vault", "drain", VAULT + usdc("0.45"))
    desk.price("ETH-USD", "3300")
    desk.submit_close(amount=usdc("99.55"), price="3300")
    with refused("InsufficientBalance"):
        desk.fill()
    assert len(desk.pending()) == 1


def test_a_gain_is_capped(desk: Desk) -> None:
    desk.open(leverage=tens("75"))
    desk.price("ETH-USD", "6000")
    event = desk.close(amount=desk.trade()["initialPosToken"], price="6000")
    assert event["percentProfit"] == tens("2500")
