"""What one pass over open protections costs: nothing to do, every stop following the price, and one level reached."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.selectors import Exits
from tests.factories.trading import MarketFactory, PositionFactory, ProtectionFactory, QuoteFactory, SourceFactory, TraderFactory
from trading import clock
from trading.domain.protection import AtMove, Protection, Trail
from trading.domain.units import Percent, Price
from trading.models import Position, Quote
from trading.models import Protection as ProtectionRow
from trading.services import firings, protecting

SIZES = (100, 1_000, 10_000)
PASSES = 5
_GUARD = Protection(stop=AtMove(share=Percent.of(5)), trail=Trail(activate=Percent.of(1), distance=Percent.of(1)))
# Of accounts that nobody else uses here.
_FIRST_USER = 7_000_000_000
_ENTRY = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One kind of pass over so many protections: its time, and its queries."""

    what: str
    protections: int
    milliseconds: float
    queries: int


def measure() -> list[Watch]:
    """Passes over 100, 1,000 and 10,000 open protections."""
    SourceFactory(name=firings.SOURCE, is_internal=True)
    return [watch for size in SIZES for watch in _measured(size)]


def _measured(size: int) -> Iterator[Watch]:
    _guard(size)
    prices = iter(range(_ENTRY + 1_000, _ENTRY + 1_000 + 2 * PASSES))
    yield _passes("nothing to do", size, lambda: _ENTRY)
    yield _passes("every stop follows the price", size, lambda: next(prices))
    ProtectionRow.objects.filter(pk=ProtectionRow.objects.live().latest("pk").pk).update(acts_below=Price.of(10**6))
    yield _passes("one is looked at", size, lambda: _ENTRY + 999)


def _passes(what: str, size: int, price: Callable[[], int]) -> Watch:
    spans, queries = [], set()
    for _ in range(PASSES):
        at = _price_is(price())
        begun = time.perf_counter()
        with CaptureQueriesContext(connection) as seen:
            protecting.watch(exits=Exits(), at=at)
        spans.append(time.perf_counter() - begun)
        queries.add(len(seen))
    return Watch(what=what, protections=size, milliseconds=1_000 * median(spans), queries=max(queries))


def _price_is(price: int) -> datetime:
    at = clock.now()
    Quote.objects.all().delete()
    QuoteFactory(price=Price.of(price), published_at=at, max_age=timedelta(hours=1))
    return at


def _guard(size: int) -> None:
    """So many open positions with a guard each, and no others."""
    ProtectionRow.objects.filter(replaced_at=None).update(replaced_at=clock.now(), replaced_by="bench")
    market, first = MarketFactory(), Position.objects.count()
    trader = TraderFactory(tg_user_id=_FIRST_USER + first, address=f"0x{_FIRST_USER + first:040x}")
    at = clock.now()
    positions = Position.objects.bulk_create(
        PositionFactory.build(trader=trader, market=market, venue_index=first + number, opened_at=at) for number in range(size)
    )
    ProtectionRow.objects.bulk_create(_row(position) for position in positions)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE positions, protections")


def _row(position: Position) -> ProtectionRow:
    return ProtectionFactory.build(position=position, wanted=_GUARD)
