"""The journal is read in commit order, and never rewritten."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import Error, connection, transaction

from tests.factories import NOW
from tests.factories.trading import TraderFactory
from trading.domain.units import Usdc
from trading.kinds import WrongKind, write
from trading.models import Event
from trading.services import journal


@write
def happen(kind: str, subject: object, /, **facts: object) -> None:
    journal.record(kind, subject, at=NOW, trace_id="t" * 32, **facts)


def kinds_after(event: Event | None) -> list[str]:
    number, event_id = (event.transaction_number, event.pk) if event else (0, 0)
    return [found.kind for found in journal.read_after(transaction_number=number, event_id=event_id, limit=100)]


@pytest.fixture
def late(committed: None) -> Iterator[psycopg.Connection]:
    """A second connection, for a transaction that commits late."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    ) as second:
        yield second


INSERT = "INSERT INTO journal (kind, subject, trace_id, facts, at) VALUES (%s, 'trader:1', '', '{}', now())"


def test_an_event_keeps_what_it_was_told(committed: None) -> None:
    trader = TraderFactory()
    happen("trader.seen", trader, kind="OPEN", amount=Usdc.of("12.5"), count=2, nothing=None, parts=["a"], is_first=True)
    (event,) = Event.objects.all()
    assert (event.kind, event.subject, event.trace_id, event.at) == ("trader.seen", f"trader:{trader.pk}", "t" * 32, NOW)
    assert event.facts == {"kind": "OPEN", "amount": "12.5", "count": 2, "nothing": None, "parts": ["a"], "is_first": True}


def test_an_event_belongs_to_a_write(committed: None) -> None:
    with pytest.raises(WrongKind):
        journal.record("trader.seen", TraderFactory(), at=NOW)
    assert Event.objects.count() == 0


def test_an_event_is_gone_with_its_transaction(committed: None) -> None:
    @write
    def fail() -> None:
        journal.record("trader.seen", TraderFactory(), at=NOW)
        raise LookupError("after the event")

    with pytest.raises(LookupError, match="after the event"):
        fail()
    assert Event.objects.count() == 0


def test_a_late_committer_is_not_skipped(late: psycopg.Connection) -> None:
    trader = TraderFactory()
    late.execute(INSERT, ["began.first"])
    happen("began.second", trader)
    # The second is committed, but showing it now would let the first slip behind the reader's place.
    assert kinds_after(None) == []
    late.commit()
    assert kinds_after(None) == ["began.first", "began.second"]
    # A reader by number alone would have gone past it: the late row's number is the smaller one.
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["began.first", "began.second"]


def test_a_late_committer_with_the_higher_row_number_is_not_skipped_either(late: psycopg.Connection) -> None:
    trader = TraderFactory()
    late.execute("SELECT pg_current_xact_id()")
    happen("began.second", trader)
    late.execute(INSERT, ["began.first"])
    assert kinds_after(None) == []
    late.commit()
    # Commit order, not row order.
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["began.second", "began.first"]
    assert kinds_after(None) == ["began.first", "began.second"]


def test_a_rolled_back_row_is_never_shown(late: psycopg.Connection) -> None:
    late.execute(INSERT, ["never"])
    late.rollback()
    happen("trader.seen", TraderFactory())
    assert kinds_after(None) == ["trader.seen"]


def test_a_reader_goes_on_from_its_place(committed: None) -> None:
    trader = TraderFactory()

    @write
    def three() -> None:
        for number in range(3):
            journal.record(f"number.{number}", trader, at=NOW)

    three()
    happen("number.3", trader)
    places = [*journal.read_after(transaction_number=0, event_id=0, limit=2)]
    assert [event.kind for event in places] == ["number.0", "number.1"]
    assert kinds_after(places[-1]) == ["number.2", "number.3"]
    assert kinds_after(Event.objects.get(kind="number.3")) == []


@pytest.mark.parametrize("statement", ["UPDATE journal SET kind = 'other'", "DELETE FROM journal"])
def test_the_database_keeps_the_journal_as_it_was_written(committed: None, statement: str) -> None:
    happen("trader.seen", TraderFactory())
    with pytest.raises(Error, match="Cannot update or delete rows from journal"), transaction.atomic():
        connection.cursor().execute(statement)
    assert [event.kind for event in Event.objects.all()] == ["trader.seen"]
