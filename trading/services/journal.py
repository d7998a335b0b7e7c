"""The journal: what happened, written in the transaction in which it happened, read in commit order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import structlog
from django.db import connection, models

from trading.kinds import piece
from trading.models import Event

log = structlog.get_logger(__name__)


@piece
def record(kind: str, subject: models.Model, /, *, at: datetime, trace_id: str = "", **facts: Any) -> None:
    """Write down one event, and log it."""
    record_all([event(kind, subject, at=at, trace_id=trace_id, **facts)])


def event(kind: str, subject: models.Model, /, *, at: datetime, trace_id: str = "", **facts: Any) -> Event:
    """An event, not yet written."""
    plain = {name: _plain(value) for name, value in facts.items()}
    return Event(kind=kind, subject=f"{subject._meta.model_name}:{subject.pk}", at=at, trace_id=trace_id, facts=plain)


@piece
def record_all(events: Iterable[Event]) -> None:
    """Write down several events in one statement, and log each."""
    for written in Event.objects.bulk_create(list(events)):
        tell(written.kind, subject=written.subject, trace_id=written.trace_id, **written.facts)


def tell(kind: str, /, *, subject: str, trace_id: str, **facts: Any) -> None:
    """Log an event that is written down."""
    log.info(kind, subject=subject, trace_id=trace_id, **facts)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where a reader of the journal stands: after one event of one transaction, by their numbers. The first is before all."""

    transaction_number: int = 0
    event_id: int = 0

    def __str__(self) -> str:
        return f"{self.transaction_number}-{self.event_id}"

    @classmethod
    def of(cls, event: Event) -> Self:
        """The place of an event."""
        return cls(transaction_number=event.transaction_number, event_id=event.pk)

    @classmethod
    def parsed(cls, text: str) -> Self:
        """A place as it was written."""
        transaction_number, _, event_id = text.partition("-")
        return cls(transaction_number=int(transaction_number), event_id=int(event_id))


def read_after(*, transaction_number: int, event_id: int, limit: int, among: models.QuerySet[Event] | None = None) -> list[Event]:
    """The events after a reader's place, in commit order; all, or those among some.

    A transaction still running may have written earlier rows: nothing at or after the oldest
    running transaction is shown, so a row that commits late is not skipped.
    """
    later = models.Q(transaction_number__gt=transaction_number) | models.Q(transaction_number=transaction_number, pk__gt=event_id)
    # Says nothing that the line above doesn't, and is the condition by which PostgreSQL enters the index.
    near = models.Q(transaction_number__gte=transaction_number)
    events = Event.objects.all() if among is None else among
    settled = events.filter(near, later, transaction_number__lt=_oldest_running())
    return list(settled.order_by("transaction_number", "pk")[:limit])


def latest() -> Place:
    """The place after everything that is settled by now."""
    settled = Event.objects.filter(transaction_number__lt=_oldest_running())
    newest = settled.order_by("-transaction_number", "-pk").first()
    return Place.of(newest) if newest is not None else Place()


def _oldest_running() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (oldest,) = cursor.fetchone()
    return int(oldest)


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, bool | int | list | dict)
    return value if is_plain else str(value)
