"""What guards a position closes it, live on the chain and on paper, long and short: once, whatever dies in between."""

from typing import Any

import pytest

from execution.models import TxIntent
from execution.selectors import Exits
from tests.factories.trading import SourceFactory
from tests.scenario import way
from tests.scenario.world import World
from trading import failpoints
from trading.domain.mode import Book, Mode
from trading.domain.position import FillKind, PositionStatus
from trading.models import Fill, Firing, Position, Protection, Signal
from trading.services import firings, mode, protecting

LADDER = {
    "sl": {"type": "pct", "value": "5"},
    "tp": [{"type": "pct", "value": "2", "close_pct": "50"}, {"type": "pct", "value": "10", "close_pct": "50"}],
    "be_after_tp": 1,
}
STOP = {"sl": {"type": "pct", "value": "5"}}
# A long's prices at these gains, and a short's.
PRICES = {"long": {"0": "60000", "2.5": "61500", "0.05": "60030", "-6": "56400"}}
PRICES["short"] = {"0": "60000", "2.5": "58500", "0.05": "59970", "-6": "63600"}


class Killed(BaseException):
    """The process is gone: nobody catches it."""


@pytest.fixture(params=Book)
def book(world: World, request: pytest.FixtureRequest) -> Book:
    SourceFactory(name=firings.SOURCE, is_internal=True)
    world.admit(123)
    if request.param is Book.PAPER:
        mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)
    world.set_price("BTC-USD", "60000")
    return Book(request.param)


def opened(world: World, action: str, **guard: Any) -> Position:
    """A position of 50 dollars at 3×, guarded."""
    way.alert(world, market_position=action, **guard)
    world.run(rounds=4)
    return Position.objects.get()


def go_to(world: World, price: str, *, seconds: float = 0) -> None:
    """The market moves; a pass, and what follows from it."""
    world.set_price("BTC-USD", price)
    way.wait(world, seconds)
    world.work()
    protecting.watch(exits=Exits(), at=world.now)
    world.run(rounds=4)
    protecting.watch(exits=Exits(), at=world.now)


def fills() -> list[str]:
    return list(Fill.objects.canonical().order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("action", PRICES)
def test_a_ladder_takes_its_half_and_breakeven_the_rest(world: World, book: Book, action: str) -> None:
    prices = PRICES[action]
    position = opened(world, action, **LADDER)
    assert (position.book, Protection.objects.get().stop_reason) == (book, "SET")

    go_to(world, prices["2.5"])
    half = Position.objects.get()
    assert (half.status, Protection.objects.get().stop_reason) == (PositionStatus.OPEN, "BREAKEVEN")
    # Half, but for the rounding up to the smallest part.
    assert abs(half.collateral_usdc.raw * 2 - position.collateral_usdc.raw) <= 1
    go_to(world, prices["0.05"])

    assert Position.objects.get().status == PositionStatus.CLOSED
    assert fills() == [FillKind.OPEN, FillKind.CLOSE, FillKind.CLOSE]
    assert list(Firing.objects.order_by("pk").values_list("level", "attempt", "fate")) == [
        ("tp1", 1, "FILLED"),
        ("stop", 1, "FILLED"),
    ]
    assert way.nonces(world) == ((3, 3) if book is Book.LIVE else (0, 0))


@pytest.mark.parametrize("action", PRICES)
def test_a_stop_closes_all_of_it_and_nothing_before_it_does(world: World, book: Book, action: str) -> None:
    prices = PRICES[action]
    opened(world, action, **STOP)
    # Nobody but us holds it.
    Position.objects.update(stop_loss=None)
    world.keeper.tick(now=world.now.timestamp())

    go_to(world, prices["2.5"])
    assert (Position.objects.get().status, Firing.objects.count()) == (PositionStatus.OPEN, 0)
    go_to(world, prices["-6"])

    assert Position.objects.get().status == PositionStatus.CLOSED
    assert fills()[0] == FillKind.OPEN
    assert len(fills()) == 2


@pytest.mark.parametrize("point", ["trading.protecting.fire committed", "trading.firings.link before commit"])
def test_killed_between_trigger_and_close_the_position_is_closed_once(world: World, book: Book, point: str) -> None:
    opened(world, "long", **LADDER)

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    world.set_price("BTC-USD", "61500")
    world.work()
    with failpoints.listening(die), pytest.raises(Killed):
        protecting.watch(exits=Exits(), at=world.now)
    for pk in list(protecting.unsent(before=world.now)):
        firings.send(firing_id=pk, at=world.now)
    go_to(world, "61500", seconds=2)

    assert fills() == [FillKind.OPEN, FillKind.CLOSE]
    assert Signal.objects.filter(source_name__startswith="protection:").count() == 1
    assert way.nonces(world) == ((2, 2) if book is Book.LIVE else (0, 0))


def test_a_live_stop_waits_for_live_is_sent_once_and_never_papered(world: World) -> None:
    SourceFactory(name=firings.SOURCE, is_internal=True)
    world.admit(123)
    world.set_price("BTC-USD", "60000")
    opened(world, "long", **LADDER)
    mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)

    for _ in range(3):
        go_to(world, "61500", seconds=5)
    waiting = TxIntent.objects.latest("pk")
    assert (Firing.objects.count(), waiting.book, waiting.blocked_reason) == (1, Book.LIVE, "mode")
    mode.switch_to(mode=Mode.LIVE, switch=world.switch, actor="test", reason="", at=world.now)
    world.run(rounds=4)

    assert fills() == [FillKind.OPEN, FillKind.CLOSE]
    assert way.nonces(world) == (2, 2)
