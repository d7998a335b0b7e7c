"""The audit log's page: narrowed by who, what and about what; each change as a difference; and whether it is whole."""

import pytest
from django.db import connection
from django.test import Client

from tests.factories import NOW
from trading.kinds import write
from trading.models import AuditRow
from trading.services import audit

pytestmark = pytest.mark.usefixtures("switch")

PAGE = "/admin/trading/auditrow/"


@write
def change(actor: str, action: str = "policy.change", **after: object) -> AuditRow:
    before = {"cap": 1, "same": "x", "gone": ["a", "b"]}
    return audit.record(
        actor=actor, action=action, subject=f"policy:{actor}", before=before, after={"same": "x", **after}, reason="why", at=NOW
    )


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")


def test_a_change_shows_what_differs_and_nothing_else(console: Client) -> None:
    change("eve", cap=2, note="<b>")

    page = console.get(PAGE).content.decode()

    shown = "cap: 1 → <strong>2</strong><br>gone: a, b → <strong>–</strong><br>note: – → <strong>&lt;b&gt;</strong>"
    assert shown in page
    assert "same:" not in page
    assert "2026-01-02 03:04:05" in page


@pytest.mark.parametrize(("column", "value"), [("actor", "eve"), ("action", "mode.change"), ("subject", "policy:eve")])
def test_the_list_is_narrowed_by_a_cells_own_value(console: Client, column: str, value: str) -> None:
    row = change("eve", "mode.change")
    change("bob")

    answer = console.get(PAGE, {f"{column}__exact": value})

    assert list(answer.context["cl"].result_list) == [row]
    assert f'href="?{column}__exact={value.replace(":", "%3A")}"' in console.get(PAGE).content.decode()


def test_a_whole_log_is_said_to_be_whole(console: Client) -> None:
    newest = change("eve")

    page = console.get(PAGE).content.decode()

    assert "The log is the one that was written: 1 row read" in page
    assert newest.hash[:16] in page


def test_a_row_that_was_tampered_with_is_named_on_the_page(console: Client) -> None:
    row = change("eve")
    tamper(f"UPDATE audit_log SET actor = 'mallory' WHERE id = {row.pk}")

    page = console.get(PAGE).content.decode()

    assert "The log isn&#x27;t the one that was written." in page or "The log isn't the one that was written." in page
    assert f"row {row.pk} was changed" in page


def test_a_log_whose_newest_row_is_gone_is_noticed_on_the_page(console: Client) -> None:
    change("bob")
    row = change("eve")
    tamper(f"DELETE FROM audit_log WHERE id = {row.pk}")

    assert "the newest rows are gone or rewritten" in console.get(PAGE).content.decode()
