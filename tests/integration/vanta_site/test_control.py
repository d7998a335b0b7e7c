"""The control page: each act is one audited call of one service."""

import json

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client

from trading.adapters.redis_switch import KEY
from trading.models import AuditRow, ModeState

PAGE = "/admin/control/"


def _acted(client: Client, act: str, **said: str) -> list[str]:
    answer = client.post(PAGE, {"act": act, **said}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def _audited() -> list[tuple[str, str, dict[str, object], dict[str, object], str]]:
    return list(AuditRow.objects.order_by("pk").values_list("actor", "action", "before", "after", "reason"))


def test_one_click_stops_everything(console: Client, switch: redis.Redis) -> None:
    assert _acted(console, "stop") == ["Everything is stopped."]

    state = ModeState.objects.get(pk=1)
    assert (state.emergency_stop, state.stopped_by) == (True, "admin")
    assert json.loads(switch.get(KEY))["emergency_stop"] is True
    before = {"emergency_stop": False, "stopped_by": ""}
    after = {"emergency_stop": True, "stopped_by": "admin"}
    assert _audited() == [("ada", "mode.change", before, after, "stopped from the console")]


def test_the_stop_works_without_redis(console: Client, no_redis: None) -> None:
    assert _acted(console, "stop") == ["Everything is stopped."]

    assert ModeState.objects.get(pk=1).emergency_stop is True


def test_anybody_on_the_staff_may_stop_and_nothing_else(watcher: User, switch: redis.Redis) -> None:
    client = Client()
    client.force_login(watcher)

    refused = [client.post(PAGE, {"act": act, "reason": "why"}).status_code for act in ("lift", "dry", "live", "desk", "none")]

    assert refused == [403, 403, 403, 403, 403]
    assert AuditRow.objects.count() == 0
    assert _acted(client, "stop") == ["Everything is stopped."]


def test_lifting_needs_a_reason(console: Client, switch: redis.Redis) -> None:
    _acted(console, "stop")

    assert _acted(console, "lift", reason=" ") == ["reason: This field is required."]
    assert ModeState.objects.get(pk=1).emergency_stop is True

    assert _acted(console, "lift", reason="drill over") == ["The emergency stop is lifted."]
    assert ModeState.objects.get(pk=1).emergency_stop is False
    assert _audited()[-1][4] == "drill over"


def test_live_is_typed_out(console: Client, switch: redis.Redis) -> None:
    assert _acted(console, "live", reason="go", confirmation="live") == ["confirmation: Type LIVE to go LIVE."]
    assert ModeState.objects.get(pk=1).configured == "DRY"

    _acted(console, "live", reason="go", confirmation="LIVE")

    state = ModeState.objects.get(pk=1)
    assert (state.configured, state.is_chosen) == ("LIVE", True)
    assert json.loads(switch.get(KEY))["mode"] == "LIVE"
    before, after = {"configured": "DRY", "is_chosen": False}, {"configured": "LIVE", "is_chosen": True}
    assert _audited() == [("ada", "mode.change", before, after, "go")]


def test_a_wish_is_kept_while_redis_is_away_and_the_page_says_so(console: Client, no_redis: None) -> None:
    said = _acted(console, "live", reason="go", confirmation="LIVE")

    assert said == ["The wish is kept, but the mode switch can't be reached: DRY holds until it can be."]
    assert ModeState.objects.get(pk=1).configured == "LIVE"


@pytest.mark.parametrize(("name", "start"), [("signals_enabled", True), ("maintenance", False)])
def test_the_desk_switches_are_audited(console: Client, name: str, start: bool) -> None:
    _acted(console, "desk", name=name, is_on=str(not start).lower(), reason="work")

    assert getattr(ModeState.objects.get(pk=1), name) is not start
    assert _audited() == [("ada", "mode.change", {name: start}, {name: not start}, "work")]


def test_a_form_without_its_token_is_refused(superuser: User, switch: redis.Redis) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)

    assert client.post(PAGE, {"act": "stop"}).status_code == 403
    assert ModeState.objects.get(pk=1).emergency_stop is False


def test_a_stranger_is_sent_to_the_login(desk: ModeState) -> None:
    answer = Client().post(PAGE, {"act": "stop"})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/control/")
    assert ModeState.objects.get(pk=1).emergency_stop is False


@pytest.mark.parametrize(
    ("mode", "stop", "face"),
    [("DRY", False, "PAPER"), ("LIVE", False, "LIVE"), ("LIVE", True, "STOPPED"), ("DRY", True, "STOPPED")],
)
def test_the_banner_warns_wherever_money_may_move(console: Client, switch: redis.Redis, mode: str, stop: bool, face: str) -> None:
    switch.set(KEY, json.dumps({"mode": mode, "emergency_stop": stop}))

    assert f"<strong>{face}</strong>" in console.get("/admin/").content.decode()


def test_the_banner_is_there_without_redis(console: Client, no_redis: None) -> None:
    page = console.get(PAGE).content.decode()

    assert "<strong>PAPER</strong>" in page
    assert "the switch can&#x27;t be read: ConnectionError" in page
