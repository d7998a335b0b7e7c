"""`POST /signals`: every answer the door may give, and none that it may not."""

import hashlib
import hmac
import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client

from devnet.ports import pick_free
from devnet.redis import Redis
from tests.factories.trading import MarketFactory, SourceFactory, TraderFactory
from tests.fakes import doorbell
from tests.integration.trading.bad_bodies import CANARY, ENTRY
from trading.models import AuditRow, Event, Signal, Source, Trader
from vanta_site import pipeline

pytestmark = pytest.mark.django_db

SECRET = "secret-of-the-default-source"


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    settings.WEBHOOK_HMAC_SECRET = SECRET


@pytest.fixture(autouse=True)
def trader(db: None) -> Trader:
    MarketFactory()
    return TraderFactory(tg_user_id=123)


def signed(raw: bytes, *, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def post(body: dict[str, Any] | bytes, *, content_type: str = "application/json", **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    # The client itself leaves the type of an empty body out.
    said = {"X-Signature": signed(raw), "Content-Type": content_type} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return Client().post("/signals", data=raw, content_type=content_type, headers=said)


def assert_refused(answer: HttpResponse, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert CANARY not in answer.content.decode()
    assert not any(CANARY in value for value in answer.headers.values())
    assert Signal.objects.count() == Event.objects.count() == 0
    assert doorbell.heard() == []


def test_an_accepted_signal_names_its_key_and_trace() -> None:
    answer = post(ENTRY)
    stored = Signal.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"status": "accepted", "intent_key": "sig:desk:s-1", "trace_id": stored.trace_id}
    assert stored.body == json.dumps(ENTRY)


def test_the_same_signal_again_is_a_duplicate_and_tells_its_state() -> None:
    first = post(ENTRY).json()
    again = post(ENTRY)
    assert again.status_code == 200
    assert again.json() == first | {"status": "duplicate", "state": "received"}
    assert Signal.objects.count() == 1
    assert AuditRow.objects.count() == 0


def test_the_same_id_with_another_body_is_a_conflict() -> None:
    post(ENTRY)
    answer = post(ENTRY | {"side": "SHORT"})
    assert answer.status_code == 409
    assert answer.json() == {"code": "SIGNAL_CONFLICT", "message": "this id came before with another body"}
    assert Signal.objects.get().side == "LONG"
    assert AuditRow.objects.get().action == "signal.conflict"


def test_a_ring_follows_the_commit(trader: Trader, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        post(ENTRY)
        assert doorbell.heard() == []
    assert doorbell.heard() == [("signal.accepted", trader.pk)]


@pytest.mark.parametrize("symbol", ["BTC-USD", "BTC/USD", "BTCUSD", "btc-usd"])
def test_every_way_to_write_a_market_is_taken(symbol: str) -> None:
    assert post(ENTRY | {"symbol": symbol}).status_code == 202


def test_a_hundred_times_the_same_body_is_one_row() -> None:
    answers = [post(ENTRY).status_code for _ in range(100)]
    assert answers == [202] + [200] * 99
    assert (Signal.objects.count(), Event.objects.count()) == (1, 1)


def padded(size: int) -> bytes:
    raw = json.dumps(ENTRY).encode()
    return raw + b" " * (size - len(raw))


def test_a_body_is_as_large_as_16_kib_and_no_larger() -> None:
    assert_refused(post(padded(16 * 1024 + 1)), 413, "BODY_TOO_LARGE")
    assert_refused(post(padded(4_000_000)), 413, "BODY_TOO_LARGE")
    assert AuditRow.objects.count() == 0
    assert post(padded(16 * 1024)).status_code == 202


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_taken(content_type: str) -> None:
    assert post(ENTRY, content_type=content_type).status_code == 202


RAW = json.dumps(ENTRY).encode()
GOOD = signed(RAW)
SIGNATURES = {
    "none": "",
    "another secret": signed(RAW, secret="another"),
    "no secret": signed(RAW, secret=""),
    "of another body": signed(RAW + b" "),
    "one digit off": GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"),
    "cut short": GOOD[:-1],
    "one digit more": GOOD + "0",
    "in capitals": GOOD.upper(),
    "with its name": f"sha256={GOOD}",
    "spaced": f"{GOOD[:32]} {GOOD[32:]}",
    "base64": "3q2+7w==",
    "bad base64": "%%%",
    "not ascii": "é" * 64,
    "hundreds": ",".join([GOOD] * 300),
    "huge": "a" * 60_000,
    "a digest without a key": hashlib.sha256(RAW).hexdigest(),
    "the secret itself": SECRET,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_body_without_its_signature_is_refused(name: str) -> None:
    answer = post(RAW, X_Signature=SIGNATURES[name])
    assert_refused(answer, 401, "SIGNATURE_INVALID")
    assert AuditRow.objects.count() == 0


def test_a_signature_elsewhere_is_none() -> None:
    answer = Client().post(f"/signals?signature={GOOD}&X-Signature={GOOD}", data=RAW, content_type="application/json")
    assert_refused(answer, 401, "SIGNATURE_INVALID")


def test_without_a_secret_nothing_is_signed(settings: Any) -> None:
    settings.WEBHOOK_HMAC_SECRET = ""
    for secret in ("", SECRET):
        assert_refused(post(RAW, X_Signature=signed(RAW, secret=secret)), 401, "SIGNATURE_INVALID")


def test_the_signature_is_judged_before_the_body() -> None:
    assert_refused(post(b"not json", X_Signature="x"), 401, "SIGNATURE_INVALID")


@pytest.mark.parametrize("name", ["copy:0xabc", "protection:1", "telegram:123", "console:anna", "copy", "protection", "partner"])
def test_a_name_that_is_somebody_elses_is_answered_like_a_bad_signature(name: str) -> None:
    SourceFactory(name="partner")
    answer = post(ENTRY | {"source": name})
    assert_refused(answer, 401, "SIGNATURE_INVALID")
    assert answer.json() == post(RAW, X_Signature="wrong").json()
    # It was authentic all the same: it leaves its row.
    assert AuditRow.objects.get().after == {"code": "SIGNATURE_INVALID"}


def test_a_source_that_is_switched_off_takes_nothing() -> None:
    Source.objects.filter(name=Source.DEFAULT).update(is_enabled=False)
    assert_refused(post(ENTRY), 401, "SIGNATURE_INVALID")


def test_a_browsers_forgery_guard_is_not_asked() -> None:
    raw = json.dumps(ENTRY).encode()
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/signals", data=raw, content_type="application/json", headers={"X-Signature": signed(raw)})
    assert answer.status_code == 202


def test_fifty_at_once_are_one_row(committed: None, settings: Any) -> None:
    def send(_: int) -> int:
        try:
            return post(ENTRY).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(send, range(50))) == [200] * 49 + [202]
    assert Signal.objects.count() == 1


def test_without_its_database_the_door_says_try_again(committed: None) -> None:
    (closed,) = pick_free(1)
    default = connections["default"]
    port = default.settings_dict["PORT"]
    default.close()
    default.settings_dict["PORT"] = closed
    try:
        answer = post(ENTRY)
    finally:
        default.close()
        default.settings_dict["PORT"] = port
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert "desk" not in answer.content.decode()
    assert Signal.objects.count() == 0
    assert post(ENTRY).status_code == 202


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that a test may pause and end."""
    (port,) = pick_free(1)
    server = Redis(folder=tmp_path / "redis", port=port, password="secret", is_durable=False)
    server.start(log_path=tmp_path / "redis.log")
    yield server
    server.stop()


@pytest.fixture
def real_doorbell(settings: Any, own_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Redis:
    """The pipeline's own ring, with the Redis that a test may pause."""
    settings.DOORBELL = "vanta_site.pipeline.ring"
    settings.REDIS_URL = own_redis.url
    monkeypatch.setattr(pipeline, "_broker", pipeline._Broker())
    return own_redis


@pytest.mark.parametrize("trouble", [signal.SIGSTOP, signal.SIGKILL])
def test_a_redis_that_is_paused_or_gone_costs_less_than_a_second(
    committed: None, real_doorbell: Redis, trouble: signal.Signals
) -> None:
    assert real_doorbell._process is not None
    real_doorbell._process.send_signal(trouble)
    started = time.monotonic()
    answers = [post(ENTRY | {"signal_id": str(number)}).status_code for number in range(5)]
    took = time.monotonic() - started
    if trouble is signal.SIGSTOP:
        real_doorbell._process.send_signal(signal.SIGCONT)
    assert answers == [202] * 5
    assert took < 1
    assert Signal.objects.count() == 5
