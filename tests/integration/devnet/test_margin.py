"""More or less collateral, and more of a position."""

from typing import Any

import pytest

from tests.integration.devnet.arithmetic import rollover
from tests.integration.devnet.desk import ALICE, ETH, Desk, refused, tens, usdc

VAULT = usdc("100000000")
DEPOSIT, WITHDRAW = 0, 1


def change(desk: Desk, kind: int, amount: int) -> dict[str, Any]:
    arguments = (ETH, 0, kind, amount, [b"\x02"], 1)
    receipt = desk.on("TradingRouter", "updateMargin", *arguments, sender=ALICE, value=1)
    (event,) = desk.contract("TradingCallbacks").events(receipt["logs"], "MarginUpdated")
    return event


def increase(desk: Desk, *, collateral: int, leverage: str = "10", price: str = "3000", slippage: str = "1") -> None:
    update = (ALICE, ETH, 0, tens(price), collateral, tens(leverage))
    desk.on("TradingRouter", "increasePositionSize", update, tens(slippage), sender=ALICE)


def test_a_deposit_lowers_the_leverage_at_once(desk: Desk) -> None:
    desk.open()
    owed = rollover(usdc("995.5"), 2)
    event = change(desk, DEPOSIT, usdc("99.55"))
    trade = desk.trade()
    assert trade["initialPosToken"] == usdc("199.1") - owed
    assert trade["leverage"] == usdc("995.5") * 10**10 // (usdc("199.1") - owed)
    assert trade["timestamp"] == desk.now()
    assert (event["trader"], event["_type"], event["newTrade"]) == (ALICE, DEPOSIT, trade)
    assert (event["marginFees"], event["timestamp"]) == (owed, desk.now())
    assert desk.balances() == (usdc("9800.45"), usdc("199.1") - owed, VAULT + usdc("0.45") + owed)


def test_a_withdrawal_raises_the_leverage_and_pays_at_once(desk: Desk) -> None:
    desk.open()
    owed = rollover(usdc("995.5"), 2)
    change(desk, WITHDRAW, usdc("49.55"))
    assert desk.trade()["initialPosToken"] == usdc("50") - owed
    assert desk.balance(ALICE) == usdc("9949.55")


@pytest.mark.parametrize(
    ("amount", "error"),
    [(usdc("90"), "WrongLeverage"), (usdc("99.55"), "WithdrawTooLarge"), (usdc("200"), "WithdrawTooLarge"), (0, "ZeroAmount")],
)
def test_a_withdrawal_of_too_much_changes_nothing(desk: Desk, amount: int, error: str) -> None:
    desk.open()
    before = desk.trade()
    with refused(error):
        change(desk, WITHDRAW, amount)
    assert desk.trade() == before


def test_a_losing_position_keeps_a_fifth_of_its_collateral(desk: Desk) -> None:
    desk.open()
    # The position has lost about 50.8 of 99.55: below a collateral of 63.5 less than a fifth would be left.
    desk.price("ETH-USD", "2847.1")
    with refused("WithdrawTooLarge"):
        change(desk, WITHDRAW, usdc("37"))
    change(desk, WITHDRAW, usdc("35"))
    assert desk.balance(ALICE) == usdc("9935")


def test_margin_stays_while_a_close_is_pending(desk: Desk) -> None:
    desk.open()
    desk.submit_close(amount=usdc("99.55"))
    with refused("AlreadyBeingClosed"):
        change(desk, DEPOSIT, usdc("1"))


def test_an_increase_mixes_the_entry_prices(desk: Desk) -> None:
    desk.open()
    desk.price("ETH-USD", "3300")
    increase(desk, collateral=usdc("50"), leverage="20", price="3300")
    receipt = desk.execute(desk.last_order_id())
    (event,) = desk.contract("TradingCallbacks").events(receipt["logs"], "PositionSizeIncreased")
    trade = desk.trade()
    owed = rollover(usdc("995.5"), 6)
    held, added, first, second = usdc("995.5"), usdc("991"), tens("3000.3"), tens("3300.33")
    assert trade["initialPosToken"] == usdc("99.55") - owed + usdc("49.55")
    assert trade["openPrice"] == (held + added) * first * second // (held * second + added * first)
    assert trade["leverage"] == (held + added) * 10**10 // trade["initialPosToken"]
    assert event["t"] == trade
    assert event["coinExposureAdded"] == added * 10**14 // second
    assert desk.balances() == (usdc("9850"), usdc("149.1") - owed, VAULT + usdc("0.9") + owed)


def test_an_increase_that_expires_comes_back(desk: Desk) -> None:
    desk.open()
    before = desk.trade()
    increase(desk, collateral=usdc("50"), price="2900")
    order_id = desk.last_order_id()
    with refused("HighSlippage"):
        desk.execute(order_id)
    desk.mine(15)
    receipt = desk.cancel(order_id)
    (event,) = desk.contract("TradingStorage").events(receipt["logs"], "MarketOpenCanceled")
    assert event == {"orderId": order_id, "trader": ALICE, "pairIndex": ETH}
    assert desk.balance(ALICE) == usdc("9900")
    assert desk.trade() == before


def test_an_increase_of_a_changed_position_is_refused(desk: Desk) -> None:
    desk.open()
    increase(desk, collateral=usdc("50"))
    order_id = desk.last_order_id()
    change(desk, DEPOSIT, usdc("1"))
    with refused("PositionMismatch"):
        desk.execute(order_id)


def test_open_interest_returns_to_zero_after_every_change(desk: Desk) -> None:
    desk.open()
    change(desk, DEPOSIT, usdc("33.333333"))
    increase(desk, collateral=usdc("17.171717"), leverage="7")
    desk.execute(desk.last_order_id())
    desk.close(amount=usdc("12.345678"))
    desk.close(amount=desk.trade()["initialPosToken"])
    assert desk.read("PairStorage", "openInterestUSDC", ETH, 0) == 0
    assert desk.read("PairStorage", "walletOI", ALICE, ETH) == 0
