"""Books against the venue, on a chain: each thing behind our back gives exactly its difference, and a second look nothing new."""

from dataclasses import replace
from typing import Any

import pytest

from devnet.deploy import OPERATOR
from execution.adapters.rpc import RpcChain
from execution.domain.reconciliation import DifferenceState
from execution.models import AccountLook, Cursor, Difference, WalletFlow
from execution.services import indexing, reconciliation
from tests.fakes.node import Node
from tests.scenario import way
from tests.scenario.hand import BTC, LIMIT, Hand
from tests.scenario.world import World
from trading.domain.position import FillKind, Origin, PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import Event, Fill, Position, Trader

NOBODY = "0x00000000000000000000000000000000000000aA"


@pytest.fixture
def trader(world: World) -> Trader:
    return world.admit(123)


@pytest.fixture
def hand(world: World, trader: Trader) -> Hand:
    """The trader's own hand, beside the desk."""
    world.rpc.call("anvil_setBalance", trader.address, hex(10**20))
    world.rpc.call("anvil_impersonateAccount", trader.address)
    return Hand(rpc=world.rpc, deployment=world.deployment, address=trader.address)


def usdc(world: World, function: str, *arguments: Any, sender: str) -> None:
    call = world.deployment.contract("Usdc").transaction(function, *arguments)
    world.rpc.call("eth_sendTransaction", {**call, "from": sender, "gas": hex(10**6)})
    world.mine()


def done(world: World) -> None:
    """What was sent by hand, mined and filled by the keeper."""
    world.mine()
    way.keep(world)


def look(world: World, times: int = 1, *, is_reading: bool = True) -> list[tuple[str, str]]:
    """Look at every account so often, a block apart; what differs then, and how sure that is."""
    for _ in range(times):
        world.mine()
        if is_reading:
            way.index(world)
        traders = list(Trader.objects.values_list("pk", flat=True))
        reconciliation.look(traders, desk=world.desk, clock=world.clock)
    return list(Difference.objects.unresolved().order_by("kind").values_list("kind", "state"))


def forget(world: World) -> None:
    """Let the reading begin at the head, as if nothing before it had been read: what is there now is behind our back."""
    head = world.desk.chain.head()
    Cursor.objects.filter(stream=indexing.STREAM).delete()
    assert indexing.start(desk=world.desk).number == head.number


CONFIRMED = str(DifferenceState.CONFIRMED)


def test_an_account_that_trades_by_signals_never_differs(world: World, trader: Trader) -> None:
    look(world)
    for step in ({"leverage_x": "5"}, {"side": "CLOSE", "reduce_pct": "40"}, {"side": "CLOSE"}):
        way.accept(world, **step)
        assert look(world) == []
        way.keep(world)
        assert look(world, 2) == []

    row = AccountLook.objects.get()
    assert (row.trader, row.balance_usdc, row.positions, row.orders, row.waits_for) == (
        trader,
        world.balance(trader.address),
        0,
        0,
        "",
    )
    assert not WalletFlow.objects.exists()


def test_a_position_opened_by_hand_is_read_and_is_its_owners(world: World, hand: Hand) -> None:
    look(world)
    hand.open(collateral="40")
    done(world)

    assert look(world, 2) == []
    assert Position.objects.get().origin == Origin.EXTERNAL
    assert not WalletFlow.objects.exists()


def test_what_the_owner_does_by_hand_is_explained_to_the_unit(world: World, trader: Trader, hand: Hand) -> None:
    way.fill(world, leverage_x="5")
    look(world)
    for act in (
        lambda: hand.increase(collateral="25"),
        lambda: hand.margin(amount="10"),
        lambda: hand.open(collateral="30", price="50000", kind=LIMIT),
        hand.cancel_limit,
        lambda: hand.close(amount="13.37"),
    ):
        act()
        world.mine()
        assert look(world) == []
        done(world)
        assert look(world, 2) == []

    assert not WalletFlow.objects.exists()


def test_a_position_that_was_never_read_is_adopted_once(world: World, hand: Hand) -> None:
    hand.open(collateral="40", tp="70000", sl="55000")
    done(world)
    forget(world)

    first = look(world)
    assert (first, Position.objects.count()) == ([("POSITION_UNKNOWN", "SEEN")], 0)
    assert look(world, 3) == []

    position, fill = Position.objects.get(), Fill.objects.get()
    assert (position.origin, position.status, position.collateral_usdc) == (Origin.EXTERNAL, "OPEN", Usdc.of("39.946"))
    assert (position.entry_price, position.take_profit, position.stop_loss) == (
        Price.of(60_006),
        Price.of(70_000),
        Price.of(55_000),
    )
    assert (fill.kind, fill.fee_usdc, fill.realised_pnl_usdc) == (FillKind.ADOPTED, Usdc.zero(), Usdc.zero())
    row = Difference.objects.get()
    assert (row.kind, row.state, row.resolution) == ("POSITION_UNKNOWN", "RESOLVED", "adopted")
    assert not WalletFlow.objects.exists()


def test_an_adopted_position_is_closed_like_any_other(world: World, hand: Hand) -> None:
    hand.open(collateral="40")
    done(world)
    forget(world)
    look(world, 3)

    way.fill(world, side="CLOSE")

    assert look(world, 2) == []
    assert Position.objects.get().status == PositionStatus.CLOSED
    assert [fill.kind for fill in Fill.objects.order_by("pk")] == ["ADOPTED", "CLOSE"]


def test_what_was_adopted_counts_once_when_its_opening_is_read_after_all(world: World, hand: Hand) -> None:
    start = Cursor.objects.get(stream=indexing.STREAM)
    hand.open(collateral="40")
    done(world)
    forget(world)
    look(world, 3)
    adopted = Position.objects.get()

    Cursor.objects.filter(stream=indexing.STREAM).update(number=start.number, hash=start.hash)
    way.index(world)

    position = Position.objects.get()
    assert position.pk == adopted.pk
    assert list(Fill.objects.order_by("pk").values_list("kind", "is_canonical")) == [("ADOPTED", False), ("OPEN", True)]
    assert (position.collateral_usdc, position.entry_price) == (adopted.collateral_usdc, adopted.entry_price)
    assert look(world, 2) == []


def test_a_position_closed_while_nobody_read_is_gone(world: World, hand: Hand) -> None:
    way.fill(world)
    look(world)
    hand.close(amount="49.9325")
    done(world)
    forget(world)

    assert look(world) == [("POSITION_GONE", "SEEN")]
    assert look(world, 2) == [("POSITION_GONE", CONFIRMED)]
    assert Position.objects.get().status == PositionStatus.OPEN
    assert Event.objects.filter(kind="reconciliation.differs").count() == 1


def test_a_part_closed_while_nobody_read_is_another_amount(world: World, hand: Hand) -> None:
    way.fill(world)
    look(world)
    hand.close(amount="20")
    done(world)
    forget(world)

    assert look(world, 3) == [("POSITION_AMOUNT", CONFIRMED)]
    row = Difference.objects.get()
    assert (row.ours, row.theirs) == ("LONG 49.9325 USDC at 3x", "LONG 29.9325 USDC at 3x")


def test_books_that_lag_are_compared_at_their_own_block(world: World, hand: Hand) -> None:
    way.fill(world)
    look(world)
    hand.close(amount="49.9325")
    done(world)

    assert look(world, 2, is_reading=False) == []
    world.mine(reconciliation.MAX_LAG_BLOCKS)
    assert look(world, is_reading=False) == []
    assert AccountLook.objects.get().waits_for == reconciliation.LAGS
    assert look(world, 2) == []
    assert Position.objects.get().status == PositionStatus.CLOSED


def _move_levels(world: World, trader: Trader, *, target: str, stop: str) -> None:
    """Somebody moves both levels at the venue."""
    levels = (Price.of(target).raw, Price.of(stop).raw)
    call = world.deployment.contract("TradingRouter").transaction("updateTpSl", trader.address, BTC, 0, *levels)
    world.rpc.call("eth_sendTransaction", {**call, "from": OPERATOR, "gas": hex(10**6)})
    world.mine()


def test_levels_that_were_moved_unread_differ(world: World, trader: Trader) -> None:
    way.fill(world, take_profit="70000", stop_loss="55000")
    _move_levels(world, trader, target="71000", stop="56000")
    assert look(world, 2) == []
    _move_levels(world, trader, target="71000", stop="57000")
    forget(world)

    assert look(world, 3) == [("LEVELS", CONFIRMED)]
    assert (Difference.objects.get().ours, Difference.objects.get().theirs) == (
        "target 71000, stop 56000",
        "target 71000, stop 57000",
    )
    _move_levels(world, trader, target="71000", stop="56000")
    assert look(world) == []


def test_an_allowance_that_is_low_differs_until_it_is_raised(world: World, trader: Trader) -> None:
    world.allow(123, usdc="99")

    assert look(world, 2) == [("ALLOWANCE_LOW", CONFIRMED)]
    world.allow(123, usdc="100")
    assert look(world) == []
    row = Difference.objects.get()
    assert (row.state, row.resolution, row.theirs) == ("RESOLVED", "gone", "99 USDC")


def test_transfers_of_the_owner_are_flows_and_no_difference(world: World, trader: Trader, hand: Hand) -> None:
    way.fill(world)
    look(world)

    usdc(world, "mint", trader.address, 70_000_000, sender=trader.address)
    assert look(world) == []
    usdc(world, "transfer", NOBODY, 25_500_000, sender=trader.address)
    way.fill(world, side="CLOSE")
    assert look(world, 3) == []

    assert list(WalletFlow.objects.order_by("pk").values_list("amount_usdc", "transferred_usdc")) == [
        (Usdc.of(70), Usdc.of(70)),
        (Usdc.of("-25.5"), Usdc.of("-25.5")),
    ]


def test_money_that_nothing_explains_is_missing(world: World, trader: Trader) -> None:
    way.fill(world)
    look(world)
    way.fill(world, side="CLOSE")
    # As if the venue had said that it paid more than it did.
    fill = Fill.objects.get(kind="CLOSE")
    Fill.objects.filter(pk=fill.pk).update(
        price_pnl_usdc=fill.price_pnl_usdc + Usdc.of(3), realised_pnl_usdc=fill.realised_pnl_usdc + Usdc.of(3)
    )

    assert look(world, 3) == [("BALANCE", CONFIRMED)]
    assert Difference.objects.get().theirs == "-3 USDC"
    assert not WalletFlow.objects.exists()


def test_a_reorganization_in_the_middle_differs_in_nothing(world: World, hand: Hand) -> None:
    look(world)
    way.accept(world)
    look(world)
    way.keep(world)
    look(world)
    way.fork(world, depth=2)

    assert look(world, is_reading=False) == []
    assert look(world, 2) == []
    world.run(rounds=3)
    assert look(world, 2) == []
    assert not WalletFlow.objects.exists()


def test_a_position_that_was_adopted_goes_with_its_block(world: World, hand: Hand) -> None:
    hand.open(collateral="40")
    done(world)
    forget(world)
    world.mine(2)
    look(world, 2)
    assert Position.objects.get().status == PositionStatus.OPEN

    way.fork(world, depth=1)
    look(world, 1)

    assert Position.objects.get().status == PositionStatus.VOID
    assert look(world, 2) == []
    assert Position.objects.get().status == PositionStatus.OPEN
    assert Fill.objects.canonical().count() == 1


def test_what_one_look_saw_only_was_nothing(world: World, trader: Trader) -> None:
    way.fill(world)
    Position.objects.update(venue_index=7)
    assert look(world) == [("POSITION_GONE", "SEEN"), ("POSITION_UNKNOWN", "SEEN")]
    Position.objects.update(venue_index=0)

    assert look(world) == []
    assert not Event.objects.filter(kind__startswith="reconciliation.").exists()


class _Counting:
    """A chain that counts what it is asked as of a block."""

    def __init__(self, chain: RpcChain) -> None:
        self._chain = chain
        self.batches: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def answers_at(self, views: Any, *, block_hash: str) -> list[str]:
        self.batches.append(len(views))
        return self._chain.answers_at(views, block_hash=block_hash)


@pytest.mark.parametrize(("accounts", "batches"), [(1, 2), (5, 2)])
def test_many_accounts_are_asked_for_in_as_many_batches_as_one(world: World, accounts: int, batches: int) -> None:
    numbers = [200 + each for each in range(accounts)]
    for number in numbers:
        world.admit(number)
        way.fill(world, tg_user_id=number)
    # The keeper doesn't come anymore: these wait.
    for number in numbers:
        way.accept(world, tg_user_id=number, symbol="ETH-USD")
    chain = _Counting(RpcChain())
    world.desk = replace(world.desk, chain=chain)

    assert look(world) == []

    assert AccountLook.objects.filter(positions=1, orders=1).count() == accounts
    assert len(chain.batches) == batches
    # Balance, allowance, orders, and how much lies in three markets; then five places and one order.
    assert chain.batches == [accounts * (3 + 3 + 3), accounts * (5 + 1)]


def test_a_node_that_lacks_the_block_is_waited_for(world: World, trader: Trader, proxy: Node) -> None:
    way.fill(world)
    look(world)
    Position.objects.update(venue_index=7)
    proxy.refuse("eth_call", "header not found")

    assert look(world) == []
    assert AccountLook.objects.get().waits_for != ""
