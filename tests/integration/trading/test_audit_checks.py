"""A row of the audit log that was changed, moved, slipped in, taken out or cut off is found and named."""

from datetime import datetime, timedelta

import pytest
from django.db import Error, connection, transaction

from tests.factories import NOW
from trading.kinds import write
from trading.models import AuditCheck, AuditHead, AuditRow
from trading.services import audit, audit_checks
from trading.services.audit_checks import BEGINNING, End, Verdict

pytestmark = pytest.mark.django_db


@write
def change(subject: str, *, at: datetime = NOW) -> AuditRow:
    return audit.record(actor="anna", action="test", subject=subject, before={"cap": 1}, after={"cap": 2}, reason="a test", at=at)


def five() -> list[AuditRow]:
    return [change(name) for name in ("first", "second", "third", "fourth", "fifth")]


def tamper(*statements: str) -> None:
    """As the owner of the tables could."""
    with connection.cursor() as cursor:
        for table in ("audit_log", "audit_heads"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in ("audit_log", "audit_heads"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found() -> tuple[str, ...]:
    return audit_checks.verify().findings


def head() -> tuple[int, str]:
    return AuditHead.objects.values_list("number", "hash").get()


def forged(*, after: AuditRow, subject: str) -> str:
    """The statement that inserts a row which continues another, as whoever knows the code can write it."""
    row = AuditRow(at=NOW, actor="mallory", action="x", subject=subject, before={}, after={}, reason="", previous_hash=after.hash)
    values = f"'{NOW.isoformat()}', 'mallory', 'x', '{subject}', '{{}}', '{{}}', '', '', '{after.hash}', '{audit.hash_of(row)}'"
    return (
        "INSERT INTO audit_log (at, actor, action, subject, before, after, reason, trace_id, previous_hash, hash)"
        f" VALUES ({values})"
    )


def test_an_untouched_log_is_whole_and_its_head_knows_its_end() -> None:
    assert audit_checks.verify() == Verdict(end=BEGINNING, is_at_end=True, findings=())

    rows = five()

    end = End(number=5, last_id=rows[-1].pk, hash=rows[-1].hash)
    assert audit_checks.verify() == Verdict(end=end, is_at_end=True, findings=())
    assert head() == (5, rows[-1].hash)


def test_a_row_that_was_rolled_back_leaves_the_head_where_it_was() -> None:
    rows = five()

    with transaction.atomic():
        change.__wrapped__("never")
        transaction.set_rollback(True)

    assert (head(), found()) == ((5, rows[-1].hash), ())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-01-02T03:04:06Z"),
        ("actor", "mallory"),
        ("action", "other"),
        ("subject", "other"),
        ("before", '{"cap": 9}'),
        ("after", "{}"),
        ("reason", ""),
        ("trace_id", "t"),
        ("previous_hash", "f" * 64),
        ("hash", "f" * 64),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_changed_row_is_named_whatever_was_changed(place: int, column: str, value: str) -> None:
    row = five()[place]

    tamper(f"UPDATE audit_log SET {column} = '{value}' WHERE id = {row.pk}")

    row.refresh_from_db()
    assert found()[0] == f"row {row.pk} was changed: {row}"


def test_a_row_that_was_changed_with_its_hash_is_found_at_the_next_one() -> None:
    rows = five()
    row = rows[2]
    row.reason = "another"

    tamper(f"UPDATE audit_log SET reason = 'another', hash = '{audit.hash_of(row)}' WHERE id = {row.pk}")

    assert found() == (
        f"before row {rows[3].pk} a row is gone or rewritten: it continues none that is there, and stands after {row.pk}",
    )


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_row_that_was_taken_out_is_missed(place: int) -> None:
    rows = five()

    tamper(f"DELETE FROM audit_log WHERE id = {rows[place].pk}")

    before = rows[place - 1].pk if place else 0
    assert found() == (
        f"before row {rows[place + 1].pk} a row is gone or rewritten: it continues none that is there, and stands after {before}",
        "there are 4 rows and 5 were written",
    )


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_newest_rows_are_missed_although_what_is_left_is_a_chain(count: int) -> None:
    rows = five()

    tamper(f"DELETE FROM audit_log WHERE id > {rows[-1].pk - count}")

    assert found() == (
        f"the newest rows are gone or rewritten: the desk's last row was number 5 with hash {rows[-1].hash}",
        f"there are {5 - count} rows and 5 were written",
    )


def test_without_its_head_a_cut_log_would_look_whole() -> None:
    """The twin: why there is a head."""
    rows = five()

    tamper(
        f"DELETE FROM audit_log WHERE id > {rows[2].pk}",
        f"UPDATE audit_heads SET number = 3, hash = '{rows[2].hash}'",
    )

    assert found() == ()
    assert audit_checks.anchor_finding(number=5, last_hash=rows[4].hash) == (
        f"the log once had 5 rows and ended with {rows[4].hash}: it has no such row anymore"
    )


def test_rows_that_changed_places_are_named_with_what_they_continue() -> None:
    rows = five()
    second, third = rows[1], rows[2]

    tamper(
        f"UPDATE audit_log SET id = -1 WHERE id = {second.pk}",
        f"UPDATE audit_log SET id = {second.pk} WHERE id = {third.pk}",
        f"UPDATE audit_log SET id = {third.pk} WHERE id = -1",
    )

    # The third row now has the second's key.
    assert found() == (
        f"row {second.pk} was moved: it continues row {third.pk} and stands after row {rows[0].pk}",
        f"row {third.pk} was moved: it continues row {rows[0].pk} and stands after row {second.pk}",
        f"row {rows[3].pk} was moved: it continues row {second.pk} and stands after row {third.pk}",
    )


def test_a_row_slipped_in_at_the_end_past_the_trigger_is_found() -> None:
    rows = five()

    tamper(forged(after=rows[-1], subject="y"))

    newest = AuditRow.objects.latest("pk")
    assert found() == (
        f"up to row {newest.pk} rows were slipped in: the desk's last row was number 5 with hash {rows[-1].hash}",
        "there are 6 rows and 5 were written",
    )


def test_a_row_cannot_continue_one_that_is_continued_already() -> None:
    rows = five()

    with pytest.raises(Error, match="previous_hash"), transaction.atomic():
        tamper(forged(after=rows[2], subject="y"))


def test_a_log_that_was_made_anew_is_shown_by_an_anchor() -> None:
    noted = [change(name) for name in ("first", "second")][1].hash
    tamper("DELETE FROM audit_log", f"UPDATE audit_heads SET number = 0, hash = '{audit.GENESIS}'")
    for name in ("first", "other"):
        change(name)

    assert found() == ()
    assert audit_checks.anchor_finding(number=2, last_hash=noted).startswith("the log once had 2 rows")


def test_an_anchor_that_still_stands_finds_nothing() -> None:
    rows = five()

    assert audit_checks.anchor_finding(number=3, last_hash=rows[2].hash) == ""
    assert audit_checks.anchor_finding(number=2, last_hash=rows[2].hash) == f"row {rows[2].pk} was number 2 and is number 3"


@pytest.mark.parametrize("number", [0, 4, 5, 7])
def test_the_head_moves_by_one_only(number: int) -> None:
    five()

    with pytest.raises(Error, match="the audit log grows by one row at a time"), transaction.atomic():
        AuditHead.objects.update(number=number)
    with pytest.raises(Error, match="Cannot delete rows from audit_heads"), transaction.atomic():
        connection.cursor().execute("DELETE FROM audit_heads")


def test_no_more_findings_are_shown_than_a_person_reads() -> None:
    for number in range(30):
        change(str(number))

    tamper("UPDATE audit_log SET actor = 'mallory'")

    assert len(found()) == audit_checks.SHOWN_AT_MOST


# --- in stretches


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of two rows, so that a round takes several."""
    monkeypatch.setattr(audit_checks, "STRETCH", 2)


def ends() -> list[tuple[int, bool]]:
    return list(AuditCheck.objects.order_by("pk").values_list("number", "is_at_end"))


def test_a_round_reads_stretch_after_stretch_to_the_end(short: None) -> None:
    five()

    for _ in range(5):
        audit_checks.go_on(at=NOW)

    # Nothing new is nothing to keep.
    assert ends() == [(2, False), (4, False), (5, True)]


def test_new_rows_go_on_with_the_round_and_a_day_later_the_next_begins(short: None) -> None:
    five()
    for _ in range(3):
        audit_checks.go_on(at=NOW)
    change("sixth")

    audit_checks.go_on(at=NOW + timedelta(hours=23))
    audit_checks.go_on(at=NOW + timedelta(hours=24))

    assert ends()[3:] == [(6, True), (2, False)]


def test_what_a_round_found_it_says_to_its_end(short: None) -> None:
    rows = five()
    tamper(f"UPDATE audit_log SET actor = 'mallory' WHERE id = {rows[0].pk}")

    for _ in range(3):
        verdict = audit_checks.go_on(at=NOW)

    assert len(verdict.findings) == 1
    assert verdict.findings[0].startswith(f"row {rows[0].pk} was changed")


def test_a_tail_cut_off_behind_the_last_reading_is_missed_at_the_next() -> None:
    rows = five()
    audit_checks.go_on(at=NOW)

    tamper(f"DELETE FROM audit_log WHERE id > {rows[3].pk}")

    assert audit_checks.glance().findings == (f"row {rows[4].pk} is gone or rewritten since it was last read",)
    assert audit_checks.go_on(at=NOW).is_whole is False


def test_a_glance_reads_what_is_new_and_keeps_nothing(short: None) -> None:
    rows = five()
    for _ in range(3):
        audit_checks.go_on(at=NOW)
    newest = change("sixth")

    verdict = audit_checks.glance()

    assert (verdict.end.number, verdict.is_at_end, verdict.is_whole) == (6, True, True)
    tamper(f"UPDATE audit_log SET actor = 'mallory' WHERE id = {newest.pk}")
    assert len(audit_checks.glance().findings) == 1
    assert rows
    assert ends()[-1] == (5, True)
