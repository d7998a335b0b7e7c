"""Blocks may be read twice, late, or in another order: the same rows stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from devnet.deploy import DEPLOYER, OPERATOR
from execution.adapters.trouble import Refused
from execution.models import Cursor, VenueOrder
from execution.services import backfill
from execution.services.backfill import Moved, NothingBefore, Plan
from tests.integration.execution.test_fills import pass_time, read, tell, there
from tests.scenario import way
from tests.scenario.hand import BTC, LIMIT, WITHDRAW, Hand
from tests.scenario.world import World
from trading.domain.units import Usdc
from trading.models import Event, Fill, Position, PositionLevel, Trader

ONE = 10**10
TABLES = "fills, position_levels, positions, venue_orders, day_results"
# What is told by the venue, without our own numbers and times of writing.
KEPT: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Fill, ("id", "position_id", "created_at")),
    (Position, ("id",)),
    (PositionLevel, ("id", "position_id")),
    (VenueOrder, ("id",)),
)


@pytest.fixture
def hand(world: World) -> Hand:
    """A trader's hand, at a venue where longs pay shorts."""
    trader = world.admit(123)
    tell(world, DEPLOYER, "PairStorage", "setFunding", BTC, ONE // 100)
    way.index(world)
    return Hand(rpc=world.rpc, deployment=world.deployment, address=trader.address)


def trade(world: World, hand: Hand) -> None:
    """A slot used twice, a limit moved and filled, an increase, margin, levels, a close in parts, and one that stays."""
    hand.open(collateral="100", leverage="10")
    read(world)
    hand.increase(collateral="50", leverage="20")
    read(world)
    pass_time(world, 600)
    hand.margin(amount="20.5", change=WITHDRAW)
    read(world)
    tell(world, OPERATOR, "TradingRouter", "updateTpSl", hand.address, BTC, 0, 63_000 * ONE, 59_000 * ONE)
    hand.close(amount="40")
    read(world)
    hand.close(amount=Usdc(there(world, hand)["initialPosToken"]))
    read(world)
    hand.open(collateral="80", leverage="5", price="59000", kind=LIMIT)
    read(world)
    hand.update_limit(price="59500")
    world.mine()
    world.set_price("BTC-USD", "59400")
    read(world)
    hand.open(collateral="70", leverage="5", price="59400", buy=False)
    read(world)


def tables() -> list[list[dict[str, Any]]]:
    """Every canonical row, in the chain's order."""
    found = []
    for model, ours in KEPT:
        names = [field.attname for field in model._meta.fields if field.attname not in ours]
        # A position whose opening was reorganized out is VOID: nothing.
        rows = [row for row in model.objects.values(*names) if row.get("is_canonical", True) and row.get("status") != "VOID"]
        found.append(sorted(rows, key=str))
    return found


def forget() -> None:
    """As if nothing had been read."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")


def run(world: World, plan: Plan, *, steps: int = 100) -> backfill.Progress:
    """Go on until it is done, or as far as so many steps lead."""
    progress = backfill.start(plan, desk=world.desk)
    while not progress.is_done and steps:
        progress = backfill.go_on(plan, progress, desk=world.desk)
        steps -= 1
    return progress


def stand_at(number: int, world: World) -> None:
    """Let the live stream have begun at a block."""
    block = world.desk.chain.blocks([number])[number]
    Cursor.objects.filter(stream="venue").update(number=block.number, hash=block.hash)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_begun_anywhere_and_backfilled_the_tables_are_the_same(world: World, hand: Hand, share: float) -> None:
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    once, head = tables(), Cursor.objects.get(stream="venue").number
    forget()

    stand_at(first + int((head - first) * share), world)
    way.index(world)
    progress = run(world, Plan(first=first))

    assert tables() == once
    assert (progress.is_done, progress.number) == (True, head)
    assert [len(rows) for rows in once] == [7, 3, 12, 7]


def test_read_twice_the_tables_are_the_same(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    once = tables()

    for start in (first, first + 1):
        run(world, Plan(first=start))

    assert tables() == once


def test_after_a_reorganization_the_tables_are_those_of_a_fresh_reading(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    way.fork(world, depth=7)
    way.index(world)
    after = tables()
    forget()

    run(world, Plan(first=first))

    assert tables() == after


def test_the_past_is_nobodys_news(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    forget()
    told = Event.objects.filter(kind="position.filled").count()

    run(world, Plan(first=first))

    assert Fill.objects.count() == 7
    assert Event.objects.filter(kind="position.filled").count() == told


def test_stopped_it_goes_on_where_it_was(world: World, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "FIRST_SPAN", 3)
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    once = tables()
    forget()

    stopped = run(world, Plan(first=first), steps=2)
    resumed = backfill.start(Plan(first=first), desk=world.desk)
    run(world, Plan(first=first))

    assert (stopped.number, resumed.number) == (first + 8, first + 8)
    assert tables() == once


@contextmanager
def stingy(world: World, limit: int) -> Iterator[list[int]]:
    """A node that tells no more than so many blocks at once; how many were asked for each time."""
    sane, asked = world.desk, []

    class Stingy:
        def __getattr__(self, name: str) -> Any:
            return getattr(sane.chain, name)

        def search(self, emitter: str, *, topics: Any, first: int, last: int) -> Any:
            asked.append(last - first + 1)
            if last - first >= limit:
                raise Refused("query returned more than 10000 results")
            return sane.chain.search(emitter, topics=topics, first=first, last=last)

    world.desk = replace(sane, chain=Stingy())
    yield asked
    world.desk = sane


def test_a_range_that_is_refused_is_halved_and_grows_again(world: World, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "FIRST_SPAN", 16)
    first = Cursor.objects.get(stream="venue").number
    trade(world, hand)
    once = tables()
    forget()

    with stingy(world, 5) as asked:
        run(world, Plan(first=first))

    assert tables() == once
    assert asked[:6] == [16, 8, 4, 4, 4, 8]


def test_one_traders_past_is_read_alone(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    other = Hand(rpc=world.rpc, deployment=world.deployment, address="0x" + "77" * 20)
    other.fund("100")
    hand.open(collateral="50")
    other.open(collateral="40")
    read(world)
    leader = Trader.objects.create(tg_user_id=777, name="late", address=other.address)
    forget()

    run(world, Plan(first=first, trader=leader))

    assert [fill.trader for fill in Fill.objects.all()] == [leader]
    assert [order.trader for order in VenueOrder.objects.all()] == [leader]


def test_while_the_live_stream_is_held_nothing_is_written(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    hand.open(collateral="50")
    read(world)
    forget()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cursors SET leased_until = clock_timestamp() + interval '1 minute' WHERE stream = 'venue'")

    with pytest.raises(Moved):
        run(world, Plan(first=first), steps=20)

    assert not Fill.objects.exists()


def test_before_the_live_stream_there_is_nothing(world: World) -> None:
    Cursor.objects.all().delete()

    with pytest.raises(NothingBefore):
        backfill.start(Plan(first=1), desk=world.desk)


def test_the_command_tells_how_far_it_is(world: World, hand: Hand) -> None:
    first = Cursor.objects.get(stream="venue").number
    hand.open(collateral="50")
    read(world)
    forget()
    said = StringIO()

    call_command("backfill", "--from-block", str(first), "--trader", hand.address.lower(), "--pause", "0", stdout=said)

    head = Cursor.objects.get(stream="venue").number
    assert said.getvalue().splitlines() == [f"block {head} of {head}, 2 events, next 4000 blocks", f"done: block {head}"]
    assert Fill.objects.count() == 1
    with pytest.raises(CommandError, match="nobody we follow"):
        call_command("backfill", "--from-block", "1", "--trader", "0x" + "55" * 20)
