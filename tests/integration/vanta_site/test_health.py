"""Health: truthful, and within a second whatever hangs."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client

from execution import conf as execution_conf
from execution.adapters.rpc import RpcChain
from execution.models import Cursor
from execution.services import indexing
from tests.factories.execution import SenderFactory
from tests.factories.trading import FeedFactory, MarketFactory, QuoteFactory
from trading import clock
from trading.adapters.redis_switch import KEY
from trading.models import ModeState
from vanta_site import components
from vanta_site.models import Heartbeat
from vanta_site.probes import Group, Prober, healthy

COMPONENTS = {
    "database",
    "migrations",
    "celery",
    "price_feeds",
    "signer",
    "redis",
    "broker",
    "rpc",
    "indexer",
    "telegram",
}


@pytest.fixture
def running(transactional_db: None, desk: ModeState, switch: redis.Redis) -> None:
    """A desk in which every process lives: what the probes' own connections can see."""
    now = clock.now()
    for process in components.WORKERS:
        Heartbeat.objects.create(process=process, at=now)
    QuoteFactory(market=MarketFactory(), published_at=now, received_at=now)
    chain = execution_conf.desk().chain
    SenderFactory(chain_id=chain.chain_id, address=execution_conf.desk().signer.address)
    head = chain.head()
    Cursor.objects.create(stream=indexing.STREAM, chain_id=chain.chain_id, number=head.number, hash=head.hash)
    switch.set(KEY, json.dumps({"mode": "DRY", "emergency_stop": False}))


def test_healthz_touches_nothing(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_running_desk_is_ok_and_ready(client: Client, running: None) -> None:
    health = client.get("/health")

    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert set(health.json()["components"]) == COMPONENTS
    assert health.json()["components"]["telegram"]["status"] == "disabled"
    assert health.json()["components"]["indexer"]["lag_blocks"] == 0
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "components": {}})


def test_the_mode_shows_its_ceiling_its_streak_and_what_is_needed(client: Client, running: None) -> None:
    mode = client.get("/health").json()["execution_mode"]

    assert mode == {
        "mode": "DRY",
        "emergency_stop": False,
        "redis_health_streak": 1,
        "consecutive_ok_required": 3,
        "ceiling_by": "EXEC_MODE",
        "copy_ceiling": "DRY",
        "waits_for_second_person": False,
        "ceiling": "LIVE",
        "configured": "DRY",
        "reasons": ["the switch says DRY", "health streak 1 of 3"],
    }


def test_a_silent_worker_is_named_and_the_desk_is_not_ready(client: Client, running: None) -> None:
    Heartbeat.objects.filter(process="tpsl").update(at=clock.now() - timedelta(seconds=16))

    ready = client.get("/readyz")

    assert ready.status_code == 503
    assert {name: seen["detail"] for name, seen in ready.json()["components"].items()} == {"celery": "silent: tpsl"}
    assert (client.get("/health").status_code, client.get("/health").json()["status"]) == (200, "degraded")


def test_a_market_without_a_fresh_price_is_named(client: Client, running: None) -> None:
    MarketFactory(symbol="ETH-USD", pair_index=0)

    seen = client.get("/health").json()["components"]["price_feeds"]

    assert (seen["status"], seen["detail"]) == ("degraded", "no price: ETH-USD PRICE_STALE")


def test_a_source_that_is_not_well_is_named_while_the_others_agree(client: Client, running: None) -> None:
    now = clock.now()
    FeedFactory(name="chainlink", symbols=["BTC-USD"], answered_at=now)
    FeedFactory(name="pyth", symbols=["ETH-USD"], failures=3, failed_at=now, error="HTTP 503")

    seen = client.get("/health").json()["components"]["price_feeds"]

    assert (seen["status"], seen["detail"]) == ("degraded", "not well: pyth")
    assert seen["sources"] == [
        {"source": "chainlink", "healthy": True, "last_success": now.isoformat(), "error": ""},
        {"source": "pyth", "healthy": False, "last_success": None, "error": "HTTP 503"},
    ]


def test_without_any_agreed_price_the_desk_is_not_ready(client: Client, running: None) -> None:
    FeedFactory(name="pyth", symbols=["BTC-USD"])

    ready = client.get("/readyz")

    assert ready.status_code == 503
    assert {name: seen["detail"] for name, seen in ready.json()["components"].items()} == {
        "price_feeds": "no price: BTC-USD PRICE_STALE"
    }


def test_redis_down_is_degraded_and_dry(client: Client, running: None, no_redis: None) -> None:
    answer = client.get("/health")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["components"]["redis"]["status"] == "unhealthy"
    assert answer.json()["execution_mode"]["mode"] == "DRY"
    assert set(client.get("/readyz").json()["components"]) >= {"redis"}


def test_each_endpoint_of_the_chain_is_shown_by_its_number(client: Client, running: None) -> None:
    seen = client.get("/health").json()["components"]["rpc"]

    (endpoint,) = seen["endpoints"]
    assert endpoint == {"endpoint": 0, "healthy": True, "primary": True, "faults": 0, "head": seen["head"]}


def test_an_endpoint_that_fails_is_named_while_another_answers(
    client: Client, running: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = execution_conf.desk()
    two = RpcChain([*django_settings.BASE_RPC_URLS, "http://127.0.0.1:1"])
    monkeypatch.setattr(execution_conf, "desk", lambda: replace(before, chain=two))

    seen = client.get("/health").json()["components"]["rpc"]

    assert (seen["status"], seen["detail"]) == ("degraded", "not well: 1")


def test_the_answer_holds_no_secret(client: Client, running: None) -> None:
    text = client.get("/health").content.decode()

    for secret in ("SECRET_KEY", "WEBHOOK_HMAC_SECRET", "ADMIN_TOKEN", "SIGNER_PRIVATE_KEYS", "REDIS_URL", "BASE_RPC_URLS"):
        value = getattr(django_settings, secret)
        assert (value if isinstance(value, str) else value[0]) not in text


def test_a_component_that_hangs_is_unhealthy_and_asked_only_once() -> None:
    asked = []

    def hang() -> object:
        asked.append(1)
        time.sleep(0.6)
        return healthy()

    prober = Prober([Group(name="slow", checks=(("slow", hang),)), Group(name="quick", checks=(("quick", healthy),))])
    begun = time.monotonic()
    looks = [prober.look(patience_seconds=0.1) for _ in range(3)]
    spent = time.monotonic() - begun

    assert [(look["slow"].status, look["slow"].detail) for look in looks] == [("unhealthy", "no answer in time")] * 3
    assert [look["quick"].status for look in looks] == ["healthy"] * 3
    assert len(asked) == 1
    assert spent < 0.55
    assert prober.look(patience_seconds=5)["slow"].status == "healthy"
