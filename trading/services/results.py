"""Results: what each day brought, counted anew whenever a fill comes, goes, or comes back."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.db.models import Max, Min

from trading.domain.day import day_of
from trading.domain.mode import Book
from trading.kinds import piece
from trading.models import DayResult, Fill, Trader
from trading.models.day_result import Span

# Days that one statement counts anew: years of them would take longer than a statement may.
DAYS_AT_ONCE = 90


@piece
def recount(trader: Trader, *, book: Book, times: Iterable[datetime]) -> None:
    """Count the days anew in which something changed. One statement; the caller holds the account's lock."""
    DayResult.objects.recount({span(trader, book, at) for at in times})


@piece
def rebuild(trader: Trader) -> None:
    """Count all of an account's days anew, after its midnight moved. The caller holds its lock."""
    DayResult.objects.filter(trader=trader).delete()
    for book in Book:
        fills = Fill.objects.filter(trader=trader, book=book).aggregate(first=Min("filled_at"), last=Max("filled_at"))
        if fills["first"] is not None:
            _recount_all(_spans(trader, book, fills["first"], fills["last"]))


def _recount_all(spans: Iterator[Span]) -> None:
    while page := list(islice(spans, DAYS_AT_ONCE)):
        DayResult.objects.recount(page)


def _spans(trader: Trader, book: Book, first: datetime, last: datetime) -> Iterator[Span]:
    at = first
    while True:
        day = span(trader, book, at)
        yield day
        if last < day.ends_at:
            return
        at = day.ends_at


def span(trader: Trader, book: Book, at: datetime) -> Span:
    """The account's day in which an instant lies."""
    day = day_of(at, zone=ZoneInfo(trader.zone))
    return Span(trader_id=trader.pk, book=book, day=day.local, starts_at=day.starts_at, ends_at=day.ends_at)
