"""The paper venue against the contract on a chain: the same seed, the same fills, to the unit."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution.domain import paper
from execution.domain.paper import Held, Terms
from tests.integration.devnet.desk import ALICE, ETH, LIQUIDATION, Desk
from trading.domain import carrying
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

SEED = 20_261_121
FEED_TO_VENUE = 100


def terms(desk: Desk) -> Terms:
    pair = desk.read("PairStorage", "pair", ETH)
    return Terms(
        spread=Percent(pair["spreadP"]),
        open_fee=Percent(pair["openFeeP"]),
        close_fee=Percent(pair["closeFeeP"]),
        max_gain=Percent(pair["maxGainP"]),
    )


def price(desk: Desk) -> Price:
    return Price(desk.read("PairStorage", "price", ETH))


def carried(desk: Desk, held: Held, *, since: int) -> Held:
    """What a position owes at the chain's newest block, if it was opened at `since`."""
    pair = desk.read("PairStorage", "pair", ETH)
    size = paper.size(held.collateral, held.leverage)
    elapsed = timedelta(seconds=desk.now() - since)
    funding = Percent(desk.read("PairStorage", "fundingPerHourP", ETH))
    return replace(
        held,
        rollover=carrying.rollover(size, rate=Percent(pair["rolloverPerHourP"]), elapsed=elapsed),
        funding=carrying.funding(size, rate=funding, elapsed=elapsed, direction=held.direction),
    )


def fund(desk: Desk, draw: random.Random) -> None:
    """A rate at which one side pays the other from now on."""
    desk.owner("PairStorage", "setFunding", ETH, draw.randint(-5 * 10**8, 5 * 10**8))


def opened(desk: Desk, draw: random.Random) -> tuple[dict[str, Any], Held]:
    """A position of any size, and what paper makes of the same wish."""
    buy, collateral = draw.choice([True, False]), draw.randint(11_000_000, 900_000_000)
    leverage = draw.randint(10**10, 60 * 10**10)
    event = desk.open(buy=buy, positionSizeUSDC=collateral, leverage=leverage, openPrice=price(desk).raw)
    direction = Direction.LONG if buy else Direction.SHORT
    fill = paper.fill_open(
        price=price(desk), terms=terms(desk), direction=direction, collateral=Usdc(collateral), leverage=Leverage(leverage)
    )
    held = Held(direction=direction, collateral=fill.collateral, leverage=Leverage(leverage), entry=fill.price)
    return event, held


@pytest.mark.parametrize("number", range(12))
def test_a_round_trip_on_paper_is_the_contracts_to_the_unit(desk: Desk, number: int) -> None:
    draw = random.Random(f"{SEED}:{number}")
    desk.price("ETH-USD", f"{draw.randint(250_000, 350_000) / 100:.2f}")
    fund(desk, draw)
    opening, held = opened(desk, draw)
    entry, since = price(desk).raw, desk.now()
    # Some gain beyond the cap, some lose beyond the liquidation, most do neither.
    exit_price = entry * draw.choice([9_990, 9_999, 10_001, 10_010, 10_100, 9_800, 30_000, 5_000]) // 10_000 // FEED_TO_VENUE
    desk.mine(seconds=draw.randint(2, 200_000))
    desk.price("ETH-USD", f"{exit_price // 10**8}.{exit_price % 10**8:08d}")
    part = held.collateral.raw * draw.randint(10, 100) // 100
    desk.submit_close(amount=part, price=str(10**6 if held.direction is Direction.SHORT else 1))
    logs = desk.execute(desk.last_order_id())["logs"]
    (closing,), (costs,) = (desk.contract("TradingCallbacks").events(logs, name) for name in ("MarketExecuted", "FeesCharged"))

    fill = paper.fill_close(price=price(desk), terms=terms(desk), held=carried(desk, held, since=since), amount=Usdc(part))

    assert (held.entry.raw, held.collateral.raw) == (opening["price"], opening["positionSizeUSDC"])
    assert (fill.price.raw, fill.payout.raw) == (closing["price"], closing["usdcSentToTrader"])
    said = [value for name, value in costs.items() if "fee" in name.lower()]
    assert [fill.rollover.raw, fill.fee.raw, fill.funding.raw] == said
    assert paper.percent_profit(held, at=fill.price, most=terms(desk).max_gain).raw == closing["percentProfit"]


@pytest.mark.parametrize("number", range(6))
def test_paper_liquidates_where_the_contract_does(desk: Desk, number: int) -> None:
    draw = random.Random(f"{SEED}:edge:{number}")
    fund(desk, draw)
    _, held = opened(desk, draw)
    since = desk.now()
    desk.mine(seconds=draw.randint(2, 200_000))

    edge = paper.liquidation_price(carried(desk, held, since=since))

    assert edge.raw == desk.read("TradingCallbacks", "getTradeLiquidationPrice", ALICE, ETH, 0)


@pytest.mark.parametrize("number", range(4))
def test_paper_and_contract_are_liquidated_by_the_same_price(desk: Desk, number: int) -> None:
    draw = random.Random(f"{SEED}:taken:{number}")
    _, held = opened(desk, draw)
    since, sign = desk.now(), 1 if held.direction is Direction.LONG else -1
    # Two blocks on: what each second of waiting owes moves the edge by less than the feed's last digit.
    edge = paper.liquidation_price(held)
    for cents in (sign, -sign):
        near = max(edge.raw + cents * 10**8, 10**8) // FEED_TO_VENUE
        desk.price("ETH-USD", f"{near // 10**8}.{near % 10**8:08d}")

        is_taken = paper.is_liquidated(carried(desk, held, since=since), price=price(desk))

        assert is_taken == desk.read("TradingCallbacks", "isTriggered", LIQUIDATION, ALICE, ETH, 0)
        assert is_taken == (cents == -sign)
