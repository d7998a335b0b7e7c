"""The audit log is one chain."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from django.db import Error, connection, transaction

from tests.factories import NOW
from trading.kinds import WrongKind, write
from trading.models import AuditRow
from trading.services import audit, audit_checks

pytestmark = pytest.mark.django_db


@write
def change(subject: str, *, at: datetime = NOW) -> AuditRow:
    return audit.record(
        actor="anna",
        action="policy.change",
        subject=subject,
        before={"cap": 1},
        after={"cap": 2},
        reason="a test",
        at=at,
        trace_id="t",
    )


def test_the_first_row_continues_nothing_and_each_next_the_one_before() -> None:
    rows = [change(name) for name in ("first", "second", "third")]
    assert [row.previous_hash for row in rows] == [audit.GENESIS, rows[0].hash, rows[1].hash]
    assert len({row.hash for row in rows}) == 3


def test_a_time_of_another_zone_doesnt_look_like_an_edit() -> None:
    change("first", at=NOW.astimezone(timezone(timedelta(hours=2))))
    assert audit_checks.verify().is_whole


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'mallory'", "DELETE FROM audit_log"])
def test_the_database_keeps_the_log_as_it_was_written(statement: str) -> None:
    row = change("first")
    with pytest.raises(Error, match="Cannot update or delete rows from audit_log"), transaction.atomic():
        connection.cursor().execute(statement)
    row.refresh_from_db()
    assert row.actor == "anna"


def test_a_row_belongs_to_the_write_it_tells_of() -> None:
    with pytest.raises(WrongKind):
        audit.record(actor="a", action="b", subject="c", before={}, after={}, reason="", at=NOW)
    assert AuditRow.objects.count() == 0


def test_writers_at_the_same_moment_make_one_chain(committed: None) -> None:
    def in_a_thread(number: int) -> None:
        try:
            change(str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(in_a_thread, range(24)))
    assert AuditRow.objects.count() == 24
    assert audit_checks.verify().is_whole
