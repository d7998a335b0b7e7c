"""The venue's events become orders, fills and positions: once, and only as long as their blocks stand."""

from typing import Any

import pytest
from django.db.models.functions import Reverse

from execution.domain.events import TradeExecuted
from execution.domain.order import OrderStatus
from execution.models import ChainBlock, Cursor, Order
from execution.services import indexing
from execution.services.indexing import ForkTooDeep
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.position import FillKind, PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import Fill, Position


def _state() -> dict[str, Any]:
    """All that the events made, without what they were made of before a reorganization."""
    return {
        "orders": list(Order.objects.order_by("pk").values_list("status", "venue_order_id", "settled_in_block")),
        "positions": list(
            Position.objects.exclude(status=PositionStatus.VOID)
            .order_by("venue_index", "opened_at")
            .values_list("status", "venue_index", "opened_at", "collateral_usdc", "realised_pnl_usdc", "closed_at")
        ),
        "fills": set(Fill.objects.canonical().values_list("block_hash", "log_index", "kind", "payout_usdc")),
    }


def _on_the_chain(world: World) -> set[tuple[str, int]]:
    """Every execution that the chain itself has, whoever indexed what."""
    desk, start = world.desk, ChainBlock.objects.order_by("number").values_list("number", flat=True)[0]
    blocks = desk.chain.blocks(range(start, desk.chain.head().number + 1))
    logs = desk.chain.logs([block.hash for block in blocks.values()], emitters=desk.venue.emitters)
    return {
        (entry.block_hash, entry.log_index)
        for entries in logs
        for entry in entries
        if isinstance(desk.venue.decode(entry), TradeExecuted)
    }


def _read_all_again(world: World) -> None:
    first = ChainBlock.objects.canonical().order_by("number")[0]
    Cursor.objects.update(number=first.number, hash=first.hash)
    way.index(world)


def test_a_mined_order_is_accepted_and_not_yet_filled(world: World) -> None:
    world.admit(123)

    order = way.accept(world).order

    assert (order.status, order.venue_order_id, order.ended_at) == (OrderStatus.ACCEPTED, 1, None)
    assert order.accepted_in_block == world.rpc.call("eth_getBlockByNumber", "latest", False)["hash"]
    assert not Position.objects.exists()


def test_a_filled_order_has_its_position_and_gives_its_room_back(world: World) -> None:
    world.admit(123)

    order = way.fill(world).order

    fill, position = Fill.objects.get(), Position.objects.get()
    assert (order.status, order.position, order.leg.settled_at) == (OrderStatus.FILLED, position, order.ended_at)
    assert (fill.kind, fill.price, fill.collateral_usdc) == (FillKind.OPEN, Price.of(60_006), Usdc.of("49.9325"))
    # 0.045 % of a notional of 150.
    assert (fill.fee_usdc, fill.payout_usdc, fill.realised_pnl_usdc) == (Usdc.of("0.0675"), Usdc.zero(), Usdc.zero())
    assert (position.status, position.entry_price, position.collateral_usdc) == ("OPEN", fill.price, fill.collateral_usdc)


def test_an_order_that_slipped_is_canceled_and_everything_is_paid_back(world: World) -> None:
    trader = world.admit(123)
    before = world.balance(trader.address)
    order = way.accept(world).order
    held = world.balance(trader.address)
    world.keeper.set_price("BTC-USD", "66000")

    for _ in range(17):
        way.keep(world)
    way.drain(world)
    way.index(world)

    order.refresh_from_db()
    assert before - held == Usdc.of(50)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "CANCELED_BY_VENUE")
    assert (order.leg.settled_at, world.balance(trader.address)) == (order.ended_at, before)
    assert not Position.objects.exists()


def test_a_close_that_slipped_leaves_the_position_open(world: World) -> None:
    world.admit(123)
    way.fill(world)
    close = way.accept(world, side="CLOSE").order
    world.keeper.set_price("BTC-USD", "50000")

    for _ in range(17):
        way.keep(world)
    way.index(world)

    close.refresh_from_db()
    assert (close.status, close.reason) == (OrderStatus.CANCELED, "CANCELED_BY_VENUE")
    assert Position.objects.get().status == PositionStatus.OPEN
    assert Position.objects.get().collateral_usdc == Usdc.of("49.9325")


def test_a_liquidation_takes_all_of_the_collateral(world: World) -> None:
    trader = world.admit(123)
    way.fill(world, leverage_x="10")
    before = world.balance(trader.address)
    world.set_price("BTC-USD", "54000")

    way.keep(world)
    way.index(world)

    position, fill = Position.objects.get(), Fill.objects.latest("pk")
    # 50 USDC less the fee of 0.045 % of 500.
    assert (fill.kind, fill.collateral_usdc, fill.payout_usdc) == (FillKind.LIQUIDATION, Usdc.of("49.775"), Usdc.zero())
    assert (position.status, position.realised_pnl_usdc) == (PositionStatus.CLOSED, Usdc.of("-49.775"))
    assert world.balance(trader.address) == before


@pytest.mark.parametrize(
    ("side", "target", "reached", "kind"),
    [
        ("LONG", {"take_profit": "63000"}, "63100", FillKind.TAKE_PROFIT),
        ("SHORT", {"take_profit": "57000"}, "56900", FillKind.TAKE_PROFIT),
        ("LONG", {"stop_loss": "57000"}, "56900", FillKind.STOP_LOSS),
        ("SHORT", {"stop_loss": "63000"}, "63100", FillKind.STOP_LOSS),
    ],
)
def test_a_protection_that_is_reached_closes_and_pays(
    world: World, side: str, target: dict[str, str], reached: str, kind: FillKind
) -> None:
    trader = world.admit(123)
    way.fill(world, side=side, **target)
    before = world.balance(trader.address)
    world.set_price("BTC-USD", reached)

    way.keep(world)
    way.index(world)

    position, fill = Position.objects.get(), Fill.objects.latest("pk")
    assert (position.status, fill.kind) == (PositionStatus.CLOSED, kind)
    assert world.balance(trader.address) - before == fill.payout_usdc
    assert position.realised_pnl_usdc == fill.payout_usdc - Usdc.of("49.9325")
    assert (position.realised_pnl_usdc.raw > 0) is (kind is FillKind.TAKE_PROFIT)


def test_reading_twice_changes_nothing(world: World) -> None:
    world.admit(123)
    way.fill(world)
    way.fill(world, side="CLOSE")
    once, rows = _state(), Fill.objects.count()

    way.index(world)
    _read_all_again(world)

    assert (_state(), Fill.objects.count()) == (once, rows)


def test_a_fill_that_was_reorganized_out_is_taken_back_and_comes_again(world: World) -> None:
    world.admit(123)
    intent = way.fill(world)
    was = Cursor.objects.get()
    way.fork(world)

    way.index(world)

    order = way.fresh(intent).order
    assert (order.status, order.ended_at, order.leg.settled_at) == (OrderStatus.ACCEPTED, None, None)
    assert (Position.objects.get().status, Fill.objects.get().is_canonical) == (PositionStatus.VOID, False)
    assert Cursor.objects.get().number == was.number
    assert Cursor.objects.get().hash != was.hash

    # The keeper's own transaction is gone with the block; it tries again.
    world.keeper._tried_at_block.clear()
    way.keep(world)
    way.index(world)

    assert Order.objects.get().status == OrderStatus.FILLED
    assert Fill.objects.canonical().count() == Position.objects.filter(status=PositionStatus.OPEN).count() == 1
    assert set(Fill.objects.canonical().values_list("block_hash", "log_index")) == _on_the_chain(world)


def test_a_close_that_was_reorganized_out_opens_its_position_again(world: World) -> None:
    world.admit(123)
    way.fill(world)
    way.fill(world, side="CLOSE")
    closed = Position.objects.get().status
    way.fork(world)

    way.index(world)

    position = Position.objects.get()
    assert (closed, position.status, position.closed_at) == (PositionStatus.CLOSED, PositionStatus.OPEN, None)
    assert (position.collateral_usdc, position.realised_pnl_usdc) == (Usdc.of("49.9325"), Usdc.zero())


def test_an_order_whose_own_block_is_gone_is_sent_again_and_filled_once(world: World) -> None:
    world.admit(123)
    intent = way.fill(world)
    # The accepting block and the filling one, replaced by empty ones.
    world.rpc.call("anvil_reorg", 2, [])

    way.index(world)
    taken_back = way.fresh(intent).order
    world.keeper._tried_at_block.clear()
    world.run(rounds=6)

    assert (taken_back.status, taken_back.venue_order_id) == (OrderStatus.SUBMITTED, None)
    assert (way.fresh(intent).status, way.fresh(intent).order.status) == ("FINAL", OrderStatus.FILLED)
    assert way.nonces(world) == (1, 1)
    assert Position.objects.exclude(status=PositionStatus.VOID).count() == Fill.objects.canonical().count() == 1
    assert set(Fill.objects.canonical().values_list("block_hash", "log_index")) == _on_the_chain(world)


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_after_a_reorganization_everything_equals_a_fresh_reading(world: World, depth: int) -> None:
    world.admit(123)
    way.fill(world)
    way.fill(world, side="SHORT", symbol="ETH-USD")
    way.fill(world, side="CLOSE")
    world.mine(2)
    way.index(world)
    world.rpc.call("anvil_reorg", depth, [])

    way.index(world)
    after = _state()
    _read_all_again(world)

    assert _state() == after
    assert set(Fill.objects.canonical().values_list("block_hash", "log_index")) == _on_the_chain(world)
    blocks = ChainBlock.objects.canonical().order_by("number")
    there = world.desk.chain.blocks([block.number for block in blocks])
    assert [block.hash for block in blocks] == [there[block.number].hash for block in blocks]


def test_a_node_that_is_behind_takes_nothing_back(world: World) -> None:
    world.mine(5)
    way.index(world)
    was = Cursor.objects.get()
    world.rpc.call("anvil_rollback", 3)

    way.index(world)

    assert (Cursor.objects.get().number, Cursor.objects.get().hash) == (was.number, was.hash)
    assert not ChainBlock.objects.filter(is_canonical=False).exists()


def test_a_chain_that_has_nothing_of_ours_stops_the_cursor(world: World) -> None:
    world.mine(2)
    way.index(world)
    # A young chain's first block is among those that we know, and no node replaces that one: the database is another chain's.
    for rows in (ChainBlock.objects, Cursor.objects):
        rows.update(hash=Reverse("hash"))
    cursor = Cursor.objects.get()
    was = (cursor.number, cursor.hash)

    with pytest.raises(ForkTooDeep):
        indexing.drain(desk=world.desk, clock=world.clock)

    cursor.refresh_from_db()
    assert (cursor.number, cursor.hash) == was


def test_a_chain_that_is_shorter_and_another_takes_the_cursor_back(world: World) -> None:
    world.mine(5)
    way.index(world)
    world.rpc.call("anvil_rollback", 3)
    # Mined later than ours at its number: another block.
    world.mine()

    way.index(world)

    cursor, head = Cursor.objects.get(), world.desk.chain.head()
    assert (cursor.number, cursor.hash) == (head.number, head.hash)
    assert ChainBlock.objects.filter(is_canonical=False).count() == 3
