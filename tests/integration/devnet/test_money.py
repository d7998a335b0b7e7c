"""Random trades against the arithmetic computed again, and the sum of all money."""

import random

import pytest

from tests.integration.devnet.arithmetic import closed, opened
from tests.integration.devnet.desk import ALICE, BOB, Desk, usdc

SYMBOLS = ("ETH-USD", "BTC-USD", "SOL-USD")
FIRST_PRICES = (3000 * 10**8, 60000 * 10**8, 150 * 10**8)


def everything(desk: Desk) -> int:
    return sum(desk.balances()) + desk.balance(BOB)


def set_oracle(desk: Desk, pair: int, answer: int) -> int:
    desk.price(SYMBOLS[pair], f"{answer // 10**8}.{answer % 10**8:08d}")
    return answer * 100


@pytest.mark.parametrize("seed", range(25))
def test_a_random_trade_pays_what_the_arithmetic_says(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)
    pair, buy = draw.randrange(3), draw.random() < 0.5
    collateral, leverage = draw.randrange(usdc("10"), usdc("900")), draw.randrange(10**10, 75 * 10**10)
    before = everything(desk)

    oracle = set_oracle(desk, pair, round(FIRST_PRICES[pair] * draw.uniform(0.5, 2)))
    position = opened(collateral=collateral, leverage=leverage, oracle=oracle, buy=buy)
    desk.open(pairIndex=pair, buy=buy, positionSizeUSDC=collateral, leverage=leverage, openPrice=oracle)
    trade = desk.trade(pair=pair)
    opened_at = desk.now()
    assert (trade["initialPosToken"], trade["openPrice"]) == (position.collateral, position.price)

    desk.mine(seconds=draw.randrange(1, 10**6))
    moved = oracle * draw.randrange(9800, 10300) // 10**4 // 100
    oracle = set_oracle(desk, pair, moved)
    amount = draw.choice([position.collateral, draw.randrange(1, position.collateral)])
    event = desk.close(amount=amount, price=f"{oracle // 10**10}.{oracle % 10**10:010d}", pair=pair)
    expected = closed(position, amount=amount, oracle=oracle, seconds=desk.now() - opened_at)

    assert (event["price"], event["percentProfit"]) == (expected.price, expected.percent)
    assert event["usdcSentToTrader"] == expected.sent
    assert desk.balance(ALICE) == usdc("10000") - collateral + expected.sent
    assert everything(desk) == before


def test_no_story_makes_or_loses_money(desk: Desk) -> None:
    draw = random.Random(7)
    before = everything(desk)
    desk.owner("TradingStorage", "setMaxPendingMarketOrders", 100)
    for step in range(60):
        trader = draw.choice([ALICE, BOB])
        pair = draw.randrange(3)
        price = desk.read("PairStorage", "price", pair)
        if draw.random() < 0.6:
            size, leverage = draw.randrange(usdc("10"), usdc("50")), draw.randrange(2 * 10**10, 60 * 10**10)
            buy = draw.random() < 0.5
            desk.submit(trader=trader, pairIndex=pair, buy=buy, positionSizeUSDC=size, leverage=leverage, openPrice=price)
        desk.keeper.set_price(SYMBOLS[pair], str(round(price / 10**10 * draw.uniform(0.96, 1.04), 8)))
        desk.tick(now=float(step))
        assert everything(desk) == before
    open_keys = desk.read("TradingStorage", "tradeKeys", 0, 1000)
    escrow = sum(desk.trade(trader=t, pair=p, index=i)["initialPosToken"] for t, p, i in map(unkeyed, open_keys))
    pending = [desk.read("TradingStorage", "pendingOrder", each)["collateral"] for t in (ALICE, BOB) for each in desk.pending(t)]
    assert desk.balance(desk.deployment.storage) == escrow + sum(pending)


def unkeyed(key: int) -> tuple[str, int, int]:
    return "0x" + (key >> 96).to_bytes(20, "big").hex(), key >> 48 & (2**48 - 1), key & (2**48 - 1)
