"""Reports: what an account's trading made, over a span of its own days, read from what each day brought."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from trading.domain import result
from trading.domain.day import midnight
from trading.domain.errors import Invalid
from trading.domain.mode import Book
from trading.domain.result import Grain, Performance, Result
from trading.models import DayResult, Fill, Trader
from trading.models.day_result import DayResultQuerySet

# Rows that a report of fills holds in memory at a time.
CHUNK = 2_000
_FILL = (
    *("pk", "kind", "price", "collateral_usdc", "leverage_x", "fee_usdc", "rollover_usdc", "funding_usdc"),
    *("price_pnl_usdc", "realised_pnl_usdc", "payout_usdc", "tx_hash", "block_number"),
)
_RESULT = ("fills", "trades", "won", "gains", "losses", "price_pnl", "fees", "rollover", "funding", "net", "volume")


class SpanUnknown(Invalid):
    """A span of days that ends before it begins."""

    code = "SPAN_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One book of an account, from one of its days to another, both within. None: from the first, to the last."""

    trader: Trader
    book: Book
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until < self.since:
            raise SpanUnknown("the span ends before it begins", field="until")


def results(scope: Scope, *, by: Grain) -> list[tuple[Any, Result]]:
    """What each day, week, month or market brought. One query."""
    return _days(scope).by(by)


def performance(scope: Scope) -> Performance:
    """How the trading went, all in all. One query."""
    return result.performance(_days(scope).by(Grain.DAY))


def results_csv(scope: Scope, *, by: Grain) -> Iterator[str]:
    """What each day, week, month or market brought, a line each."""
    rows = ([str(key), *(str(getattr(each, name)) for name in _RESULT)] for key, each in results(scope, by=by))
    return _lines((by.lower(), *_RESULT), rows)


def fills_csv(scope: Scope) -> Iterator[str]:
    """Every fill that stands, the oldest first, a line each; read a chunk at a time, however many there are."""
    zone = ZoneInfo(scope.trader.zone)
    heads = ("filled_at", "day", "symbol", "direction", "position", "fill", *_FILL[1:])
    return _lines(heads, (_fill(each, zone=zone) for each in _fills(scope)))


def _fill(fill: Fill, *, zone: ZoneInfo) -> list[str]:
    position = fill.position
    own = (str(getattr(fill, name)) for name in _FILL)
    at = fill.filled_at
    return [
        *(at.isoformat(), at.astimezone(zone).date().isoformat(), position.market.symbol, position.direction, str(position.pk)),
        *own,
    ]


def _days(scope: Scope) -> DayResultQuerySet:
    days = DayResult.objects.of(trader_id=scope.trader.pk, book=scope.book)
    days = days if scope.since is None else days.filter(day__gte=scope.since)
    return days if scope.until is None else days.filter(day__lte=scope.until)


def _fills(scope: Scope) -> Iterator[Fill]:
    """Pages by time and number: no transaction stays open while somebody reads slowly."""
    fills = Fill.objects.canonical().filter(trader=scope.trader, book=scope.book)
    zone = ZoneInfo(scope.trader.zone)
    if scope.since is not None:
        fills = fills.filter(filled_at__gte=midnight(scope.since, zone=zone))
    if scope.until is not None:
        fills = fills.filter(filled_at__lt=midnight(scope.until + timedelta(days=1), zone=zone))
    last: tuple[datetime, int] | None = None
    while True:
        page = fills if last is None else fills.after(*last)
        rows = list(page.select_related("position__market").order_by("filled_at", "pk")[:CHUNK])
        yield from rows
        if len(rows) < CHUNK:
            return
        last = rows[-1].filled_at, rows[-1].pk


class _Line:
    """A file that says what is written to it: `writerow` returns what this `write` does."""

    def write(self, line: str) -> str:
        """The line."""
        return line


def _lines(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\n")
    yield str(writer.writerow(heads))
    for row in rows:
        yield str(writer.writerow(row))
