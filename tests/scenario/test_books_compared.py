"""The same signals in both books on one chain: every difference has a name, and the names add up to it."""

import random
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from execution.services import comparisons
from execution.services.comparisons import Comparison
from tests.factories.trading import FillFactory, PositionFactory
from tests.scenario.world import World
from trading.domain.mode import Book, Mode
from trading.domain.position import PositionStatus
from trading.domain.units import Percent, Price, Usdc
from trading.models import Market, Position
from trading.services import mode

SEED = 20_261_122


def _in_both(world: World, client: Client, **said: Any) -> None:
    """One signal on paper and live, at one moment of the market."""
    for book in (Mode.DRY, Mode.LIVE):
        mode.switch_to(mode=book, switch=world.switch, actor="test", reason="", at=world.now)
        assert world.send(client, **said).status_code == 202
    for _ in range(3):
        world.work()


def _walk(world: World, draw: random.Random, *, steps: int) -> None:
    """Let the market move a little each block, and both venues do what is due."""
    for _ in range(steps):
        price = 60_000 + draw.randint(-3_000, 3_000) / 100
        world.keeper.set_price("BTC-USD", f"{price:.2f}")
        world.keeper.tick(now=world.now.timestamp())
        world.mine()
        world.work()


def _compared() -> Comparison:
    on_paper, live = (Position.objects.get(book=book) for book in (Book.PAPER, Book.LIVE))
    assert (on_paper.status, live.status) == (PositionStatus.CLOSED, PositionStatus.CLOSED)
    return comparisons.compare(paper_id=on_paper.pk, live_id=live.pk)


@pytest.mark.parametrize("number", range(4))
def test_every_difference_of_price_and_money_is_explained(world: World, client: Client, settings: Settings, number: int) -> None:
    draw = random.Random(f"{SEED}:{number}")
    settings.PAPER_DELAY_SECONDS = settings.PAPER_LONGEST_DELAY_SECONDS = Decimal([7, 12, 3, 4][number])
    Market.objects.update(rollover_hourly_pct=Percent.of("0.00171"))
    world.admit(123)
    side = draw.choice(["LONG", "SHORT"])

    _in_both(
        world,
        client,
        side=side,
        collateral_usdc=str(draw.randint(20, 400)),
        leverage_x=str(draw.randint(2, 20)),
        slippage_pct="5",
    )
    _walk(world, draw, steps=8)
    _in_both(world, client, side="CLOSE", slippage_pct="5")
    _walk(world, draw, steps=8)

    found = _compared()
    why = found.why
    assert why.entry.total == found.live.entry - found.on_paper.entry
    assert why.exit.total == found.live.exit - found.on_paper.exit
    assert why.total == found.live.net - found.on_paper.net
    # Nothing is left to what has no cause: the same spread, the same fees, and roundings of a unit.
    assert max(abs(why.entry.spread), abs(why.exit.spread)) <= Price(1)
    assert max(abs(why.spread), abs(why.size)) <= Usdc(2)
    assert why.fees == Usdc.zero()
    # This world's keeper fills four seconds on: paper that waits as long sees the same market.
    assert bool(why.delay) is (settings.PAPER_DELAY_SECONDS > 4)


def test_another_spread_and_another_fee_are_named(world: World, client: Client) -> None:
    world.admit(123)
    # What the catalogue told us is a little less than what the venue takes.
    Market.objects.update(spread_pct=Percent.of("0.005"), open_fee_pct=Percent.of("0.04"))

    _in_both(world, client, slippage_pct="5")
    world.run(rounds=2)
    _in_both(world, client, side="CLOSE", slippage_pct="5")
    world.run(rounds=2)

    why, found = _compared().why, _compared()
    assert why.total == found.live.net - found.on_paper.net
    assert (why.fees, why.delay + why.spread < Usdc.zero()) == (Usdc.of("-0.0075") + _of_the_close(found), True)


def _of_the_close(found: Comparison) -> Usdc:
    """A smaller position pays a smaller fee when it is closed."""
    sizes = (found.on_paper.collateral, found.live.collateral)
    on_paper, live = (size.times_down(3).times_down(45, 100_000) for size in sizes)
    return on_paper - live


def test_the_command_tells_the_parts(world: World, client: Client) -> None:
    world.admit(123)
    _in_both(world, client)
    world.run(rounds=2)
    _in_both(world, client, side="CLOSE")
    world.run(rounds=2)
    on_paper, live = (Position.objects.get(book=book) for book in (Book.PAPER, Book.LIVE))
    said = StringIO()

    call_command("paper", "compare", "--positions", str(on_paper.pk), str(live.pk), stdout=said)

    told = said.getvalue().splitlines()
    assert told[0] == "entry: paper 60006, live 60006; +0 by delay, +0 by spread"
    assert [line.split(":")[0].strip() for line in told] == [
        *("entry", "exit", "net"),
        *("delay", "spread", "size", "fees", "rollover", "funding"),
    ]


@pytest.mark.django_db
def test_what_is_not_the_same_trade_is_refused() -> None:
    closed = {"status": PositionStatus.CLOSED, "collateral_usdc": Usdc.zero()}
    live = PositionFactory()
    FillFactory(position=live)
    Position.objects.filter(pk=live.pk).update(**closed, closed_at=live.opened_at)

    for positions in ((live.pk, live.pk), (7, live.pk)):
        with pytest.raises(CommandError, match="no closed position of the PAPER book"):
            call_command("paper", "compare", "--positions", *map(str, positions))
    with pytest.raises(CommandError, match="say which"):
        call_command("paper", "compare")
