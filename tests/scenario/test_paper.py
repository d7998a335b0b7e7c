"""A configured DRY trades on paper: the same way, and nothing is ever signed."""

from django.test import Client

from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Order, TxIntent, TxSend
from tests.integration.devnet import arithmetic
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Book, Mode
from trading.domain.position import PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import Fill, Position, Signal
from trading.services import mode


def _configure(world: World, wanted: Mode) -> None:
    mode.switch_to(mode=wanted, switch=world.switch, actor="test", reason="", at=world.now)


def test_an_entry_in_dry_is_filled_on_paper_and_closed_on_paper(world: World, client: Client) -> None:
    trader = world.admit(123)
    before = world.balance(trader.address)
    _configure(world, Mode.DRY)

    world.send(client)
    world.run(rounds=2)
    opened = Position.objects.get()
    world.set_price("BTC-USD", "63000")
    world.send(client, side="CLOSE")
    world.run(rounds=2)

    assert set(Signal.objects.values_list("book", flat=True)) == {Book.PAPER}
    assert (opened.book, opened.status, opened.collateral_usdc) == (Book.PAPER, PositionStatus.OPEN, Usdc.of("49.9325"))
    assert opened.entry_price == Price.of(60_006)
    opening, closing = Fill.objects.order_by("pk")
    assert (opening.book, closing.book, closing.price) == (Book.PAPER, Book.PAPER, Price.of("62993.7"))
    there = arithmetic.opened(collateral=50_000_000, leverage=3 * 10**10, oracle=Price.of(60_000).raw, buy=True)
    paid = arithmetic.closed(there, amount=there.collateral, oracle=Price.of(63_000).raw, seconds=0)
    assert (opening.collateral_usdc.raw, opening.fee_usdc.raw) == (there.collateral, there.fee)
    assert closing.payout_usdc.raw == paid.sent
    closed = Position.objects.get()
    assert (closed.status, closed.realised_pnl_usdc.raw) == (PositionStatus.CLOSED, paid.sent - there.collateral)
    assert set(TxIntent.objects.values_list("status", "nonce", "order__status")) == {
        (IntentStatus.SIMULATED, None, OrderStatus.FILLED)
    }
    assert not TxSend.objects.exists()
    assert way.nonces(world) == (0, 0)
    assert world.balance(trader.address) == before


def test_paper_never_closes_what_is_live(world: World, client: Client) -> None:
    world.admit(123)
    way.fill(world)
    _configure(world, Mode.DRY)
    world.send(client)
    world.run(rounds=1)

    world.send(client, side="CLOSE")
    world.run(rounds=2)

    assert dict(Position.objects.values_list("book", "status")) == {
        Book.PAPER: PositionStatus.CLOSED,
        Book.LIVE: PositionStatus.OPEN,
    }
    assert way.nonces(world) == (1, 1)


def test_a_live_position_is_closed_live_when_the_desk_has_gone_dry_and_come_back(world: World, client: Client) -> None:
    world.admit(123)
    way.fill(world)
    _configure(world, Mode.DRY)
    world.send(client, side="CLOSE")
    world.run(rounds=2)
    waiting = TxIntent.objects.latest("pk")

    _configure(world, Mode.LIVE)
    world.run(rounds=4)

    assert (waiting.book, waiting.status, waiting.blocked_reason) == (Book.LIVE, IntentStatus.BUILT, "mode")
    assert Position.objects.get().status == PositionStatus.CLOSED
    assert Order.objects.latest("pk").book == Book.LIVE
    assert way.nonces(world) == (2, 2)
