"""`manage.py audit verify`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from tests.factories import NOW
from trading.models import AuditRow
from trading.services import audit

pytestmark = pytest.mark.django_db


def _record(reason: str) -> AuditRow:
    with transaction.atomic():
        return audit.record(actor="ada", action="test", subject="x", before={}, after={}, reason=reason, at=NOW)


def _said(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", "verify", *arguments, stdout=out)
    return out.getvalue()


def test_an_unbroken_log_is_counted_and_its_end_is_said() -> None:
    _record("one")
    second = _record("two")

    assert _said() == f"2 rows, unbroken; the end is 2:{second.hash}\n"
    assert _said("--anchor", f"2:{second.hash}") == _said()


def test_what_was_tampered_with_is_named() -> None:
    _record("one")
    second = _record("two")
    _record("three")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_log SET reason = 'other' WHERE id = %s", [second.pk])
        cursor.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")

    with pytest.raises(CommandError, match=f"written:\nrow {second.pk} was changed: .* ada test x$"):
        _said()


def test_an_end_that_the_log_has_no_more_is_said() -> None:
    _record("one")

    with pytest.raises(CommandError, match="the log once had 7 rows and ended with abc"):
        _said("--anchor", "7:abc")


@pytest.mark.parametrize("anchor", ["7", "7:", "x:abc", ":abc"])
def test_an_anchor_of_another_form_is_refused(anchor: str) -> None:
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        _said("--anchor", anchor)
