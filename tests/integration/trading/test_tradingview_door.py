"""TradingView's door: a token in the path, text or JSON, and the same answers as everywhere."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from structlog.testing import capture_logs

from tests.factories import NOW
from tests.factories.people import SUPER_ADMIN
from tests.factories.trading import MarketFactory, TraderFactory
from tests.fakes import doorbell
from tests.integration.trading.bad_bodies import CANARY, CASES
from trading.domain.mode import Book
from trading.domain.signal import Side, SignalStatus, Stance
from trading.domain.source import Auth, SourceMode, Terms
from trading.models import AuditRow, Signal, Source, SourceSecret
from trading.services import sources
from vanta_site.settings import logging as log_settings

pytestmark = pytest.mark.django_db

ALERT: dict[str, Any] = {
    "id": "BTCUSD-15-1",
    "symbol": "BTCUSD",
    "action": "long",
    "size": {"type": "fixed", "value": "50"},
    "leverage": "3",
}
UNPROVEN = (401, {"code": "SIGNATURE_INVALID", "message": "the signature doesn't match"})


@pytest.fixture
def token(db: None) -> str:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    terms = Terms(allowed_accounts=(123,))
    return sources.create(name="chart", auth=Auth.TOKEN, terms=terms, by=SUPER_ADMIN, reason="a test", at=NOW).text


def post(token: str, body: dict[str, Any] | str | bytes, *, kind: str = "application/json") -> HttpResponse:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Client().post(f"/hooks/tv/{token}", data=raw, content_type=kind)


def test_an_alert_is_a_signal_of_its_source(token: str, django_capture_on_commit_callbacks: Any) -> None:
    raw = json.dumps(ALERT | {"ts": "2026-11-20T10:00:00Z"})
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(token, raw)

    signal = Signal.objects.get()
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "accepted", "intent_key": "sig:chart:BTCUSD-15-1", "trace_id": signal.trace_id},
    )
    assert (signal.source.name, signal.trader.tg_user_id, signal.side, signal.stance) == ("chart", 123, Side.LONG, Stance.ANOTHER)
    assert (str(signal.collateral_usdc), str(signal.leverage_x), signal.body) == ("50", "3", raw)
    assert signal.signaled_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert doorbell.heard() == [("signal.accepted", signal.trader_id)]
    assert SourceSecret.objects.get().last_used_at is not None


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "application/json"])
def test_text_comes_as_text(token: str, kind: str) -> None:
    answer = post(token, "id=1;symbol=BTCUSDT.P;action=close_long", kind=kind)

    signal = Signal.objects.get()
    assert (answer.status_code, signal.side, signal.closes, signal.market.symbol) == (202, Side.CLOSE, "LONG", "BTC-USD")


def test_the_same_alert_again_is_a_duplicate_and_another_under_its_id_a_conflict(token: str) -> None:
    answers = [post(token, body).status_code for body in (ALERT, ALERT, ALERT | {"leverage": "4"})]

    assert (answers, Signal.objects.count()) == ([202, 200, 409], 1)


def test_a_test_goes_all_the_way_on_paper(token: str, settings: Any) -> None:
    settings.EXEC_MODE, settings.COPY_IS_SET = "LIVE", False
    post(token, ALERT | {"test": True})

    signal = Signal.objects.get()
    assert (signal.is_test, signal.book, signal.status) == (True, Book.PAPER, SignalStatus.RECEIVED)


@pytest.mark.parametrize("beat", ["action=heartbeat", json.dumps({"action": "heartbeat"})])
def test_a_heartbeat_is_heard_and_asks_nothing(token: str, beat: str) -> None:
    answer = post(token, beat, kind="text/plain")

    assert (answer.status_code, answer.json(), Signal.objects.count()) == (200, {"status": "heard"}, 0)
    assert Source.objects.get(name="chart").last_heard_at is not None
    assert post(token, {"action": "heartbeat", "secret": "another"}).status_code == 401


def test_a_guard_is_kept_with_the_signal(token: str) -> None:
    post(token, ALERT | {"sl": {"type": "pct", "value": "1"}})

    assert Signal.objects.get().protection == {
        "stop": {"move_pct": "1"},
        "targets": [],
        "breakeven_after": None,
        "trail": None,
        "time_stop_minutes": None,
    }


def test_a_source_that_asks_first_asks(token: str) -> None:
    sources.edit(
        name="chart", terms=Terms(allowed_accounts=(123,), mode=SourceMode.APPROVE), by=SUPER_ADMIN, reason="a test", at=NOW
    )
    post(token, ALERT)

    assert Signal.objects.get().status == SignalStatus.AWAITING


@pytest.mark.parametrize("wrong", ["x", "x" * 43, "ü" * 10, "%00"])
def test_nobodys_token_is_answered_like_a_bad_signature(token: str, wrong: str) -> None:
    answer = post(wrong, ALERT)

    assert (answer.status_code, answer.json()) == UNPROVEN
    assert not Signal.objects.exists()


def test_a_revoked_token_and_a_closed_source_are_nobodys(token: str) -> None:
    other = sources.rotate(name="chart", by=SUPER_ADMIN, reason="a test", at=NOW).text
    sources.revoke(key_id=SourceSecret.objects.earliest("pk").key_id, by=SUPER_ADMIN, reason="a test", at=NOW)
    assert (post(token, ALERT).status_code, post(other, ALERT).status_code) == (401, 202)

    sources.disable(name="chart", by=SUPER_ADMIN, reason="a test", at=NOW)
    assert post(other, ALERT).status_code == 401


def test_a_token_in_the_body_must_be_the_sources_own_and_is_not_kept(token: str) -> None:
    answers = [post(token, ALERT | {"secret": secret}).status_code for secret in ("another", token)]

    assert answers == [401, 202]
    assert token not in Signal.objects.get().body
    assert not AuditRow.objects.filter(after__icontains=token).exists()


def test_only_posts_and_only_what_it_reads(token: str) -> None:
    assert Client().get(f"/hooks/tv/{token}").status_code == 405
    assert post(token, ALERT, kind="application/xml").status_code == 415
    assert post(token, b"x" * 16_385, kind="text/plain").status_code == 413


def test_a_refused_alert_leaves_its_row(token: str) -> None:
    answer = post(token, ALERT | {"price": "{{close}}"})

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "UNEXPANDED_PLACEHOLDER", "price")
    row = AuditRow.objects.get(action="signal.refused")
    assert (row.actor, row.after) == ("source:chart", {"code": "UNEXPANDED_PLACEHOLDER"})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_what_is_hostile_to_signals_is_refused_here_too(token: str, name: str, kind: str) -> None:
    answer = post(token, CASES[name].raw, kind=kind)

    assert answer.status_code in {400, 413, 415, 422}
    assert CANARY not in answer.content.decode()
    assert not Signal.objects.exists()
    assert AuditRow.objects.filter(action="signal.refused").count() == (0 if answer.status_code in {413, 415} else 1)


def test_no_log_line_shows_the_token() -> None:
    with capture_logs(processors=[log_settings._mask_tokens]) as lines:
        log_settings.structlog.get_logger("django.request").warning("Unauthorized: /hooks/tv/s3cr3t", path="/hooks/tv/s3cr3t?x=1")

    (line,) = lines
    assert (line["event"], line["path"]) == ("Unauthorized: /hooks/tv/…", "/hooks/tv/…?x=1")
