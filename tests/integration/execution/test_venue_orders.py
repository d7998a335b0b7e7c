"""Every order that the venue registers for a followed trader is a row, with what became of it: ours and others'."""

import pytest

from execution.adapters.veranta import transfers
from execution.domain.venue_order import VenueOrderKind, VenueOrderStatus
from execution.models import Cursor, VenueOrder
from tests.scenario import way
from tests.scenario.hand import LIMIT, Hand
from tests.scenario.world import World
from trading.domain.position import Direction
from trading.domain.units import Leverage, Price, Usdc
from trading.models import Event

PENDING, FILLED, CANCELED, REPLACED = VenueOrderStatus


@pytest.fixture
def hand(world: World) -> Hand:
    """The hand of an admitted trader."""
    return Hand(rpc=world.rpc, deployment=world.deployment, address=world.admit(123).address)


def _mined(world: World, blocks: int = 1) -> None:
    world.mine(blocks)
    way.index(world)


def _kept(world: World) -> None:
    way.keep(world)
    way.index(world)


def _states() -> list[tuple[str, str, bool]]:
    rows = VenueOrder.objects.order_by("block_number", "log_index")
    return [(row.kind, row.status, row.is_canonical) for row in rows]


def test_an_order_of_ours_is_pending_and_then_filled(world: World) -> None:
    trader = world.admit(123)
    intent = way.accept(world)

    order = VenueOrder.objects.get()
    assert (order.trader, order.kind, order.venue_order_id, order.ordinal) == (trader, VenueOrderKind.OPEN, 1, 0)
    assert (order.pair_index, order.direction, order.collateral_usdc) == (1, Direction.LONG, Usdc.of(50))
    assert (order.leverage_x, order.status, order.ended_at) == (Leverage.of(3), PENDING, None)
    assert order.tx_hash == intent.sends.get().tx_hash
    assert order.block_hash == intent.order.accepted_in_block

    _kept(world)

    order.refresh_from_db()
    assert (order.status, order.ended_in_block, order.ended_at) == (
        FILLED,
        Cursor.objects.get().hash,
        world.now.replace(microsecond=0),
    )


def test_an_order_by_the_traders_own_hand_is_a_row_too(world: World, hand: Hand) -> None:
    tx_hash = hand.open(collateral="40", price="60010")
    _mined(world)

    order = VenueOrder.objects.get()
    assert (order.tx_hash, order.kind, order.collateral_usdc) == (tx_hash, VenueOrderKind.OPEN, Usdc.of(40))
    assert order.wanted_price == Price.of(60_010)


def test_a_close_and_its_open_are_two(world: World, hand: Hand) -> None:
    hand.open(collateral="40")
    _mined(world)
    _kept(world)
    hand.close(amount="10")
    _mined(world)
    _kept(world)

    assert _states() == [("OPEN", FILLED, True), ("CLOSE", FILLED, True)]


def test_a_limit_that_its_price_reaches_is_filled(world: World, hand: Hand) -> None:
    hand.open(collateral="40", price="59000", kind=LIMIT)
    _mined(world)
    placed = VenueOrder.objects.get()
    assert (placed.kind, placed.venue_order_id, placed.venue_index) == (VenueOrderKind.LIMIT, None, 0)
    assert (placed.wanted_price, placed.status) == (Price.of(59_000), PENDING)

    world.set_price("BTC-USD", "58999")
    _kept(world)

    assert _states() == [("LIMIT", FILLED, True)]


def test_new_terms_of_a_limit_are_a_row_of_their_own(world: World, hand: Hand) -> None:
    hand.open(collateral="40", price="59000", kind=LIMIT)
    _mined(world)
    hand.update_limit(price="58000")
    _mined(world)
    hand.cancel_limit()
    _mined(world)

    assert _states() == [("LIMIT", REPLACED, True), ("LIMIT", CANCELED, True)]
    newest = VenueOrder.objects.latest("pk")
    assert (newest.wanted_price, newest.collateral_usdc, newest.leverage_x) == (Price.of(58_000), Usdc.of(40), Leverage.of(3))


def test_a_place_used_again_is_another_limit_whenever_it_is_read(world: World, hand: Hand) -> None:
    start = Cursor.objects.get()
    for price in ("59000", "58000"):
        hand.open(collateral="40", price=price, kind=LIMIT)
        _mined(world)
        hand.cancel_limit()
        _mined(world)
    hand.open(collateral="40", price="57000", kind=LIMIT)
    _mined(world)
    once = _states()

    Cursor.objects.update(number=start.number, hash=start.hash)
    way.index(world)

    assert once == _states() == [("LIMIT", CANCELED, True), ("LIMIT", CANCELED, True), ("LIMIT", PENDING, True)]


def _given_up(world: World) -> None:
    world.keeper.set_price("BTC-USD", "66000")
    for _ in range(17):
        way.keep(world)


def test_what_is_given_up_is_canceled_once_its_refund_is_seen(world: World, hand: Hand) -> None:
    hand.open(collateral="40")
    _mined(world)
    _given_up(world)
    way.index(world)

    assert _states() == [("OPEN", CANCELED, True)]
    assert not Event.objects.filter(kind="venue.refund_unseen").exists()


@pytest.mark.parametrize("seen", ["0", "39.999999"])
def test_a_cancellation_whose_refund_is_not_seen_asks_for_a_person(
    world: World, hand: Hand, monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    hand.open(collateral="40")
    _mined(world)
    _given_up(world)
    monkeypatch.setattr(transfers, "between", lambda *_, **__: Usdc.of(seen))
    way.index(world)

    facts = Event.objects.get(kind="venue.refund_unseen").facts
    assert (facts["put_up_usdc"], facts["refund_usdc"]) == ("40", seen)
    assert _states() == [("OPEN", CANCELED, True)]


def test_a_reorganization_makes_it_pending_again_and_then_nothing(world: World, hand: Hand) -> None:
    hand.open(collateral="40")
    _mined(world)
    _kept(world)
    way.fork(world)
    way.index(world)
    filling_gone = _states()
    way.fork(world, depth=2)
    way.index(world)

    assert filling_gone == [("OPEN", PENDING, True)]
    assert _states() == [("OPEN", PENDING, False)]


def test_orders_of_two_transactions_are_each_the_first(world: World) -> None:
    first, second = (
        Hand(rpc=world.rpc, deployment=world.deployment, address=world.admit(number).address) for number in (123, 124)
    )
    first.open(collateral="40")
    second.open(collateral="30")
    _mined(world)

    assert set(VenueOrder.objects.values_list("collateral_usdc", "ordinal")) == {(Usdc.of(40), 0), (Usdc.of(30), 0)}


def test_nobody_elses_order_is_kept(world: World) -> None:
    stranger = Hand(rpc=world.rpc, deployment=world.deployment, address="0x" + "77" * 20)
    stranger.fund("100")
    stranger.open(collateral="40")
    _mined(world)

    assert not VenueOrder.objects.exists()
