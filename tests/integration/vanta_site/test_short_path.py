"""A signal goes past what only people need, and nobody can tell by its answer."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.integration.trading.bad_bodies import ENTRY
from tests.integration.trading.doors import DOORS, Sender
from vanta_site.short_path import is_door

pytestmark = pytest.mark.django_db

SHORT = "vanta_site.short_path.ShortPath"


def answers(sender: Sender) -> list[tuple[int, bytes, dict[str, str]]]:
    """What a door says to the wrong, in order."""
    client = Client()
    said = [
        sender.post(ENTRY, X_Signature="wrong"),
        sender.post(b"not json"),
        client.get("/signals"),
        client.post("/hooks/tv/nobody", data=b"x", content_type="text/plain"),
        client.post("/hooks/tv/", data=b"x", content_type="text/plain"),
        client.post("/signals", data=b"{}", content_type="application/json", headers={"Host": "evil.example"}),
    ]
    return [(each.status_code, each.content, dict(each.headers)) for each in said]


def test_every_answer_is_that_of_the_whole_path(settings: Any) -> None:
    sender = DOORS["the default source"]()
    short = answers(sender)
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != SHORT]

    assert short == answers(sender)
    assert [status for status, _, _ in short] == [401, 400, 405, 401, 404, 400]


def test_a_database_that_is_gone_is_told_as_on_the_whole_path(settings: Any) -> None:
    def gone(*_: object) -> None:
        raise OperationalError

    sender, told = DOORS["the default source"](), []
    for each in (settings.MIDDLEWARE, [each for each in settings.MIDDLEWARE if each != SHORT]):
        settings.MIDDLEWARE = each
        with connection.execute_wrapper(gone):
            answer = sender.post(ENTRY)
        told.append((answer.status_code, answer.content, dict(answer.headers)))
    assert told[0] == told[1]
    assert told[0][0] == 503


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/signals", True),
        ("/hooks/tv/token", True),
        ("/signals/sig:desk:1", False),
        ("/signals/", False),
        ("/admin/", False),
        ("/", False),
    ],
)
def test_only_signals_take_it(path: str, is_one: bool) -> None:
    assert is_door(path) is is_one
