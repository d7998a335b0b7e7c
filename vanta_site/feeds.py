"""The Feeds page: each market's price by each source, with what was made of it and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from trading import clock, selectors
from trading.domain.price import PriceView, Quote, distance
from trading.domain.units import Price
from trading.models import Market, PriceFeed
from trading.selectors import PriceBoard

NOTHING = "–"
COUNTED = "counts"
CROSS_CHECK = "cross-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source's word on one market."""

    source: str
    price: str = NOTHING
    age_seconds: str = NOTHING
    confidence_pct: str = NOTHING
    verdict: str = "nothing yet"
    # From the agreed price, or from the last known one.
    distance_pct: str = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLines:
    """One market: what is agreed, and each source that is set up for it."""

    view: PriceView
    lines: list[Line]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every listed market by every source, and how each source does."""
    now = clock.now()
    listed = Market.objects.filter(is_listed=True).order_by("symbol").values_list("symbol", flat=True)
    board = selectors.price_board(now=now, symbols=listed)
    context = {
        **admin.site.each_context(request),
        "title": "Feeds",
        "markets": [MarketLines(view=view, lines=list(_lines(view, board, now=now))) for view in board.views.values()],
        "feeds": [(feed, feed.name in board.healthy, _rejections(feed)) for feed in board.feeds],
    }
    return TemplateResponse(request, "vanta/feeds.html", context)


def _lines(view: PriceView, board: PriceBoard, *, now: datetime) -> Iterator[Line]:
    verdicts = {each.quote.source: (each.quote, str(each.reason)) for each in view.rejected}
    verdicts |= {quote.source: (quote, COUNTED if quote.weight else CROSS_CHECK) for quote in view.near}
    for feed in board.feeds:
        if feed.name in verdicts:
            quote, verdict = verdicts[feed.name]
            yield _line(quote, verdict, view=view, now=now)
        elif view.symbol in feed.symbols:
            yield Line(source=feed.name)


def _line(quote: Quote, verdict: str, *, view: PriceView, now: datetime) -> Line:
    known = view.last_known
    return Line(
        source=quote.source,
        price=str(quote.price),
        age_seconds=f"{(now - quote.published_at).total_seconds():.1f}",
        confidence_pct=_share(quote.price + quote.confidence, base=quote.price),
        verdict=verdict,
        distance_pct=_share(quote.price, base=known.price) if known else NOTHING,
    )


def _share(price: Price, *, base: Price) -> str:
    return f"{distance(price, base=base).decimal:.4f}" if base.raw > 0 else NOTHING


def _rejections(feed: PriceFeed) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in sorted(feed.rejections.items())) or NOTHING
