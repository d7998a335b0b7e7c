"""What the venue takes, on both sides."""

from dataclasses import replace

from risk.domain.decision import Denial
from risk.domain.rules import market
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import MARKET, close, entry

CLOSED = replace(MARKET, is_open=False)
EXITS_ONLY = replace(MARKET, is_close_only=True)

PASSES: list[Pass] = [
    (market.is_open, entry()),
    (market.is_open, close()),
    (market.takes_entries, entry()),
    (market.leverage_is_offered, entry(leverage=1)),
    (market.leverage_is_offered, entry(leverage=250)),
    (market.smallest_position, entry(collateral=100, leverage=1)),
]

REFUSALS: list[Refusal] = [
    refusal(
        market.is_open,
        entry(market=CLOSED),
        Denial.MARKET_NOT_OPEN,
        value="closed",
        limit="open",
        message="BTC-USD is closed",
    ),
    refusal(
        market.takes_entries,
        entry(market=EXITS_ONLY),
        Denial.MARKET_CLOSE_ONLY,
        value="exits only",
        limit="allowed",
        message="BTC-USD takes exits only",
    ),
    refusal(
        market.leverage_is_offered,
        entry(leverage="250.0000000001"),
        Denial.LEVERAGE_OUT_OF_RANGE,
        value="250.0000000001x",
        limit="1x to 250x",
        message="Leverage 250.0000000001x is outside 1x to 250x on BTC-USD",
    ),
    refusal(
        market.leverage_is_offered,
        entry(leverage="0.9999999999"),
        Denial.LEVERAGE_OUT_OF_RANGE,
        value="0.9999999999x",
        limit="1x to 250x",
        message="Leverage 0.9999999999x is outside 1x to 250x on BTC-USD",
    ),
    refusal(
        market.smallest_position,
        entry(collateral="99.999999", leverage=1),
        Denial.NOTIONAL_BELOW_MINIMUM,
        value="$99.999999",
        limit="$100",
        message="Position $99.999999 is below the venue's minimum $100",
    ),
]
