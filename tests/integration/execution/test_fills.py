"""What the venue does to a position becomes fills that add up: to its storage, and to the trader's wallet."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from devnet.deploy import DEPLOYER, OPERATOR
from execution.models import Cursor, VenueOrder
from tests.scenario import way
from tests.scenario.hand import BTC, DEPOSIT, WITHDRAW, Hand, raw
from tests.scenario.world import World
from trading.domain.position import FillKind, PositionStatus
from trading.domain.units import Leverage, Price, Usdc
from trading.models import Event, Fill, Position, PositionLevel
from trading.models.position import EARNED, WALLET_GAIN

ONE = 10**10
HOUR = 3600


@pytest.fixture
def hand(world: World) -> Hand:
    """The hand of an admitted trader, at a venue where longs pay shorts."""
    trader = world.admit(123)
    tell(world, DEPLOYER, "PairStorage", "setFunding", BTC, ONE // 100)
    return Hand(rpc=world.rpc, deployment=world.deployment, address=trader.address)


def tell(world: World, sender: str, contract: str, function: str, *arguments: Any) -> None:
    """A call by the venue's own people, mined."""
    call = world.deployment.contract(contract).transaction(function, *arguments)
    world.rpc.call("eth_sendTransaction", {**call, "from": sender, "gas": hex(3_000_000)})
    world.mine()


def read(world: World) -> None:
    """Mine what was sent, let the keeper fill, and read."""
    world.mine()
    way.keep(world)
    way.index(world)


def pass_time(world: World, seconds: int = HOUR) -> None:
    """Let the chain's clock go on."""
    world.now += timedelta(seconds=seconds)
    world.mine()


def there(world: World, hand: Hand, index: int = 0) -> dict[str, Any]:
    """The position as the venue has it."""
    trade: dict[str, Any] = world.deployment.contract("TradingStorage").read(world.rpc, "openTrade", hand.address, BTC, index)
    return trade


def same(world: World, hand: Hand) -> None:
    """Our one open position is the venue's, to the unit."""
    trade, position = there(world, hand), Position.objects.open().get()
    assert (position.collateral_usdc.raw, position.leverage_x.raw, position.entry_price.raw) == (
        trade["initialPosToken"],
        trade["leverage"],
        trade["openPrice"],
    )
    levels = [level.raw if level else 0 for level in (position.take_profit, position.stop_loss)]
    assert levels == [trade["tp"], trade["sl"]]


def wallet_gain(world: World) -> Usdc:
    gain: Usdc = Fill.objects.canonical().aggregate(sum=Sum(WALLET_GAIN))["sum"]
    return gain


def test_an_increase_sets_what_the_venue_keeps(world: World, hand: Hand) -> None:
    before = world.balance(hand.address)
    hand.open(collateral="100", leverage="10")
    read(world)
    pass_time(world)
    world.set_price("BTC-USD", "61000")
    hand.increase(collateral="50", leverage="20", price="61000")
    read(world)

    fill, order = Fill.objects.get(kind=FillKind.INCREASE), VenueOrder.objects.get(kind="INCREASE")
    same(world, hand)
    assert (fill.fee_usdc, fill.collateral_usdc) == (Usdc.of("0.45"), Usdc.of("49.55"))
    assert abs(fill.price - Price.of("61006.1")) <= Price.of("0.001")
    assert fill.realised_pnl_usdc == -(fill.rollover_usdc + fill.funding_usdc)
    assert fill.rollover_usdc.raw > 0 < fill.funding_usdc.raw
    assert world.balance(hand.address) - before == wallet_gain(world) == Usdc.of(-150)
    assert (order.status, order.ended_at) == ("FILLED", fill.filled_at)


@pytest.mark.parametrize(("change", "amount", "gain"), [(DEPOSIT, "30", "-130"), (WITHDRAW, "20.5", "-79.5")])
def test_margin_that_moves_sets_what_the_venue_keeps(world: World, hand: Hand, change: int, amount: str, gain: str) -> None:
    before = world.balance(hand.address)
    hand.open(collateral="100", leverage="10", buy=False)
    read(world)
    pass_time(world)
    hand.margin(amount=amount, change=change)
    read(world)

    fill = Fill.objects.get(kind=FillKind.MARGIN)
    same(world, hand)
    assert (fill.collateral_usdc, fill.payout_usdc) == (Usdc.of(amount), Usdc.of(amount) if change else Usdc.zero())
    # A short is paid what longs pay.
    assert fill.funding_usdc.raw < 0
    assert world.balance(hand.address) - before == wallet_gain(world) == Usdc.of(gain)


def test_a_close_is_split_as_the_venue_split_it(world: World, hand: Hand) -> None:
    before = world.balance(hand.address)
    hand.open(collateral="100", leverage="10")
    read(world)
    pass_time(world)
    hand.close(amount="40")
    world.mine()
    owed = _owed_in_the_next_block(world, hand)
    held = Position.objects.get().collateral_usdc.raw
    way.keep(world)
    way.index(world)

    fill = Fill.objects.get(kind=FillKind.CLOSE)
    part = raw("40")
    assert (fill.rollover_usdc.raw, fill.funding_usdc.raw) == tuple(each * part // held for each in owed)
    assert fill.fee_usdc == Usdc.of("0.18")
    assert fill.price_pnl_usdc - fill.fee_usdc - fill.rollover_usdc - fill.funding_usdc == fill.payout_usdc - Usdc.of(40)
    # Bought at 60,006 and sold at 59,994, 400 dollars of it; percents are whole at their tenth decimal.
    assert abs(fill.price_pnl_usdc - Usdc.of("-0.079992")) <= Usdc.of("0.000001")
    same(world, hand)
    assert world.balance(hand.address) - before == wallet_gain(world)


def _owed_in_the_next_block(world: World, hand: Hand) -> tuple[int, int]:
    """What the venue's own view says, at the time of the block that the keeper will be mined in."""
    call = world.deployment.contract("TradingCallbacks").transaction("getTradeOwed", hand.address, BTC, 0)
    at = int((world.now + timedelta(seconds=2)).timestamp())
    answer = world.rpc.call("eth_call", call, "latest", {}, {"time": hex(at)})
    told = world.deployment.contract("TradingCallbacks").decode("getTradeOwed", bytes.fromhex(answer[2:]))
    return told["rollover"], told["funding"]


def test_what_a_liquidation_took_is_the_prices(world: World, hand: Hand) -> None:
    hand.open(collateral="100", leverage="10")
    read(world)
    pass_time(world)
    world.set_price("BTC-USD", "54000")
    way.keep(world)
    way.index(world)

    fill, position = Fill.objects.get(kind=FillKind.LIQUIDATION), Position.objects.get()
    assert (fill.payout_usdc, fill.fee_usdc) == (Usdc.zero(), Usdc.zero())
    assert fill.price_pnl_usdc == fill.rollover_usdc + fill.funding_usdc - fill.collateral_usdc
    assert (position.status, position.realised_pnl_usdc) == (PositionStatus.CLOSED, -fill.collateral_usdc)


def test_levels_are_the_venues_last_word_until_a_reorganization(world: World, hand: Hand) -> None:
    hand.open(collateral="100", leverage="10", sl="58000")
    read(world)
    same(world, hand)
    tell(world, OPERATOR, "TradingRouter", "updateTpSl", hand.address, BTC, 0, 63_000 * ONE, 60_500 * ONE)
    way.index(world)
    same(world, hand)
    position = Position.objects.get()
    assert (position.take_profit, position.stop_loss) == (Price.of(63_000), Price.of(60_500))

    way.fork(world)
    way.index(world)

    same(world, hand)
    assert Position.objects.get().stop_loss == Price.of(58_000)
    assert PositionLevel.objects.filter(is_canonical=False).count() == 2


def test_an_increase_that_was_reorganized_out_leaves_what_was_before(world: World, hand: Hand) -> None:
    hand.open(collateral="100", leverage="10")
    read(world)
    was = Position.objects.get()
    hand.increase(collateral="50", leverage="20")
    read(world)
    way.fork(world)
    way.index(world)

    now = Position.objects.get()
    assert (now.collateral_usdc, now.leverage_x, now.entry_price) == (was.collateral_usdc, was.leverage_x, was.entry_price)
    same(world, hand)


def test_a_slot_used_again_is_never_mixed_up(world: World, hand: Hand) -> None:
    start = Cursor.objects.get()
    for collateral in ("100", "90"):
        hand.open(collateral=collateral, leverage="10")
        read(world)
        hand.close(amount=Usdc(there(world, hand)["initialPosToken"]))
        read(world)
    hand.open(collateral="80", leverage="10")
    read(world)
    once = list(Position.objects.order_by("opened_at").values())

    Cursor.objects.update(number=start.number, hash=start.hash)
    way.index(world)

    assert list(Position.objects.order_by("opened_at").values()) == once
    assert [each["status"] for each in once] == ["CLOSED", "CLOSED", "OPEN"]
    same(world, hand)


def test_a_close_without_its_opening_waits_for_it(world: World, hand: Hand) -> None:
    start = Cursor.objects.get()
    hand.open(collateral="100", leverage="10")
    world.mine()
    way.keep(world)
    _skip_to_the_head(world)
    hand.close(amount="40")
    read(world)
    lonely = Position.objects.get()

    Cursor.objects.update(number=start.number, hash=start.hash)
    way.index(world)

    assert (lonely.status, Event.objects.filter(kind="venue.position_unknown").count()) == (PositionStatus.VOID, 1)
    assert (Position.objects.get().status, Fill.objects.count()) == (PositionStatus.OPEN, 2)
    same(world, hand)


def _skip_to_the_head(world: World) -> None:
    head = world.desk.chain.head()
    Cursor.objects.update(number=head.number, hash=head.hash)


def test_what_was_earned_is_the_sum_of_the_parts(world: World, hand: Hand) -> None:
    before = world.balance(hand.address)
    hand.open(collateral="100", leverage="10")
    read(world)
    pass_time(world)
    hand.margin(amount="10")
    read(world)
    hand.close(amount=Usdc(there(world, hand)["initialPosToken"]))
    read(world)

    earned = Fill.objects.canonical().aggregate(sum=Sum(EARNED))["sum"]
    assert world.balance(hand.address) - before == earned == wallet_gain(world)
    assert Leverage.of(10) > Fill.objects.get(kind=FillKind.MARGIN).leverage_x
