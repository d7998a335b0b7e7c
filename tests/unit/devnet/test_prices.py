"""The walk and the delays: the same seed, the same market."""

import statistics

from devnet.markets import MARKETS, to_feed
from devnet.prices import AT_ONCE, FillDelay, PriceWalk

FIRST = {market.symbol: to_feed(market.first_price) for market in MARKETS}


def test_one_seed_gives_one_walk() -> None:
    assert PriceWalk(seed=1).after(FIRST, step=1) == {
        "ETH-USD": 299937443700,
        "BTC-USD": 6001664286000,
        "SOL-USD": 14987858385,
    }


def test_another_seed_or_step_gives_another_price() -> None:
    walk = PriceWalk(seed=1)
    assert walk.after(FIRST, step=1) != walk.after(FIRST, step=2)
    assert walk.after(FIRST, step=1) != PriceWalk(seed=2).after(FIRST, step=1)


def test_a_step_depends_on_nothing_but_its_arguments() -> None:
    walk = PriceWalk(seed=3)
    alone = walk.after(FIRST, step=9)
    walk.after(FIRST, step=8)
    assert walk.after(FIRST, step=9) == alone


def test_a_price_never_falls_to_zero() -> None:
    prices = dict.fromkeys(FIRST, 1)
    for step in range(1000):
        prices = PriceWalk(seed=1).after(prices, step=step)
    assert min(prices.values()) == 1


def test_steps_are_as_wide_as_the_market_says() -> None:
    walk = PriceWalk(seed=5)
    moves = [walk.after(FIRST, step=step)["BTC-USD"] / FIRST["BTC-USD"] - 1 for step in range(4000)]
    assert round(statistics.pstdev(moves), 5) == 0.0002
    assert round(statistics.mean(moves), 5) == 0.0


def test_delays_have_their_median_and_their_99th_percentile() -> None:
    delay = FillDelay(seed=1, median_seconds=2.0, p99_seconds=15.0)
    cuts = statistics.quantiles((delay.of(order_id) for order_id in range(20_000)), n=100)
    assert round(cuts[49], 1) == 2.0
    assert round(cuts[98]) == 15


def test_an_orders_delay_is_always_the_same() -> None:
    delay = FillDelay(seed=1, median_seconds=2.0, p99_seconds=15.0)
    assert delay.of(7) == delay.of(7)
    assert delay.of(7) != delay.of(8)


def test_no_delay_is_no_delay() -> None:
    assert [AT_ONCE.of(order_id) for order_id in range(3)] == [0.0, 0.0, 0.0]
