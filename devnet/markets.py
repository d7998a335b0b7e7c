"""The local venue's markets, and the units of its contracts."""

from dataclasses import dataclass
from decimal import Decimal

ONE = 10**10  # price, leverage and percent; 1 % is 10**10
USDC = 10**6
FEED = 10**8  # the feeds' answers


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMarket:
    """One market. The index, the feed ids and the fees are the real venue's; the smallest notional is a tenth."""

    symbol: str
    pair_index: int
    feed_id: str
    first_price: Decimal
    step_ppm: int  # the standard deviation of one step of the walk

    @property
    def base(self) -> str:
        """What is priced."""
        return self.symbol.split("-")[0]

    @property
    def quote(self) -> str:
        """What it is priced in."""
        return self.symbol.split("-")[1]


MARKETS = (
    LocalMarket(
        symbol="ETH-USD",
        pair_index=0,
        feed_id="0xff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
        first_price=Decimal(3000),
        step_ppm=250,
    ),
    LocalMarket(
        symbol="BTC-USD",
        pair_index=1,
        feed_id="0xe62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
        first_price=Decimal(60000),
        step_ppm=200,
    ),
    LocalMarket(
        symbol="SOL-USD",
        pair_index=2,
        feed_id="0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
        first_price=Decimal(150),
        step_ppm=350,
    ),
)

# The terms of every market, as its contract keeps them.
MIN_LEVERAGE = 1 * ONE
MAX_LEVERAGE = 75 * ONE
MIN_NOTIONAL_USDC = 10 * USDC
OPEN_FEE_P = CLOSE_FEE_P = 45 * ONE // 1000
SPREAD_P = ONE // 100
ROLLOVER_PER_HOUR_P = 171 * ONE // 100_000
MAX_GAIN_P = 2500 * ONE
MAX_OPEN_INTEREST_USDC = 1_000_000_000 * USDC


def pair_terms(market: LocalMarket, feed: str) -> tuple[object, ...]:
    """A market in the order of the contract's struct."""
    return (
        market.base,
        market.quote,
        feed,
        bytes.fromhex(market.feed_id[2:]),
        True,
        False,
        MIN_LEVERAGE,
        MAX_LEVERAGE,
        MIN_NOTIONAL_USDC,
        OPEN_FEE_P,
        CLOSE_FEE_P,
        SPREAD_P,
        ROLLOVER_PER_HOUR_P,
        MAX_GAIN_P,
        MAX_OPEN_INTEREST_USDC,
        MAX_OPEN_INTEREST_USDC,
    )


def to_feed(price: Decimal) -> int:
    """A price as a feed's answer, rounded down to its eight decimals."""
    return int(price * FEED)
