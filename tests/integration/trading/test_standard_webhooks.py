"""Another project's sender signs against our door, over HTTP: the `standardwebhooks` package, as anybody would use it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer
from standardwebhooks.webhooks import Webhook

from tests.factories.trading import MarketFactory, TraderFactory
from tests.integration.trading.bad_bodies import ENTRY
from tests.integration.trading.doors import secret_of
from trading.domain.source import Auth
from trading.models import Signal


@pytest.fixture
def secret(committed: None) -> str:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    return secret_of("desk", Auth.STANDARD)


def sent(server: LiveServer, *secrets: str, body: dict[str, Any] = ENTRY, at: datetime | None = None) -> httpx.Response:
    at, raw = at or datetime.now(UTC), json.dumps(body)
    signature = " ".join(Webhook(secret).sign("msg_1", at, raw) for secret in secrets)
    said = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    headers = {"Content-Type": "application/json", **said}
    return httpx.post(f"{server.url}/signals", content=raw, headers=headers, timeout=10, trust_env=False)


def test_what_the_package_signs_is_taken_once(live_server: LiveServer, secret: str) -> None:
    answers = [sent(live_server, secret) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[1].json() == answers[0].json() | {"status": "duplicate", "state": "received"}
    assert Signal.objects.get().source.name == "desk"


def test_one_of_two_secrets_is_enough_while_they_are_changed(live_server: LiveServer, secret: str) -> None:
    another = "whsec_" + "A" * 43 + "="
    assert sent(live_server, another, secret).status_code == 202
    assert sent(live_server, another).status_code == 401


def test_what_was_signed_ten_minutes_ago_is_refused(live_server: LiveServer, secret: str) -> None:
    assert sent(live_server, secret, at=datetime.now(UTC) - timedelta(minutes=10)).status_code == 401
    assert Signal.objects.count() == 0
