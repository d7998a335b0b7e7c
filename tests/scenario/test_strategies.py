"""A strategy's alerts against the real chain: it turns, it leaves, and each alert has its effect once."""

import pytest

from execution import selectors
from execution.models import Order, TxIntent
from execution.services import orders
from execution.services.orders import CLOSE_NOT_FILLED
from risk.models import Leg
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Mode
from trading.domain.position import Direction
from trading.domain.units import Price
from trading.models import Event, Position, Signal
from trading.services import mode

SHORT = {"market_position": "short"}


def _open() -> list[tuple[str, str]]:
    return list(Position.objects.open().values_list("book", "direction"))


@pytest.mark.parametrize("wanted", [Mode.LIVE, Mode.DRY])
def test_a_strategy_turns_and_leaves(world: World, wanted: Mode) -> None:
    world.admit(123)
    mode.switch_to(mode=wanted, switch=world.switch, actor="test", reason="", at=world.now)
    book = {Mode.LIVE: "LIVE", Mode.DRY: "PAPER"}[wanted]

    way.alert(world)
    world.run(rounds=4)
    assert _open() == [(book, "LONG")]

    turn = way.alert(world, **SHORT)
    again = way.alert(world, **SHORT)
    world.run(rounds=8)
    assert _open() == [(book, "SHORT")]

    way.alert(world, market_position="flat")
    world.run(rounds=4)
    assert _open() == []
    close, opening = Order.objects.filter(leg__decision__signal=turn).order_by("leg__number")
    assert (close.direction, opening.direction) == (Direction.LONG, Direction.SHORT)
    # The second leg's order is made once the first is filled, under the signal's key and its number.
    assert opening.created_at >= close.ended_at
    assert [intent.intent_key for intent in TxIntent.objects.filter(order__in=(close, opening)).order_by("pk")] == [
        turn.intent_key,
        f"{turn.intent_key}#2",
    ]
    assert Signal.objects.get(pk=again.pk).status == "DENIED"
    assert TxIntent.objects.count() == 4


def test_a_flat_right_after_an_entry_closes_it(world: World) -> None:
    world.admit(123)
    way.alert(world)
    world.work()
    flat = way.alert(world, market_position="flat", ts=int(world.now.timestamp()))

    world.run(rounds=8)

    assert _open() == []
    assert selectors.journey(Signal.objects.get(pk=flat.pk)).stage == "filled"


def test_what_is_not_left_is_not_entered(world: World) -> None:
    world.admit(123)
    way.alert(world)
    world.run(rounds=4)
    turn = way.alert(world, **SHORT)
    world.work()
    close = Order.objects.get(leg__decision__signal=turn)
    Leg.objects.filter(pk=close.leg_id).update(settled_at=world.now)

    orders.take_in(trader_id=turn.trader_id, at=world.now)

    left = Leg.objects.get(decision__signal=turn, number=2)
    assert (left.left_out, left.settled_at, left.next_action_at) == (CLOSE_NOT_FILLED, world.now, None)
    assert Event.objects.get(kind="leg.set_aside").facts["reason"] == CLOSE_NOT_FILLED
    assert Order.objects.filter(leg__decision__signal=turn).count() == 1


def test_levels_in_percent_stand_on_the_venue(world: World) -> None:
    world.admit(123)

    way.alert(world, sl={"type": "pct", "value": "1"}, tp=[{"type": "rr", "value": "2"}])
    world.run(rounds=4)

    order = Order.objects.get()
    assert (order.stop_loss, order.take_profit) == (Price.of(59_400), Price.of(61_200))
    world.set_price("BTC-USD", "59399")
    world.run(rounds=2)
    assert _open() == []


def test_a_test_of_the_path_trades_on_paper_while_the_desk_is_live(world: World) -> None:
    world.admit(123)

    way.alert(world, test=True)
    world.run(rounds=2)

    assert _open() == [("PAPER", "LONG")]
    assert way.nonces(world) == (0, 0)
