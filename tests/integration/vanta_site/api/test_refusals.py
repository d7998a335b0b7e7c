"""What is refused: one kind of document, our codes, nothing of the input, and never a 500."""

from typing import Any

import pytest
from django.conf import settings as site
from django.db import OperationalError
from django.test import Client

from tests.factories import NOW
from tests.factories.logins import operator
from tests.factories.people import SUPER_ADMIN
from tests.factories.tokens import Headers, bearer
from tests.integration.trading.bad_bodies import AMBIGUOUS, CANARY, MALFORMED
from tests.integration.vanta_site.api.conftest import World
from trading.api.throttling import WINDOW_SECONDS, count, forget
from trading.domain.people import Role
from trading.models import Signal
from trading.services import tokens

CLOSE = {"Idempotency-Key": "k"}


@pytest.fixture
def boss(world: World) -> Headers:
    return bearer(world.people[Role.SUPER_ADMIN])


def problem(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert {"type", "title", "status", "detail", "code", "message"} <= said.keys() <= {*said, "field", "position"}
    assert said["status"] == answer.status_code
    return answer.status_code, said["code"]


@pytest.mark.parametrize("path", ["signals", "halts", "emergency-stop"])
@pytest.mark.parametrize(
    ("body", "status"),
    [*((body, 400) for body in MALFORMED.values() if body), *((body, 422) for body in AMBIGUOUS.values())],
    ids=[*(name for name, body in MALFORMED.items() if body), *AMBIGUOUS],
)
def test_a_bad_body_is_refused_and_not_repeated(
    client: Client, world: World, boss: Headers, path: str, body: bytes, status: int
) -> None:
    before = Signal.objects.count()

    answer = client.generic("POST", f"/api/{path}", body, content_type="application/json", headers=boss)

    assert problem(answer)[0] == status
    assert CANARY.encode() not in answer.content
    assert Signal.objects.count() == before


@pytest.mark.parametrize(
    ("content_type", "headers", "expected"),
    [
        ("text/plain", {}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ("application/x-www-form-urlencoded", {}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ("multipart/form-data; boundary=x", {}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ("application/json", {"Content-Encoding": "gzip"}, (415, "CONTENT_TYPE_UNSUPPORTED")),
        ("application/json", {"Accept": "text/html"}, (406, "NOT_ACCEPTABLE")),
    ],
)
def test_another_language_isn_t_spoken(
    client: Client, boss: Headers, content_type: str, headers: Headers, expected: tuple[int, str]
) -> None:
    answer = client.generic("POST", "/api/halts", b'{"a": 1}', content_type=content_type, headers={**boss, **headers})

    assert problem(answer) == expected


def test_a_body_has_its_size(client: Client, boss: Headers) -> None:
    answer = client.generic("POST", "/api/halts", b" " * 16_385, content_type="application/json", headers=boss)

    assert problem(answer) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "path", ["", "signal", "signals/", "signals/0", "signals/x", "signals/99999999999999999999", "../admin", "%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_isn_t_there_is_a_problem_too(client: Client, boss: Headers, path: str, method: str) -> None:
    answer = client.generic(method, f"/api/{path}", headers=boss)

    assert problem(answer) == (404, "NOT_FOUND")
    assert path.encode() not in answer.content or not path


# --- who calls


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Token {token}", "{token}", "Bearer  {token}", "Bearer {token} "),
        *("Bearer {token}x", "Bearer é", "Bearer vanta_000000000000_" + "0" * 64),
    ],
)
def test_every_failed_proof_is_answered_alike(client: Client, world: World, boss: Headers, header: str) -> None:
    shown = header.format(token=boss["Authorization"].removeprefix("Bearer "))
    answer, stranger = client.get("/api/signals", headers={"Authorization": shown}), client.get("/api/signals")

    assert problem(answer) == (401, "TOKEN_INVALID")
    assert (answer.content, answer["WWW-Authenticate"]) == (stranger.content, 'Bearer realm="vanta"')


def test_a_revoked_token_and_one_whose_person_has_left_are_answered_alike(client: Client, world: World) -> None:
    revoked, left = bearer(world.people[Role.RISK]), bearer(world.people[Role.VIEWER])
    tokens.revoke(public_id=revoked["Authorization"].split("_")[1], by=SUPER_ADMIN, reason="lost", at=NOW)
    world.people[Role.VIEWER].groups.clear()

    answers = [client.get("/api/signals", headers=headers) for headers in (revoked, left)]

    assert [problem(answer) for answer in answers] == [(401, "TOKEN_INVALID")] * 2
    assert answers[0].content == answers[1].content


def test_a_login_reads_and_acts_only_with_its_form_token(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.people[Role.SUPER_ADMIN])

    assert browser.get("/api/signals").status_code == 200
    assert problem(browser.post("/api/emergency-stop", {}, content_type="application/json")) == (403, "FORBIDDEN")
    assert world.own.flow.signal.pk


def test_a_login_without_a_role_is_nobody(world: World) -> None:
    browser = Client()
    browser.force_login(operator("bob"))

    assert problem(browser.get("/api/signals")) == (401, "TOKEN_INVALID")


# --- how often


def test_a_token_that_calls_too_often_is_told_when_to_come_back(
    client: Client, world: World, boss: Headers, settings: Any
) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    answers = [client.get("/api/mode", headers=boss) for _ in range(3)]
    another = client.get("/api/mode", headers=bearer(world.people[Role.SUPER_ADMIN]))

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert problem(answers[2]) == (429, "TOO_MANY_REQUESTS")
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert another.status_code == 200


def test_a_way_out_is_never_counted(client: Client, world: World, boss: Headers, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    position = world.own.flow.position.pk
    exit_signal = {"signal_id": "x", "tg_user_id": world.own.number, "symbol": "BTC-USD", "side": "CLOSE"}
    entry = {**exit_signal, "signal_id": "e", "side": "LONG", "collateral_usdc": 5, "leverage_x": 2}
    pause = {"scope": "GLOBAL", "state": "HALTED", "reason": "a test"}

    def asked(path: str, body: dict[str, Any]) -> int:
        return client.post(f"/api/{path}", body, content_type="application/json", headers={**boss, **CLOSE}).status_code

    assert asked("emergency-stop", {}) == 200
    assert asked("halts", pause) == 200
    assert asked(f"positions/{position}/close", {}) == 202
    assert asked("signals", exit_signal) == 202
    assert asked("mode/switch", {"mode": "DRY", "reason": "a test"}) == 200
    assert asked("signals", entry) == 429
    assert asked("emergency-stop/lift", {"reason": "a test"}) == 429


def test_a_window_ends_after_a_minute() -> None:
    forget()
    waits = [count("x", limit=1, now=now) for now in (0.0, 20.0, WINDOW_SECONDS)]

    assert waits == [0.0, 40.0, 0.0]


def test_reads_need_no_redis(client: Client, world: World, boss: Headers, no_redis: None) -> None:
    assert [client.get(f"/api/{path}", headers=boss).status_code for path in ("signals", "mode")] == [200, 200]


def test_a_database_that_is_away_is_503(client: Client, world: World, boss: Headers, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("connection to 10.0.0.7 failed")

    monkeypatch.setattr(tokens, "recognize", gone)
    answer = client.get("/api/signals", headers=boss)

    assert problem(answer) == (503, "DATABASE_UNAVAILABLE")
    assert b"10.0.0.7" not in answer.content


def test_the_token_is_in_no_log(client: Client, world: World, boss: Headers, capfd: pytest.CaptureFixture[str]) -> None:
    client.get("/api/signals", headers=boss)
    client.get("/api/signals", headers={"Authorization": boss["Authorization"] + "x"})

    assert boss["Authorization"].rpartition("_")[2] not in "".join(capfd.readouterr())
    assert site.API_CALLS_PER_MINUTE == 600
