"""Our arithmetic of an open position is the contract's, to the unit."""

import random
from datetime import timedelta
from typing import Any

import pytest

from devnet.deploy import DEPLOYER
from devnet.markets import ROLLOVER_PER_HOUR_P
from tests.integration.execution.test_fills import tell
from tests.scenario import way
from tests.scenario.hand import BTC, Hand
from tests.scenario.world import World
from trading.domain import pnl
from trading.domain.pnl import Owed
from trading.domain.position import Direction, Held
from trading.domain.units import Percent, Price, Usdc
from trading.models import Market, Position

SEED = 7


def _asked(world: World, view: str, hand: Hand) -> Any:
    return world.deployment.contract("TradingCallbacks").read(world.rpc, view, hand.address, BTC, 0)


def _held(position: Position) -> Held:
    return Held(collateral=position.collateral_usdc, leverage=position.leverage_x, entry=position.entry_price)


@pytest.mark.parametrize("number", range(8))
def test_costs_and_liquidation_are_the_contracts(world: World, number: int) -> None:
    draw = random.Random(f"{SEED}:{number}")
    rate = draw.randint(-(10**10), 10**10)
    hand = Hand(rpc=world.rpc, deployment=world.deployment, address=world.admit(123).address)
    tell(world, DEPLOYER, "PairStorage", "setFunding", BTC, rate)
    amount, leverage = Usdc(draw.randint(15_000_000, 900_000_000)), f"{draw.randint(11, 400) / 10:.1f}"
    hand.open(collateral=str(amount), leverage=leverage, buy=number % 2 == 0)
    world.mine()
    way.keep(world)
    way.index(world)
    position = Position.objects.get()
    direction, held = Direction(position.direction), _held(position)

    elapsed = timedelta(seconds=draw.randint(10, 100_000))
    # The chain counts whole seconds, from the block of the opening on.
    world.now = position.opened_at + elapsed - timedelta(seconds=2)
    world.mine()
    rates = {"rollover": Percent(ROLLOVER_PER_HOUR_P), "funding": Percent(rate)}
    owed = pnl.owed(held, direction=direction, elapsed=elapsed, **rates)

    there = _asked(world, "getTradeOwed", hand)
    assert owed == Owed(rollover=Usdc(there["rollover"]), funding=Usdc(there["funding"]))
    liquidation = pnl.liquidation_price(held, direction=direction, owed=owed.total)
    assert liquidation == Price(_asked(world, "getTradeLiquidationPrice", hand))


@pytest.mark.parametrize("buy", [True, False])
def test_what_closing_would_bring_is_what_it_brings(world: World, buy: bool) -> None:
    trader = world.admit(123)
    hand = Hand(rpc=world.rpc, deployment=world.deployment, address=trader.address)
    tell(world, DEPLOYER, "PairStorage", "setFunding", BTC, 10**8)
    hand.open(collateral="123.456789", leverage="7.3", buy=buy)
    world.mine()
    way.keep(world)
    way.index(world)
    position = Position.objects.get()
    hand.close(amount=position.collateral_usdc, price="60000")
    world.mine()
    before = world.balance(trader.address)
    way.keep(world)
    elapsed = timedelta(seconds=4)

    direction, market = Direction(position.direction), Market.objects.get(pk=position.market_id)
    rates = {"rollover": Percent(ROLLOVER_PER_HOUR_P), "funding": Percent(10**8)}
    owed = pnl.owed(_held(position), direction=direction, elapsed=elapsed, **rates)
    price = Price.of("59994") if buy else Price.of("60006")
    worth = pnl.unrealised(_held(position), direction=direction, price=price, owed=owed, close_fee=market.close_fee_pct)

    assert world.balance(trader.address) - before == position.collateral_usdc + worth.net
