"""What the price says, on both sides: it is 60,000."""

from dataclasses import replace
from typing import Any

from risk.domain.decision import Denial
from risk.domain.rules import prices
from risk.domain.situation import Situation
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import OPEN, PRICE, entry, limited, situation
from trading.domain.price import PriceTrouble
from trading.domain.signal import Side
from trading.domain.units import Leverage, Percent, Price

TWENTIETH = limited(liquidation_buffer=Percent.of(5))
ONE_PERCENT = limited(max_price_deviation=Percent.of(1))


def at(side: Side, *, leverage: object = 3, policy: Any = TWENTIETH, **levels: object) -> Situation:
    said = {name: Price.of(str(level)) for name, level in levels.items()}
    return situation(replace(OPEN, side=side, leverage=Leverage.of(str(leverage)), **said), policy=policy)


def entry_of_dust(*, price: str) -> Situation:
    """An entry where a unit of the price is a third of it."""
    dust, half = replace(PRICE, price=Price.from_raw(3)), limited(max_price_deviation=Percent.of(50))
    return situation(replace(OPEN, price=Price.of(price)), price=dust, policy=half)


def laddered(side: Side, *prices_of: int) -> Situation:
    return situation(replace(OPEN, side=side, levels=tuple(Price.of(price) for price in prices_of)))


PASSES: list[Pass] = [
    (prices.stop_side, at(Side.LONG, stop_loss="59999.9999999999")),
    (prices.stop_side, at(Side.SHORT, stop_loss="60000.0000000001")),
    (prices.target_side, at(Side.LONG, take_profit="60000.0000000001")),
    (prices.target_side, at(Side.SHORT, take_profit="59999.9999999999")),
    # 60,000 × 0.85 / 10 × 0.95 = 4,845 away.
    (prices.stop_before_liquidation, at(Side.LONG, leverage=10, stop_loss=55_155)),
    (prices.stop_before_liquidation, at(Side.SHORT, leverage=10, stop_loss=64_845)),
    # Without a buffer up to the liquidation itself.
    (prices.stop_before_liquidation, at(Side.LONG, leverage=10, stop_loss=54_900, policy=limited())),
    (prices.target_side, laddered(Side.LONG, 61_000, 60_001)),
    (prices.target_side, laddered(Side.SHORT, 59_000, 59_999)),
    (prices.entry_price, entry()),
    (prices.collar, at(Side.LONG, price=60_600, policy=ONE_PERCENT)),
    (prices.collar, at(Side.LONG, price=59_400, policy=ONE_PERCENT)),
]

REFUSALS: list[Refusal] = [
    refusal(
        prices.stop_side,
        at(Side.LONG, stop_loss=60_000),
        Denial.STOP_ON_WRONG_SIDE,
        value="$60000",
        limit="below $60000",
        message="The stop $60000 must lie below $60000",
    ),
    refusal(
        prices.stop_side,
        at(Side.SHORT, stop_loss=60_000),
        Denial.STOP_ON_WRONG_SIDE,
        value="$60000",
        limit="above $60000",
        message="The stop $60000 must lie above $60000",
    ),
    refusal(
        prices.target_side,
        at(Side.LONG, take_profit=60_000),
        Denial.TARGET_ON_WRONG_SIDE,
        value="$60000",
        limit="above $60000",
        message="The target $60000 must lie above $60000",
    ),
    refusal(
        prices.target_side,
        at(Side.LONG, take_profit=59_000),
        Denial.TARGET_ON_WRONG_SIDE,
        value="$59000",
        limit="above $60000",
        message="The target $59000 must lie above $60000",
    ),
    refusal(
        prices.target_side,
        at(Side.SHORT, take_profit=60_000),
        Denial.TARGET_ON_WRONG_SIDE,
        value="$60000",
        limit="below $60000",
        message="The target $60000 must lie below $60000",
    ),
    refusal(
        prices.target_side,
        laddered(Side.LONG, 61_000, 60_000),
        Denial.TARGET_ON_WRONG_SIDE,
        value="$60000",
        limit="above $60000",
        message="The target $60000 must lie above $60000",
    ),
    refusal(
        prices.target_side,
        laddered(Side.SHORT, 59_000, 60_001),
        Denial.TARGET_ON_WRONG_SIDE,
        value="$60001",
        limit="below $60000",
        message="The target $60001 must lie below $60000",
    ),
    refusal(
        prices.stop_before_liquidation,
        at(Side.LONG, leverage=10, stop_loss="55154.9999999999"),
        Denial.STOP_BEYOND_LIQUIDATION,
        value="$4845.0000000001",
        limit="$4845",
        message="The stop lies $4845.0000000001 away, liquidation less 5% is $4845 away: at most 9.9999999999x with this stop",
    ),
    refusal(
        prices.entry_price,
        entry(price=None),
        Denial.PRICE_STALE,
        value="none",
        limit="an agreed price",
        message="No fresh price for BTC-USD",
    ),
    refusal(
        prices.entry_price,
        entry(price=None, price_trouble=PriceTrouble.PRICE_DISAGREEMENT),
        Denial.PRICE_DISAGREEMENT,
        value="none",
        limit="an agreed price",
        message="The sources disagree about the price for BTC-USD",
    ),
    refusal(
        prices.entry_price,
        entry(price=None, price_trouble=PriceTrouble.SEQUENCER_DOWN),
        Denial.SEQUENCER_DOWN,
        value="none",
        limit="an agreed price",
        message="The chain's sequencer is down or came up a moment ago: no price for BTC-USD",
    ),
    refusal(
        prices.collar,
        at(Side.LONG, price="60600.0000000001", policy=ONE_PERCENT),
        Denial.PRICE_OUTSIDE_COLLAR,
        value="$600.0000000001",
        limit="$600",
        message="The signal's price $60600.0000000001 lies $600.0000000001 from $60000, limit $600",
    ),
    refusal(
        prices.collar,
        entry_of_dust(price="0.0000000005"),
        Denial.PRICE_OUTSIDE_COLLAR,
        value="$0.0000000002",
        # Half of three units, rounded down.
        limit="$0.0000000001",
        message="The signal's price $0.0000000005 lies $0.0000000002 from $0.0000000003, limit $0.0000000001",
    ),
]
