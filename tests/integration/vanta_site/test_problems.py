"""Errors as answers."""

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from rest_framework.exceptions import NotAuthenticated

from trading.domain.errors import Conflict, Denied, Invalid, Unavailable, VantaError
from trading.domain.lifecycle import IllegalMove
from vanta_site.problems import ProblemMiddleware, answer


def _handled(error: Exception) -> HttpResponse | None:
    return ProblemMiddleware(lambda _: HttpResponse()).process_exception(RequestFactory().get("/"), error)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid("no"), 422, "INVALID"),
        (Conflict("no"), 409, "CONFLICT"),
        (IllegalMove("no"), 409, "ILLEGAL_MOVE"),
        (Denied("no"), 403, "DENIED"),
        (Unavailable("no"), 503, "UNAVAILABLE"),
        (VantaError("no"), 500, "INTERNAL"),
    ],
)
def test_each_kind_has_its_status(error: VantaError, status: int, code: str) -> None:
    plain, framework = _handled(error), answer(error, {})

    assert (plain.status_code, plain["Content-Type"]) == (status, "application/problem+json")
    assert framework.data["code"] == code
    assert framework.status_code == status
    assert framework.data["detail"] == framework.data["message"] == "no"


def test_a_database_that_is_away_is_our_trouble_and_says_nothing_about_it() -> None:
    handled = _handled(OperationalError("connection to server at 10.0.0.7, user vanta, failed"))

    assert handled.status_code == 503
    assert b"DATABASE_UNAVAILABLE" in handled.content
    assert b"10.0.0.7" not in handled.content


def test_a_bug_is_nobody_s_problem_document() -> None:
    assert _handled(ValueError("a bug")) is None
    assert answer(ValueError("a bug"), {}) is None


def test_the_framework_s_own_errors_stay_its_own() -> None:
    assert answer(NotAuthenticated(), {}).status_code == 401


def test_a_signal_meets_503_while_the_database_is_away(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore._get_session_from_db", gone)
    client.cookies["sessionid"] = "of-somebody-logged-in"

    refused = client.get("/signals/sig:desk:first")

    assert (refused.status_code, refused.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
