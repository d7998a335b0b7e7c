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


def test_an_unbroken_log_is_counted() -> None:
    _record("one")
    _record("two")
    out = StringIO()

    call_command("audit", "verify", stdout=out)

    assert out.getvalue() == "2 rows, unbroken\n"


def test_the_first_row_that_was_tampered_with_is_named() -> None:
    _record("one")
    second = _record("two")
    _record("three")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_log SET reason = 'other' WHERE id = %s", [second.pk])
        cursor.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")

    with pytest.raises(CommandError, match=f"broken at row {second.pk}:"):
        call_command("audit", "verify")
