"""Price sources that lie, freeze, go back in time and die: what the desk makes of it.

The three adapters speak to the local venue's real services.
"""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from devnet.ports import pick_free
from devnet.price_faults import Fault, PriceFault, PriceFaults, Source
from devnet.venue_api import Venue
from devnet.venue_server import server
from execution.domain.intent import Blocked
from execution.models import Order, TxIntent
from risk.domain.decision import Verdict
from risk.models import Decision
from tests.scenario.world import World
from trading import selectors
from trading.adapters.chainlink import ChainlinkFeeds, ChainlinkSequencer
from trading.adapters.pyth import PythHermes
from trading.adapters.venue_feed import VenueFeed
from trading.domain.position import PositionStatus
from trading.domain.price import PriceTrouble, PriceView, Rejection
from trading.domain.units import Price
from trading.models import Position, PriceFeed
from trading.services import prices

LIE = PriceFault(fault=Fault.LIES, percent=Decimal(1))
DEAD = PriceFault(fault=Fault.DEAD)
FROZEN = PriceFault(fault=Fault.FREEZES)
TRUTH = Price.of(60_000)


@pytest.fixture
def faults(world: World) -> Iterator[PriceFaults]:
    """The local venue's services behind all three adapters, and the hand that troubles them."""
    (port,) = pick_free(1, first=21_000, last=21_099)
    given = PriceFaults()
    running = server(Venue(rpc=world.rpc, deployment=world.deployment, faults=given), port=port)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{port}"
    with (
        closing(VenueFeed(url=f"{url}/feed")) as venue,
        closing(PythHermes(url=f"{url}/hermes", api_key="")) as pyth,
        closing(ChainlinkFeeds()) as chainlink,
    ):
        world.sources = (venue, pyth, chainlink)
        world.admit(123)
        _refreshed(world)
        yield given
    running.shutdown()
    running.server_close()
    thread.join()


def _refreshed(world: World, *, seconds: int = 0) -> PriceView:
    """The view of BTC after so many seconds in which the keeper went on posting its price."""
    world.now += timedelta(seconds=seconds)
    world.set_price("BTC-USD", "60000")
    prices.refresh(sources=world.sources, at=world.now)
    return selectors.price_views(now=world.now, symbols=["BTC-USD"])["BTC-USD"]


def _reasons(view: PriceView) -> dict[str, Rejection]:
    return {each.quote.source: each.reason for each in view.rejected}


def _denial(world: World, client: Client) -> str:
    """Why an entry that is sent now is denied, and then without any effect; empty if it is approved."""
    world.send(client)
    world.work()
    decision = Decision.objects.latest("pk")
    assert (decision.verdict == Verdict.APPROVED) is Order.objects.filter(action="OPEN").exists()
    return decision.code


def _opened(world: World, client: Client) -> Position:
    world.send(client)
    world.run(rounds=3)
    return Position.objects.get()


def test_three_sources_that_say_the_same_are_the_price(world: World, client: Client, faults: PriceFaults) -> None:
    view = _refreshed(world)

    assert view.agreed is not None
    assert (view.agreed.price, view.agreed.sources, view.rejected) == (TRUTH, ("chainlink", "pyth", "venue"), ())
    assert _opened(world, client).entry_price == Price.of("60006")


@pytest.mark.parametrize("liar", Source)
def test_one_that_lies_by_one_percent_is_an_outlier_and_moves_nothing(
    world: World, client: Client, faults: PriceFaults, liar: Source
) -> None:
    faults.give(liar, LIE)

    view = _refreshed(world, seconds=2)

    assert view.agreed is not None
    assert (view.agreed.price, _reasons(view)) == (TRUTH, {liar: Rejection.OUTLIER})
    # Once for each market.
    assert PriceFeed.objects.get(name=liar).rejections == {"OUTLIER": 3}
    assert _denial(world, client) == ""
    assert TxIntent.objects.latest("pk").wanted_price in (None, TRUTH)


def test_two_that_lie_are_a_disagreement_that_stops_entries(world: World, client: Client, faults: PriceFaults) -> None:
    faults.give(Source.VENUE, LIE)
    faults.give(Source.PYTH, PriceFault(fault=Fault.LIES, percent=Decimal(-1)))

    view = _refreshed(world, seconds=2)

    assert (view.agreed, view.trouble) == (None, PriceTrouble.PRICE_DISAGREEMENT)
    assert _denial(world, client) == view.trouble


def test_a_frozen_one_goes_stale_and_the_others_go_on(world: World, client: Client, faults: PriceFaults) -> None:
    faults.give(Source.PYTH, FROZEN)
    _refreshed(world)

    view = _refreshed(world, seconds=4)

    assert (view.trouble, _reasons(view)) == (None, {"pyth": Rejection.STALE})
    assert _denial(world, client) == ""


def test_one_that_lies_while_another_is_frozen_is_a_disagreement(world: World, client: Client, faults: PriceFaults) -> None:
    faults.give(Source.PYTH, FROZEN)
    faults.give(Source.VENUE, LIE)
    _refreshed(world)

    view = _refreshed(world, seconds=6)

    assert view.trouble is PriceTrouble.PRICE_DISAGREEMENT
    assert _reasons(view)["pyth"] is Rejection.STALE
    assert _denial(world, client) == view.trouble


def test_one_that_goes_back_in_time_is_not_believed(world: World, client: Client, faults: PriceFaults) -> None:
    honest = _refreshed(world)
    faults.give(Source.VENUE, PriceFault(fault=Fault.GOES_BACK, seconds=60))

    view = _refreshed(world, seconds=4)

    kept = [each.quote for each in view.rejected]
    assert [quote.published_at for quote in kept] == [quote.published_at for quote in honest.counted if quote.source == "venue"]
    assert (view.trouble, _reasons(view)) == (None, {"venue": Rejection.STALE})
    assert PriceFeed.objects.get(name="venue").rejections == {"BACKWARD": 3}
    assert _denial(world, client) == ""


def test_one_source_left_is_not_enough_for_entries(world: World, client: Client, faults: PriceFaults) -> None:
    for source in Source:
        faults.give(source, DEAD)

    view = _refreshed(world, seconds=6)

    assert (view.trouble, [quote.source for quote in view.counted]) == (PriceTrouble.PRICE_STALE, ["chainlink"])
    assert _denial(world, client) == view.trouble


def test_with_all_dead_exits_go_on_for_thirty_seconds_on_the_last_known_price(
    world: World, client: Client, faults: PriceFaults
) -> None:
    position = _opened(world, client)
    _kill(world, faults)
    last = _refreshed(world, seconds=10)

    assert (last.agreed, last.trouble) == (None, PriceTrouble.PRICE_STALE)
    assert last.last_known is not None
    assert last.last_known.price == TRUTH
    world.send(client, side="CLOSE", slippage_pct="5")
    world.run(rounds=3)

    position.refresh_from_db()
    assert position.status == PositionStatus.CLOSED


def test_after_thirty_seconds_an_exit_waits_for_a_price_and_then_goes_on(
    world: World, client: Client, faults: PriceFaults
) -> None:
    position = _opened(world, client)
    alive = world.sources
    _kill(world, faults)
    assert _refreshed(world, seconds=31).last_known is None
    world.send(client, side="CLOSE", slippage_pct="5")
    world.run(rounds=2)
    waiting = TxIntent.objects.latest("pk")
    assert (waiting.blocked_reason, waiting.closed_at) == (Blocked.PRICE, None)

    faults.clear()
    world.sources = alive
    # As long as the dead ones rest.
    world.now += timedelta(seconds=30)
    world.run(rounds=4)

    position.refresh_from_db()
    assert position.status == PositionStatus.CLOSED


def test_the_local_sequencer_is_up(world: World, faults: PriceFaults) -> None:
    world.mine()
    with closing(ChainlinkSequencer()) as sequencer:
        prices.refresh(sources=world.sources, sequencer=sequencer, at=world.now)

    assert selectors.price_views(now=world.now, symbols=["BTC-USD"])["BTC-USD"].trouble is None


def _kill(world: World, faults: PriceFaults) -> None:
    for source in Source:
        faults.give(source, DEAD)
    world.sources = (*world.sources[:2], ChainlinkFeeds(rpc_urls=["http://127.0.0.1:1"]))
    # Chainlink's last round would count for its heartbeat of twenty minutes.
    world.now += timedelta(seconds=1)
