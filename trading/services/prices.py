"""Quotes: refreshed by beat, read from our own table wherever a price is needed."""

from collections.abc import Iterable
from datetime import datetime

import structlog

from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.kinds import step, write
from trading.models import Market
from trading.models import Quote as QuoteRow
from trading.ports import PriceSource

log = structlog.get_logger(__name__)


@step
def refresh(*, sources: Iterable[PriceSource], at: datetime) -> int:
    """Ask every source for every listed market and keep what is newer; a silent source is logged and skipped."""
    markets = {market.symbol: market for market in Market.objects.filter(is_listed=True)}
    kept = 0
    for source in sources:
        try:
            quotes = source.quotes(markets)
        except Unavailable as error:
            log.warning("prices.source_silent", **error.facts)
            continue
        kept += _keep(quotes, markets=markets, at=at)
    return kept


@write
def _keep(quotes: list[Quote], *, markets: dict[str, Market], at: datetime) -> int:
    known = {(row.market_id, row.source): row.published_at for row in QuoteRow.objects.all()}
    rows = [_row(quote, market=markets[quote.symbol], at=at) for quote in quotes]
    # A source that goes back in time is not believed.
    newer = [row for row in rows if row.published_at > known.get((row.market_id, row.source), _LONG_AGO)]
    QuoteRow.objects.bulk_create(
        newer,
        update_conflicts=True,
        unique_fields=["market", "source"],
        update_fields=["price", "confidence", "weight", "max_age", "published_at", "received_at"],
    )
    return len(newer)


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _row(quote: Quote, *, market: Market, at: datetime) -> QuoteRow:
    return QuoteRow(
        market=market,
        source=quote.source,
        price=quote.price,
        confidence=quote.confidence,
        weight=quote.weight,
        max_age=quote.limit,
        published_at=quote.published_at,
        received_at=at,
    )
