"""The venue's own levels follow ours, on the chain, and only by what a delegate of the trader signed."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from devnet import ports
from devnet.venue_api import Venue
from devnet.venue_server import server
from execution.domain.levels import PAUSE, UpdateStatus
from execution.models import LevelUpdate
from execution.selectors import Exits
from execution.services import level_updates
from tests.factories.trading import SourceFactory
from tests.scenario import way
from tests.scenario.test_protections import LADDER, opened
from tests.scenario.world import World
from trading.domain.units import Price
from trading.models import Position, Protection
from trading.services import firings, protecting


@pytest.fixture
def core(world: World, settings: Any) -> Iterator[str]:
    (port,) = ports.pick_free(1, first=21_500, last=21_999)
    running = server(Venue(rpc=world.rpc, deployment=world.deployment), port=port)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.VERANTA_CORE_API_URL = f"http://127.0.0.1:{port}/core"
    yield settings.VERANTA_CORE_API_URL
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def position(world: World) -> Position:
    """A long with a ladder, whose first rung was hit: its stop stands at breakeven."""
    SourceFactory(name=firings.SOURCE, is_internal=True)
    world.admit(123)
    world.set_price("BTC-USD", "60000")
    opened(world, "long", **LADDER)
    Protection.objects.update(is_venue_behind=False)
    world.set_price("BTC-USD", "61500")
    world.work()
    protecting.watch(exits=Exits(), at=world.now)
    world.run(rounds=4)
    return Position.objects.get()


def sync(world: World) -> list[bool]:
    """The stage's work, once for each that is due."""
    return [
        level_updates.keep_in_step(position_id=pk, desk=world.desk, at=world.now) for pk in level_updates.due(before=world.now)
    ]


def on_chain(world: World, position: Position) -> tuple[int, int]:
    """The target and the stop that the venue's storage holds."""
    storage = world.deployment.contract("TradingStorage")
    trade = storage.read(world.rpc, "openTrades", position.trader.address, position.market.pair_index, position.venue_index)
    return trade[8], trade[9]


def test_a_stop_that_moved_is_brought_to_the_venue_and_believed_by_its_event(world: World, core: str, position: Position) -> None:
    stop = Protection.objects.get().stop_price
    assert stop is not None
    assert position.stop_loss != stop

    assert sync(world) == [True]
    assert LevelUpdate.objects.get().status == UpdateStatus.ASKED
    world.mine()
    way.index(world)

    update, held = LevelUpdate.objects.get(), Position.objects.get()
    assert (update.status, held.stop_loss, on_chain(world, position)[1]) == (UpdateStatus.SET, stop, stop.raw)
    # The furthest rung of a ladder that closes all.
    assert (held.take_profit, on_chain(world, position)[0]) == (update.take_profit, (update.take_profit or stop).raw)
    assert sync(world) == [False]
    assert not Protection.objects.get().is_venue_behind
    assert sync(world) == []


def test_while_the_desk_is_stopped_nothing_is_signed(world: World, core: str, position: Position) -> None:
    world.switch.stop = True

    assert sync(world) == [False]
    assert not LevelUpdate.objects.exists()


def test_what_the_venue_did_not_hear_is_asked_again_when_its_time_is_over(
    world: World, settings: Any, position: Position
) -> None:
    settings.VERANTA_CORE_API_URL = "http://127.0.0.1:1/core"

    assert sync(world) == [True]
    way.wait(world, 30)
    assert sync(world) == []
    way.wait(world, 0.1)
    assert sync(world) == [True]
    assert LevelUpdate.objects.count() == 2


def test_a_stop_that_moves_again_is_asked_for_no_sooner_than_the_pause(world: World, core: str, position: Position) -> None:
    sync(world)
    Protection.objects.update(stop_price=Price.of(61_000))

    way.wait(world, PAUSE.total_seconds() - 0.1)
    assert sync(world) == []
    way.wait(world, 0.1)
    assert sync(world) == [True]


def test_a_stranger_s_signature_moves_nothing(world: World, core: str, position: Position) -> None:
    before = on_chain(world, position)
    stranger = type(world.desk.signer)("0x" + "77" * 32)
    signed = []
    real = world.desk.signer

    class Impostor:
        address = real.address

        def sign_levels(self, intent: Any) -> str:
            signed.append(intent)
            return stranger.sign_levels(intent)

    world.desk = replace(world.desk, signer=Impostor())  # type: ignore[arg-type]

    assert sync(world) == [True]
    world.mine()

    assert (len(signed), on_chain(world, position)) == (1, before)


@pytest.mark.parametrize("spoil", ["late", "twice", "another"])
def test_the_venue_takes_an_intent_once_in_time_and_for_its_own_position(
    world: World, core: str, position: Position, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, Any]] = []
    put = httpx.put
    monkeypatch.setattr(httpx, "put", lambda url, **said: heard.append((url, said)) or put(url, **said))
    if spoil == "late":
        world.now -= timedelta(days=1)
    assert [level_updates.keep_in_step(position_id=position.pk, desk=world.desk, at=world.now)] == [True]
    ((url, said),) = heard

    again = put(url[:-1] + "9" if spoil == "another" else url, **said)

    names = {"late": "InvalidDeadline", "twice": "InvalidNonce", "another": "PositionMismatch"}
    assert (again.status_code, again.json()["error"]["message"]) == (400, names[spoil])
