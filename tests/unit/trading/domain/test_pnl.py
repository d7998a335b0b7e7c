"""What an open position is worth, by hand-made figures; that it is the venue's to the unit is seen on a chain."""

from datetime import timedelta

import pytest

from trading.domain import pnl
from trading.domain.pnl import Owed
from trading.domain.position import Direction, Held
from trading.domain.units import Leverage, Percent, Price, Usdc

LONG, SHORT = Direction
HELD = Held(collateral=Usdc.of(100), leverage=Leverage.of(10), entry=Price.of(60_000))


@pytest.mark.parametrize(
    ("direction", "owed", "price"),
    [
        (LONG, "0", 54_900),
        (SHORT, "0", 65_100),
        (LONG, "25", 56_400),
        (SHORT, "25", 63_600),
        (LONG, "-15", 54_000),
        (LONG, "85", 60_000),
        (SHORT, "200", 60_000),
    ],
)
def test_liquidation_comes_nearer_by_what_is_owed(direction: Direction, owed: str, price: int) -> None:
    assert pnl.liquidation_price(HELD, direction=direction, owed=Usdc.of(owed)) == Price.of(price)


def test_a_long_without_leverage_ends_at_no_less_than_nothing() -> None:
    held = Held(collateral=Usdc.of(100), leverage=Leverage.of(1), entry=Price.of(60_000))
    assert pnl.liquidation_price(held, direction=LONG, owed=Usdc.of(-50)) == Price.zero()


@pytest.mark.parametrize(
    ("direction", "liquidation", "percent"),
    [(LONG, 54_000, "10"), (SHORT, 66_000, "10"), (LONG, 61_000, "0"), (SHORT, 59_000, "0")],
)
def test_the_distance_is_a_share_of_the_price(direction: Direction, liquidation: int, percent: str) -> None:
    found = pnl.distance(Price.of(60_000), liquidation=Price.of(liquidation), direction=direction)
    assert found == Percent.of(percent)


@pytest.mark.parametrize(("direction", "price", "gain"), [(LONG, 60_600, "10"), (LONG, 59_400, "-10"), (SHORT, 59_400, "10")])
def test_a_gain_is_the_move_times_the_leverage(direction: Direction, price: int, gain: str) -> None:
    assert pnl.gain(HELD, direction=direction, price=Price.of(price)) == Usdc.of(gain)


def test_a_loss_is_rounded_toward_zero() -> None:
    held = Held(collateral=Usdc.from_raw(3), leverage=Leverage.of(1), entry=Price.of(3))
    assert pnl.gain(held, direction=LONG, price=Price.of(2)) == Usdc.zero()


def test_what_is_owed_is_counted_on_the_notional() -> None:
    found = pnl.owed(HELD, direction=SHORT, rollover=Percent.of("0.01"), funding=Percent.of("0.02"), elapsed=timedelta(hours=3))
    assert found == Owed(rollover=Usdc.of("0.3"), funding=Usdc.of("-0.6"))
    assert found.total == Usdc.of("-0.3")


def test_what_closing_would_bring_is_the_sum_of_its_parts() -> None:
    owed = Owed(rollover=Usdc.of("0.3"), funding=Usdc.of("0.2"))
    found = pnl.unrealised(HELD, direction=LONG, price=Price.of(60_600), owed=owed, close_fee=Percent.of("0.05"))
    assert (found.price, found.close_fee, found.net) == (Usdc.of(10), Usdc.of("0.5"), Usdc.of(9))
