"""The control page while Redis is gone, or answers nobody."""

import os
import signal
from collections.abc import Iterator

import pytest
import redis
from django.test import Client

from risk.domain.halt import HaltScope
from risk.models import Flatten
from risk.services import halts
from tests.factories.trading import MarketFactory
from tests.integration.vanta_site.control.desk import EVERYTHING, PAGE, PAUSE, acted, locked
from trading import clock
from trading.models import ModeState


@pytest.fixture
def paused_redis(switch: redis.Redis) -> Iterator[None]:
    """The real server, that answers nobody and closes nothing."""
    pid = int(switch.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@pytest.fixture(params=["no_redis", "paused_redis"])
def redis_away(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


@pytest.mark.usefixtures("redis_away")
def test_without_redis_the_page_says_what_waits(console: Client) -> None:
    page = console.get(PAGE).content.decode()

    assert "<strong>PAPER</strong>" in page
    assert "The switch in Redis can&#x27;t be read, so DRY holds." in page
    assert "LIVE closes wait until LIVE holds again." in page


@pytest.mark.usefixtures("redis_away")
def test_without_redis_the_stop_the_pause_the_flatten_and_the_rest_work(console: Client) -> None:
    MarketFactory()
    lock = locked()

    said = [
        acted(console, "stop"),
        acted(console, "state", **PAUSE, reason="odd prices"),
        acted(console, "flatten", **EVERYTHING, reason="storm", confirmation="FLATTEN"),
        acted(console, "switch", name="maintenance", is_on="true", reason="work"),
        acted(console, "unlock", lock=str(lock.pk), reason="seen"),
        acted(console, "lift", reason="drill over"),
    ]

    assert said == [
        ["Everything is stopped."],
        ["Pause BTC-USD: done."],
        [f"Flatten {Flatten.objects.get().pk} runs; see below how far it is."],
        ["Begin maintenance: done."],
        [f"Lock {lock.pk} is lifted."],
        ["The emergency stop is lifted."],
    ]
    assert [held.scope for held in halts.held(at=clock.now())] == [HaltScope.GLOBAL, HaltScope.SYMBOL]
    assert (ModeState.objects.get(pk=1).emergency_stop, ModeState.objects.get(pk=1).maintenance) == (False, True)
