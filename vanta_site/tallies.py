"""Totals over ledgers of millions of rows, cheap to ask again and again.

A row's number is handed out before its transaction commits, so a row can appear below one that was
already counted; but not far below: our transactions live for seconds (the guards in the database
settings see to it). What lies MARGIN rows behind the newest is counted once and remembered.
"""

from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.db.models import Count, Max, QuerySet

# More rows than any table gets while one transaction lives.
MARGIN = 20_000

Labels = tuple[Any, ...]


class Tally:
    """How many rows there are for each combination of some columns that never change."""

    def __init__(self, rows: Callable[[], QuerySet[Any]], *columns: str, margin: int = MARGIN) -> None:
        self._rows = rows
        self._columns = columns
        self._margin = margin
        self._settled: Counter[Labels] = Counter()
        self._settled_up_to = 0
        self._lock = Lock()

    def read(self) -> Counter[Labels]:
        """The counts as they are now."""
        with self._lock:
            self._settle()
            return self._settled + self._count(self._rows().filter(pk__gt=self._settled_up_to))

    def _settle(self) -> None:
        newest = self._rows().model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0
        up_to = newest - self._margin
        # In strides, so that most reads count one range and not two.
        if up_to > self._settled_up_to + self._margin // 2:
            self._settled += self._count(self._rows().filter(pk__gt=self._settled_up_to, pk__lte=up_to))
            self._settled_up_to = up_to

    def _count(self, rows: QuerySet[Any]) -> Counter[Labels]:
        if not self._columns:
            return Counter({(): rows.count()})
        found = rows.order_by().values_list(*self._columns).annotate(rows=Count("pk"))
        return Counter({tuple(labels): number for *labels, number in found})
