"""A random walk of prices and of delays: the same seed gives the same market."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from devnet.markets import MARKETS

PPB = 10**9
Z_OF_P99 = 2.3263478740408408  # the standard normal distribution's 99th percentile


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWalk:
    """A market's moves: each depends on the seed, the symbol and the step alone."""

    seed: int

    def after(self, prices: Mapping[str, int], *, step: int) -> dict[str, int]:
        """The prices one step later, in the feeds' units. This will never let one fall to zero."""
        return {
            market.symbol: self._moved(prices[market.symbol], symbol=market.symbol, ppm=market.step_ppm, step=step)
            for market in MARKETS
        }

    def _moved(self, price: int, *, symbol: str, ppm: int, step: int) -> int:
        draw = random.Random(f"{self.seed}:{symbol}:{step}").gauss(0, 1)
        return max(1, price * (PPB + round(draw * ppm * 1000)) // PPB)


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDelay:
    """How long the keeper leaves an order: lognormal, given by its median and its 99th percentile."""

    seed: int
    median_seconds: float
    p99_seconds: float

    def of(self, order_id: int) -> float:
        """One order's delay in seconds. A median of zero fills at once."""
        if self.median_seconds == 0:
            return 0.0
        sigma = math.log(self.p99_seconds / self.median_seconds) / Z_OF_P99
        return random.Random(f"{self.seed}:delay:{order_id}").lognormvariate(math.log(self.median_seconds), sigma)


AT_ONCE = FillDelay(seed=0, median_seconds=0.0, p99_seconds=0.0)
