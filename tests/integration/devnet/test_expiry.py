"""An order that can't be filled: it stays, it expires, everything comes back."""

from tests.integration.devnet.desk import ALICE, BOB, ETH, Desk, refused, tens, usdc

VAULT = usdc("100000000")


def test_a_price_beyond_the_slippage_reverts_the_fill_and_keeps_the_order(desk: Desk) -> None:
    desk.submit()
    desk.price("ETH-USD", "3030")
    with refused("HighSlippage"):
        desk.fill()
    assert len(desk.pending()) == 1
    assert desk.balances() == (usdc("9900"), usdc("100"), VAULT)


def test_a_price_better_than_wanted_is_no_slippage(desk: Desk) -> None:
    desk.submit()
    desk.price("ETH-USD", "2000")
    assert desk.fill()["price"] == tens("2000.2")


def test_a_fill_exactly_at_the_slippage_is_taken(desk: Desk) -> None:
    desk.submit(slippage="0.01")
    assert desk.fill()["price"] == tens("3000.3")


def test_a_short_slips_downward(desk: Desk) -> None:
    desk.submit(buy=False)
    desk.price("ETH-USD", "2970")
    with refused("HighSlippage"):
        desk.fill()


def test_an_order_can_be_filled_fifteen_blocks_later(desk: Desk) -> None:
    desk.submit()
    initiated_at_block = desk.head()
    desk.mine(14)
    desk.fill()
    assert desk.head() == initiated_at_block + 15
    assert desk.pending() == []


def test_an_order_expires_after_fifteen_blocks(desk: Desk) -> None:
    desk.submit()
    desk.mine(15)
    with refused("OrderExpired"):
        desk.fill()
    assert len(desk.pending()) == 1


def test_an_order_that_can_still_be_filled_is_not_canceled(desk: Desk) -> None:
    desk.submit()
    desk.mine(14)
    with refused("OrderNotExpired"):
        desk.cancel(desk.last_order_id())


def test_a_cancellation_gives_back_all_of_the_collateral(desk: Desk) -> None:
    desk.submit()
    order_id = desk.last_order_id()
    desk.mine(15)
    receipt = desk.cancel(order_id)
    assert desk.balances() == (usdc("10000"), 0, VAULT)
    assert desk.pending() == []
    (event,) = desk.contract("TradingStorage").events(receipt["logs"], "MarketOpenCanceled")
    assert event == {"orderId": order_id, "trader": ALICE, "pairIndex": ETH}


def test_a_trader_does_not_cancel_a_market_order(desk: Desk) -> None:
    desk.submit()
    desk.mine(15)
    with refused("NotAuthorized"):
        desk.on("TradingRouter", "cancelPendingMarketOrder", desk.last_order_id(), sender=ALICE)


def test_a_paused_venue_still_gives_money_back(desk: Desk) -> None:
    desk.submit()
    desk.owner("TradingRouter", "pause")
    desk.mine(15)
    desk.cancel(desk.last_order_id())
    assert desk.balance(ALICE) == usdc("10000")


def test_a_canceled_close_leaves_the_position_as_it_was(desk: Desk) -> None:
    desk.open()
    before = desk.trade()
    desk.submit_close(amount=usdc("99.55"))
    order_id = desk.last_order_id()
    desk.price("ETH-USD", "2960")
    with refused("HighSlippage"):
        desk.fill()
    desk.mine(15)
    receipt = desk.cancel(order_id)
    (event,) = desk.contract("TradingStorage").events(receipt["logs"], "MarketCloseCanceled")
    expected = {"orderId": order_id, "trader": ALICE, "pairIndex": ETH, "index": 0, "timestamp": desk.now()}
    assert event == expected
    assert desk.trade() == before
    desk.price("ETH-USD", "3000")
    assert desk.close(amount=usdc("99.55"))["open"] is False


def test_orders_of_two_traders_are_their_own(desk: Desk) -> None:
    desk.submit()
    desk.submit(trader=BOB)
    desk.fill()
    assert len(desk.pending(ALICE)) == 1
    assert desk.pending(BOB) == []
