"""Every dollar to the unit: what is realised equals what the venue paid and what the wallet gained."""

import random

import pytest
from django.test import Client

from execution.domain.order import OrderStatus
from execution.models import Order
from tests.integration.devnet import arithmetic
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.position import PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import Fill, Position

SEED = 20_260_901


def test_a_close_by_percent_takes_that_share_rounded_down(world: World) -> None:
    world.admit(123)
    way.fill(world, collateral_usdc="33.333333", leverage_x="7")
    held = Position.objects.get().collateral_usdc

    way.fill(world, side="CLOSE", reduce_pct="33.3")

    share = Usdc(held.raw * 333 // 1000)
    position, fill = Position.objects.get(), Fill.objects.latest("pk")
    assert (fill.collateral_usdc, position.collateral_usdc) == (share, held - share)
    assert (position.status, position.realised_pnl_usdc) == (PositionStatus.OPEN, fill.payout_usdc - share)


def test_a_close_by_dollars_takes_exactly_them(world: World) -> None:
    trader = world.admit(123)
    way.fill(world)
    before = world.balance(trader.address)

    way.fill(world, side="CLOSE", reduce_usdc="12.345678")

    position, fill = Position.objects.get(), Fill.objects.latest("pk")
    assert fill.collateral_usdc == Usdc.of("12.345678")
    assert position.collateral_usdc == Usdc.of("49.9325") - Usdc.of("12.345678")
    assert world.balance(trader.address) - before == fill.payout_usdc


def test_parts_add_up_to_the_whole(world: World) -> None:
    trader = world.admit(123)
    before = world.balance(trader.address)
    way.fill(world, collateral_usdc="50", leverage_x="3")
    for part in ({"reduce_pct": "25"}, {"reduce_usdc": "10.000001"}, {"reduce_pct": "50"}, {}):
        way.fill(world, side="CLOSE", **part)

    position = Position.objects.get()
    closings = Fill.objects.exclude(kind="OPEN")
    assert (position.status, position.collateral_usdc) == (PositionStatus.CLOSED, Usdc.zero())
    assert closings.count() == 4
    assert sum(fill.collateral_usdc.raw for fill in closings) == Usdc.of("49.9325").raw
    assert position.realised_pnl_usdc.raw == sum(fill.payout_usdc.raw for fill in closings) - Usdc.of("49.9325").raw
    assert world.balance(trader.address) - before == position.realised_pnl_usdc - Usdc.of("0.0675")


def test_a_close_over_several_positions_takes_the_oldest_first(world: World) -> None:
    world.admit(123)
    for _ in range(2):
        way.fill(world)

    way.owe(world, side="CLOSE", reduce_usdc="60")
    world.run(rounds=4)

    older, younger = Position.objects.order_by("opened_at")
    assert (older.status, older.collateral_usdc) == (PositionStatus.CLOSED, Usdc.zero())
    assert (younger.status, younger.collateral_usdc) == (PositionStatus.OPEN, Usdc.of("39.865"))
    assert Order.objects.filter(action="CLOSE", status=OrderStatus.FILLED).count() == 2


@pytest.mark.parametrize("number", range(10))
def test_a_round_trip_of_any_size_is_exact(world: World, client: Client, number: int) -> None:
    draw = random.Random(f"{SEED}:{number}")
    side = draw.choice(["LONG", "SHORT"])
    collateral = Usdc(draw.randint(15_000_000, 900_000_000))
    leverage = f"{draw.randint(10, 200) / 10:.1f}"
    # Within what neither liquidates at 20 times nor reaches the gain's cap.
    entry, exit_price = (f"{draw.randint(5_900_000, 6_100_000) / 100:.2f}" for _ in range(2))
    trader = world.admit(123)
    before = world.balance(trader.address)
    world.set_price("BTC-USD", entry)

    world.work()
    way.fill(world, side=side, collateral_usdc=str(collateral), leverage_x=leverage)
    world.set_price("BTC-USD", exit_price)
    world.work()
    way.fill(world, side="CLOSE", slippage_pct="5")

    opening, closing = Fill.objects.order_by("pk")
    position = Position.objects.get()
    there = arithmetic.opened(
        collateral=collateral.raw,
        leverage=position.leverage_x.raw,
        oracle=Price.of(entry).raw,
        buy=side == "LONG",
    )
    seconds = int((closing.filled_at - opening.filled_at).total_seconds())
    paid = arithmetic.closed(there, amount=there.collateral, oracle=Price.of(exit_price).raw, seconds=seconds)
    assert (opening.collateral_usdc.raw, opening.price.raw, opening.fee_usdc.raw) == (
        there.collateral,
        there.price,
        there.fee,
    )
    assert (closing.payout_usdc.raw, closing.price.raw) == (paid.sent, paid.price)
    assert position.realised_pnl_usdc == closing.payout_usdc - opening.collateral_usdc
    assert world.balance(trader.address) - before == closing.payout_usdc - collateral
    assert position.realised_pnl_usdc - opening.fee_usdc == world.balance(trader.address) - before
