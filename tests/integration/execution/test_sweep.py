"""The sweep: every ring may be lost, and a signal still becomes a position."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from execution.domain.intent import IntentStatus
from execution.models import Cursor, TxIntent
from tests.scenario import way
from tests.scenario.world import World
from trading import clock, conf
from trading.models import Position, PriceFeed, Quote
from trading.services import switching
from vanta_site import sweep

QUEUES = ("risk", "execution", "indexer", "tpsl", "outbox")


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The real Redis, empty before and after."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


def _rung(broker: redis.Redis) -> list[tuple[str, list[Any]]]:
    messages = [json.loads(raw) for queue in QUEUES for raw in broker.lrange(queue, 0, -1)]
    return sorted((each["headers"]["task"], json.loads(base64.b64decode(each["body"]))[0]) for each in messages)


def test_the_sweep_alone_brings_a_signal_to_a_filled_position(
    world: World, client: Client, broker: redis.Redis, settings: Settings
) -> None:
    settings.ALLOW_LIVE_AFTER_STREAK = 0
    switching.tell(switch=conf.mode_switch(), at=clock.now())
    world.admit(123)
    # The sweep works at the database's own time; so does the price.
    Quote.objects.update(published_at=clock.now())
    world.send(client)

    _sweep_until_final(world)

    assert Position.objects.get().status == "OPEN"
    assert TxIntent.objects.get().status == IntentStatus.FINAL
    assert world.chain_nonce() == 1


def _sweep_until_final(world: World) -> None:
    deadline = monotonic() + 20
    while not TxIntent.objects.filter(status=IntentStatus.FINAL).exists() and monotonic() < deadline:
        # As if every row had been due for long: nobody else is at work.
        sweep.work_overdue(at=clock.now() + sweep.OVERDUE)
        world.rpc.call("evm_mine")
        world.keeper.tick(now=monotonic())
        world.rpc.call("evm_mine")
        sleep(0.05)


def test_the_sweeper_leaves_the_workers_their_time(world: World) -> None:
    world.admit(123)
    intent = way.owe(world)

    worked = sweep.work_overdue(at=intent.next_action_at + sweep.OVERDUE - timedelta(milliseconds=1))

    # The stream of events has no due rows, it is read each time; and nobody has looked at the account yet.
    assert (worked, way.fresh(intent).status) == (2, IntentStatus.CREATED)


def test_what_is_on_the_wire_is_worked_before_what_is_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.admit(123)
    way.owe(world)
    way.tell(world)
    worked: list[str] = []
    watched = tuple(replace(stage, work=lambda _, task=stage.task: worked.append(task)) for stage in sweep.STAGES)
    monkeypatch.setattr(sweep, "STAGES", watched)

    sweep.work_overdue(at=world.now + sweep.OVERDUE)

    assert worked == ["execution.index", "execution.drain", "risk.drain", "execution.reconcile"]


def test_each_due_lane_is_rung_once(world: World, broker: redis.Redis) -> None:
    world.admit(123)
    second = world.admit(124)
    for tg_user_id in (123, 123, 124):
        way.tell(world, tg_user_id=tg_user_id)
    way.owe(world)
    broker.flushdb()

    rings = sweep.ring_due(at=world.now)

    # 123's signals were decided on the way to the owed intent.
    assert _rung(broker) == [
        ("execution.drain", [way.sender().pk]),
        ("execution.index", [_stream()]),
        ("execution.reconcile", [0]),
        ("risk.drain", [second.pk]),
    ]
    assert rings == 4


def test_nothing_due_rings_nobody_but_the_reader_of_events(world: World, broker: redis.Redis) -> None:
    assert sweep.ring_due(at=world.now) == 1
    assert _rung(broker) == [("execution.index", [_stream()])]


def _stream() -> int:
    return Cursor.objects.get().pk


def test_the_sweep_refreshes_prices_that_nobody_else_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "price_sources", lambda: world.sources)
    monkeypatch.setattr(conf, "sequencer_feed", lambda: None)
    last = PriceFeed.objects.get().answered_at

    early = sweep.refresh_overdue_prices(at=last + sweep.PRICES_OVERDUE - timedelta(milliseconds=1))
    late = sweep.refresh_overdue_prices(at=last + sweep.PRICES_OVERDUE)

    assert (early, late) == (False, True)
    assert PriceFeed.objects.get().answered_at == last + sweep.PRICES_OVERDUE


def test_the_sweep_asks_for_prices_where_nobody_ever_did(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "price_sources", lambda: world.sources)
    PriceFeed.objects.all().delete()

    assert sweep.refresh_overdue_prices(at=world.now) is True
