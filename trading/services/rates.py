"""How many entries each source has sent in the last minute.

PostgreSQL's own rows are counted, at most once a second by each process and source; what the process itself took
since is added. So Redis isn't asked, no row is written or locked for it, and several processes together can go
over a limit by what the others took within that second, no more. What is refused as malformed isn't counted.
"""

import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count as Number
from django.db.models import Min

from trading.domain.errors import VantaError
from trading.domain.rate import WINDOW, Count
from trading.domain.signal import ENTRIES
from trading.models import Signal, Source

FRESH = timedelta(seconds=1)


class TooMany(VantaError):
    """The source has sent as many entries as it may in a minute; `retry_after` says for how many seconds to wait."""

    code = "RATE_LIMITED"

    def __init__(self, *, retry_after: int, is_news: bool) -> None:
        super().__init__("too many entries a minute", retry_after=retry_after)
        self.retry_after = retry_after
        # The first in a minute: a flood isn't written down word for word.
        self.is_news = is_news


class Meter:
    """One process's counts, by source."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: dict[int, Count] = {}
        self._own: dict[int, int] = {}
        self._told_at: dict[int, datetime] = {}

    def pass_entry(self, source: Source, *, at: datetime) -> None:
        """Count one entry of a source.

        Raises:
            TooMany: if it has sent as many as it may; then it isn't counted.
        """
        limit = source.entries_per_minute or settings.SOURCE_ENTRIES_PER_MINUTE
        count = self._count(source, at=at)
        with self._guard:
            if count.entries + self._own[source.pk] >= limit:
                raise TooMany(retry_after=count.retry_after(now=at), is_news=self._is_news(source, at=at))
            self._own[source.pk] += 1

    def _is_news(self, source: Source, *, at: datetime) -> bool:
        told_at = self._told_at.get(source.pk)
        is_news = told_at is None or at - told_at >= WINDOW
        if is_news:
            self._told_at[source.pk] = at
        return is_news

    def _count(self, source: Source, *, at: datetime) -> Count:
        with self._guard:
            known = self._counts.get(source.pk)
        if known is not None and timedelta() <= at - known.counted_at < FRESH:
            return known
        counted = _counted(source, at=at)
        with self._guard:
            self._counts[source.pk], self._own[source.pk] = counted, 0
        return counted


def _counted(source: Source, *, at: datetime) -> Count:
    entries = Signal.objects.filter(source=source, received_at__gt=at - WINDOW, side__in=ENTRIES).order_by()
    found = entries.aggregate(entries=Number("pk"), oldest_at=Min("received_at"))
    return Count(counted_at=at, **found)


meter = Meter()
