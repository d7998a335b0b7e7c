"""The paper venue over time: an order waits as the venue's do, is tried again as the venue's are, and ends as they end."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from execution.domain.intent import Blocked, IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxIntent
from execution.services import papering
from risk.models import Leg
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Mode
from trading.domain.units import Price, Usdc
from trading.models import Fill, Position, Quote
from trading.services import mode, prices

# The key of the first signal that a world is told.
DELAY = timedelta(seconds=4)


@pytest.fixture
def paper(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in DRY, whose paper venue leaves each order for four seconds."""
    settings.PAPER_DELAY_SECONDS = settings.PAPER_LONGEST_DELAY_SECONDS = Decimal(4)
    world.admit(123)
    mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)
    return world


def look(world: World, *, seconds: float = 0) -> None:
    """Let time go by, see the prices, work the lane."""
    way.wait(world, seconds)
    prices.refresh(sources=world.sources, at=world.now)
    way.drain(world)


def say(world: World, price: str, *, seconds: int = 0) -> None:
    """Another price on the chain, seen."""
    way.wait(world, seconds)
    world.set_price("BTC-USD", price)
    look(world)


def test_an_order_waits_its_delay_and_is_filled_at_the_price_of_that_moment(paper: World) -> None:
    intent = way.send(paper)
    due = intent.built_at + DELAY

    say(paper, "60120")
    early = way.fresh(intent)
    look(paper, seconds=(due - paper.now).total_seconds())

    assert (early.status, early.next_action_at) == (IntentStatus.BUILT, due)
    fill = Fill.objects.get()
    assert (fill.filled_at, fill.price) == (due, Price.of("60126.012"))
    assert (way.fresh(intent).status, way.fresh(intent).order.status) == (IntentStatus.SIMULATED, OrderStatus.FILLED)


def test_the_wait_is_on_the_row_and_the_same_for_the_same_key(paper: World, settings: Settings) -> None:
    settings.PAPER_DELAY_SECONDS, settings.PAPER_LONGEST_DELAY_SECONDS = Decimal(2), Decimal(15)
    intent = way.send(paper)

    assert intent.next_action_at == intent.built_at + papering.delay_of(intent.intent_key)
    assert papering.delay_of("sig:test:t1") == timedelta(seconds=3, microseconds=64_600)


def test_an_order_that_slipped_is_tried_again_and_canceled_when_its_time_is_over(paper: World) -> None:
    intent = way.send(paper)
    say(paper, "66000", seconds=4)
    waiting = way.fresh(intent)

    for _ in range(7):
        look(paper, seconds=2)
    early = way.fresh(intent).status
    for _ in range(7):
        look(paper, seconds=2)

    order = way.fresh(intent).order
    assert (waiting.status, waiting.blocked_reason, waiting.next_action_at) == (
        IntentStatus.BUILT,
        Blocked.PRICE,
        waiting.built_at + timedelta(seconds=7),
    )
    assert early == IntentStatus.BUILT
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "HIGH_SLIPPAGE")
    assert way.fresh(intent).status == IntentStatus.SIMULATED
    assert Leg.objects.get().settled_at == order.ended_at
    assert not Position.objects.exists()


def test_a_price_that_comes_back_in_time_fills_the_order(paper: World) -> None:
    intent = way.send(paper)
    say(paper, "66000", seconds=4)
    say(paper, "60000", seconds=4)

    assert way.fresh(intent).order.status == OrderStatus.FILLED
    assert Position.objects.get().entry_price == Price.of(60_006)


def test_without_a_price_an_order_is_canceled_after_thirty_seconds(paper: World) -> None:
    intent = way.send(paper)
    Quote.objects.all().delete()
    for wait in (4, 25):
        way.wait(paper, wait)
        way.drain(paper)
    early = way.fresh(intent).status

    way.wait(paper, 1)
    way.drain(paper)

    assert early == IntentStatus.BUILT
    assert (way.fresh(intent).order.status, way.fresh(intent).order.reason) == (OrderStatus.CANCELED, papering.NO_PRICE)
    assert way.fresh(intent).order.ended_at == intent.built_at + papering.LIFETIME


def test_a_close_slips_by_what_its_position_was_opened_with(paper: World) -> None:
    way.send(paper, slippage_pct="5")
    look(paper, seconds=4)
    close = way.send(paper, side="CLOSE", slippage_pct="0.1")
    say(paper, "58000", seconds=4)

    assert way.fresh(close).order.status == OrderStatus.FILLED
    assert Position.objects.get().collateral_usdc == Usdc.zero()


def test_a_worker_that_comes_late_or_twice_fills_once(paper: World) -> None:
    way.send(paper)
    for _ in range(3):
        look(paper, seconds=10)

    assert (Fill.objects.count(), TxIntent.objects.get().attempts) == (1, 0)
