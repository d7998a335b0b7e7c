"""The emergency endpoint."""

import json

import pytest
import redis
from django.test import Client

from trading.adapters.redis_switch import KEY
from trading.models import AuditRow, ModeState

PATH = "/admin/emergency-stop"
TOKEN = {"Authorization": "Bearer token-of-the-emergency-endpoint"}


def test_a_post_with_the_token_stops_everything(client: Client, desk: ModeState, switch: redis.Redis) -> None:
    answer = client.post(PATH, headers=TOKEN)

    assert answer.status_code == 200
    assert (answer.json()["mode"], answer.json()["emergency_stop"]) == ("DRY", True)
    assert ModeState.objects.get(pk=1).stopped_by == "api"
    assert json.loads(switch.get(KEY))["emergency_stop"] is True


def test_it_stops_without_redis(client: Client, desk: ModeState, no_redis: None) -> None:
    answer = client.post(PATH, headers=TOKEN)

    assert (answer.status_code, answer.json()["emergency_stop"]) == (200, True)


def test_a_delete_with_a_reason_lifts_it(client: Client, desk: ModeState, switch: redis.Redis) -> None:
    client.post(PATH, headers=TOKEN)

    answer = client.delete(PATH, {"reason": "drill over"}, content_type="application/json", headers=TOKEN)

    assert (answer.status_code, answer.json()["emergency_stop"]) == (200, False)
    assert AuditRow.objects.latest("pk").reason == "drill over"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"reason": " "}', b'{"reason": 7}', b"[1]", b"\xff"])
def test_a_delete_without_a_reason_changes_nothing(client: Client, desk: ModeState, switch: redis.Redis, body: bytes) -> None:
    client.post(PATH, headers=TOKEN)

    answer = client.delete(PATH, body, content_type="application/json", headers=TOKEN)

    assert (answer.status_code, answer.json()["code"]) == (422, "REASON_MISSING")
    assert ModeState.objects.get(pk=1).emergency_stop is True


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "token-of-the-emergency-endpoint", "Bearer \xfc"])
def test_without_the_token_nothing_happens(client: Client, desk: ModeState, authorization: str) -> None:
    answer = client.post(PATH, headers={"Authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_INVALID")
    assert ModeState.objects.get(pk=1).emergency_stop is False


def test_without_a_configured_token_there_is_no_endpoint(client: Client, desk: ModeState, settings: object) -> None:
    settings.ADMIN_TOKEN = ""

    assert client.post(PATH, headers={"Authorization": "Bearer "}).status_code == 404


def test_other_methods_are_refused(client: Client) -> None:
    assert client.get(PATH, headers=TOKEN).status_code == 405
