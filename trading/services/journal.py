"""The journal: what happened, written in the transaction in which it happened, read in commit order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

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
        log.info(written.kind, subject=written.subject, trace_id=written.trace_id, **written.facts)


def read_after(*, transaction_number: int, event_id: int, limit: int) -> list[Event]:
    """The events after a reader's place, in commit order.

    A transaction still running may have written earlier rows: nothing at or after the oldest
    running transaction is shown, so a row that commits late is not skipped.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (oldest_running,) = cursor.fetchone()
    place = models.Q(transaction_number__gt=transaction_number) | models.Q(transaction_number=transaction_number, pk__gt=event_id)
    settled = Event.objects.filter(place, transaction_number__lt=oldest_running)
    return list(settled.order_by("transaction_number", "pk")[:limit])


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, bool | int | list | dict)
    return value if is_plain else str(value)
