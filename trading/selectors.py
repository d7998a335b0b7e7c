"""What others read of `trading`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trading.domain import price
from trading.domain.price import AgreedPrice
from trading.models import Event, Quote, Signal


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


def agreed_prices(*, now: datetime, symbols: Iterable[str] | None = None) -> dict[str, AgreedPrice]:
    """The price on which fresh quotes agree, for each symbol that has one. One query."""
    rows = Quote.objects.select_related("market")
    if symbols is not None:
        rows = rows.filter(market__symbol__in=list(symbols))
    by_symbol: dict[str, list[price.Quote]] = {}
    for row in rows:
        by_symbol.setdefault(row.market.symbol, []).append(_quote(row))
    agreed = {symbol: price.agree(quotes, now=now) for symbol, quotes in by_symbol.items()}
    return {symbol: found for symbol, found in agreed.items() if found is not None}


def _quote(row: Quote) -> price.Quote:
    return price.Quote(
        symbol=row.market.symbol,
        source=row.source,
        price=row.price,
        confidence=row.confidence,
        weight=row.weight,
        published_at=row.published_at,
        limit=row.max_age,
    )
