"""What others read of `trading`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from trading.domain import price, ranking
from trading.domain.feed import SEQUENCER, is_answering
from trading.domain.mode import Book
from trading.domain.price import AgreedPrice, PriceView
from trading.domain.ranking import Measure, Standing, Window
from trading.domain.result import Result
from trading.models import DayResult, Event, LastPrice, PriceFeed, Quote, Signal, Trader


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event on a signal's way, `ms` after the signal was received."""

    event: str
    subject: str
    at: datetime
    ms: int
    facts: dict[str, Any]


def timeline(signal: Signal) -> list[Moment]:
    """Everything that was written down under a signal's trace, in the order written. One query.

    What the chain says carries the block's own time, in whole seconds: `ms` may go back there.
    """
    events = Event.objects.filter(trace_id=signal.trace_id).order_by("pk")
    return [
        Moment(
            event=event.kind,
            subject=event.subject,
            at=event.at,
            ms=(event.at - signal.received_at) // timedelta(milliseconds=1),
            facts=event.facts,
        )
        for event in events
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBoard:
    """Every market's price, and who gives them."""

    views: dict[str, PriceView]
    # Those that are configured, the sequencer's too.
    feeds: list[PriceFeed]
    # Names of feeds that answer, and of whose quotes one at least counts.
    healthy: frozenset[str]


def price_board(*, now: datetime, symbols: Iterable[str] | None = None) -> PriceBoard:
    """The prices of the symbols, or of every market that was ever quoted, and the feeds behind them. Two queries."""
    feeds = list(PriceFeed.objects.filter(is_configured=True).order_by("pk"))
    rows = Quote.objects.select_related("market__last_price").order_by("pk")
    if symbols is not None:
        symbols = list(symbols)
        rows = rows.filter(market__symbol__in=symbols)
    by_symbol: dict[str, list[Quote]] = {symbol: [] for symbol in symbols or ()}
    for row in rows:
        by_symbol.setdefault(row.market.symbol, []).append(row)
    views = {symbol: _view(symbol, rows, feeds=feeds, now=now) for symbol, rows in by_symbol.items()}
    return PriceBoard(views=views, feeds=feeds, healthy=_healthy(feeds, views, now=now))


def price_views(*, now: datetime, symbols: Iterable[str] | None = None) -> dict[str, PriceView]:
    """How each market's price looks now: of the symbols, or of every market that was ever quoted. Two queries."""
    return price_board(now=now, symbols=symbols).views


def agreed_prices(*, now: datetime, symbols: Iterable[str] | None = None) -> dict[str, AgreedPrice]:
    """The price on which the sources agree, for each symbol that has one. Two queries."""
    views = price_views(now=now, symbols=symbols)
    return {symbol: view.agreed for symbol, view in views.items() if view.agreed is not None}


def leaderboard(*, window: Window, by: Measure, today: date) -> list[Standing]:
    """Every watched leader's standing in the last days, today among them; the best first. Three queries, over day rows."""
    since = today - timedelta(days=int(window) - 1)
    days = DayResult.objects.filter(trader__is_leader=True, book=Book.LIVE, day__gte=since)
    results, counts = days.by_trader(), days.good_days()
    watched = Trader.objects.leaders().filter(is_enabled=True).values_list("pk", flat=True)
    return ranking.ranked((_standing(pk, results.get(pk, Result()), counts.get(pk, (0, 0))) for pk in watched), by=by)


def _standing(leader_id: int, result: Result, days: tuple[int, int]) -> Standing:
    return Standing(leader_id=leader_id, result=result, days=days[0], good_days=days[1])


def _view(symbol: str, rows: list[Quote], *, feeds: list[PriceFeed], now: datetime) -> PriceView:
    covering = {feed.name: feed.weight for feed in feeds if symbol in feed.symbols}
    # Before the first round nobody is known to be set up: whoever gave a quote is.
    setup = covering if feeds else {row.source: row.weight for row in rows}
    last: LastPrice | None = getattr(rows[0].market, "last_price", None) if rows else None
    return price.view(
        symbol,
        quotes=[_quote(row, symbol=symbol) for row in rows if row.source in setup],
        expected=[name for name, weight in setup.items() if weight > 0],
        kept=last.as_kept(symbol=symbol) if last else None,
        sequencer=next((feed.sequencer for feed in feeds if feed.name == SEQUENCER), None),
        now=now,
    )


def _healthy(feeds: list[PriceFeed], views: dict[str, PriceView], *, now: datetime) -> frozenset[str]:
    heard = {quote.source for view in views.values() for quote in view.counted}
    rejected = {each.quote.source for view in views.values() for each in view.rejected}
    answering = {feed.name for feed in feeds if is_answering(feed.state, now=now)}
    # A source that covers nothing, or only cross-checks, is well while it answers and isn't contradicted everywhere.
    return frozenset(answering - (rejected - heard))


def _quote(row: Quote, *, symbol: str) -> price.Quote:
    return price.Quote(
        symbol=symbol,
        source=row.source,
        price=row.price,
        confidence=row.confidence,
        weight=row.weight,
        published_at=row.published_at,
        limit=row.max_age,
    )
