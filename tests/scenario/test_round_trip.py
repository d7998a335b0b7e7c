"""A signal's whole way: door, decision, intent, transaction, fill, position, and back."""

import pytest
from django.test import Client

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxSend
from tests.scenario.world import World
from trading.domain.position import PositionStatus
from trading.domain.units import Usdc
from trading.models import Fill, Position, Signal


def test_a_signed_signal_becomes_a_position(world: World, client: Client) -> None:
    trader = world.admit(123)

    answer = world.send(client, signal_id="first")
    world.run(rounds=6)

    assert answer.status_code == 202
    position = Position.objects.get()
    assert (position.trader, position.status, position.direction) == (trader, PositionStatus.OPEN, "LONG")
    # 50 USDC less the open fee of 0.045 % on a notional of 150.
    assert position.collateral_usdc == Usdc.of("49.9325")
    assert Order.objects.get().status == OrderStatus.FILLED
    assert TxIntent.objects.get().status == IntentStatus.FINAL
    assert Signal.objects.get().intent_key == "sig:test:first"


@pytest.mark.parametrize("side", ["LONG", "SHORT"])
@pytest.mark.parametrize("exit_price", ["57000", "60000", "63500.55"])
def test_what_is_realised_is_what_the_venue_paid(world: World, client: Client, side: str, exit_price: str) -> None:
    trader = world.admit(123)
    before = world.balance(trader.address)
    world.send(client, side=side, collateral_usdc="123.456789", leverage_x="7.5")
    world.run(rounds=4)
    world.set_price("BTC-USD", exit_price)

    world.send(client, side="CLOSE", slippage_pct="5")
    world.run(rounds=4)

    position = Position.objects.get()
    assert position.status == PositionStatus.CLOSED
    opening, closing = Fill.objects.order_by("id")
    assert world.balance(trader.address) - before == closing.payout_usdc - Usdc.of("123.456789")
    assert position.realised_pnl_usdc == closing.payout_usdc - opening.collateral_usdc


def test_the_same_signal_again_is_one_intent(world: World, client: Client) -> None:
    world.admit(123)

    statuses = [world.send(client, signal_id="same").status_code for _ in range(3)]
    world.run(rounds=3)

    assert statuses == [202, 200, 200]
    assert TxIntent.objects.count() == TxSend.objects.count() == Position.objects.count() == 1


def test_a_hundred_signals_of_ten_traders_end_each_in_its_own_way(world: World, client: Client) -> None:
    traders = [world.admit(100 + each) for each in range(10)]
    for each in range(100):
        world.send(client, tg_user_id=traders[each % 10].tg_user_id, signal_id=f"burst-{each}")

    world.run(rounds=40)

    assert set(Order.objects.values_list("status", flat=True)) <= {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.DENIED}
    assert Order.objects.count() == 100
    assert Position.objects.count() == Order.objects.filter(status=OrderStatus.FILLED).count()
    sender = TxIntent.objects.select_related("sender").first().sender
    assert world.chain_nonce() == sender.next_nonce == TxIntent.objects.filter(status=IntentStatus.FINAL).count()
