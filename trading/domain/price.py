"""Prices: which quotes count, and the one price they agree on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.units import Percent, Price

# A quote may lie ahead of our clock by this much before it is disbelieved (venue practice: 2 s).
AHEAD_LIMIT = timedelta(seconds=2)
# A quote whose confidence is wider than this is dropped; the venue's own guard (1 %).
CONFIDENCE_LIMIT = Percent.of(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One source's price of one market. `confidence` is half a band, in the price's unit."""

    symbol: str
    source: str
    price: Price
    confidence: Price
    weight: Decimal
    published_at: datetime
    limit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPrice:
    """What the sources that count agree on; `published_at` is that of the oldest of them."""

    symbol: str
    price: Price
    published_at: datetime
    sources: tuple[str, ...]


def is_fresh(quote: Quote, *, now: datetime) -> bool:
    """Whether a quote is young enough for its source, and not from the future."""
    return -AHEAD_LIMIT <= now - quote.published_at <= quote.limit


def is_confident(quote: Quote) -> bool:
    """Whether the source itself is sure enough of its price."""
    return quote.confidence.raw * Percent.HUNDRED <= quote.price.raw * CONFIDENCE_LIMIT.raw


def agree(quotes: Iterable[Quote], *, now: datetime) -> AgreedPrice | None:
    """The weighted median of the quotes that count, or None if none does."""
    counted = sorted(
        (quote for quote in quotes if quote.price.raw > 0 and is_fresh(quote, now=now) and is_confident(quote)),
        key=lambda quote: quote.price.raw,
    )
    if not counted:
        return None
    return AgreedPrice(
        symbol=counted[0].symbol,
        price=_weighted_median(counted),
        published_at=min(quote.published_at for quote in counted),
        sources=tuple(sorted(quote.source for quote in counted)),
    )


def _weighted_median(ascending: list[Quote]) -> Price:
    half = sum(quote.weight for quote in ascending) / 2
    passed = Decimal(0)
    for quote in ascending:
        passed += quote.weight
        if passed >= half:
            return quote.price
    return ascending[-1].price
