"""Quotes: refreshed in rounds by beat, read from our own tables wherever a price is needed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pgbulk
import structlog

from trading import locks, selectors
from trading.domain.errors import Unavailable
from trading.domain.feed import is_due
from trading.domain.price import PriceView, Quote, Rejection, is_ahead
from trading.kinds import step, write
from trading.models import LastPrice, Market, PriceFeed
from trading.models import Quote as QuoteRow
from trading.ports import PriceSource, SequencerFeed
from trading.services import asking

log = structlog.get_logger(__name__)

# A round waits this long for the slowest; a decision needs quotes of the last few seconds.
PATIENCE_SECONDS = 1.0

# What a feed said: quotes, since when the sequencer is up, or nothing.
Said = list[Quote] | datetime | None | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """A feed as it is configured, and how it is asked."""

    weight: Decimal
    rhythm: timedelta
    symbols: tuple[str, ...]
    ask: Callable[[], list[Quote] | datetime | None]


@step
def refresh(*, sources: Iterable[PriceSource], at: datetime, sequencer: SequencerFeed | None = None) -> int:
    """Ask every feed that isn't resting, all at the same time, and keep what is newer; how many quotes were."""
    markets = {market.symbol: market for market in Market.objects.filter(is_listed=True)}
    setups = {source.name: _of_source(source, markets) for source in sources}
    if sequencer is not None:
        setups[sequencer.name] = _Setup(weight=Decimal(0), rhythm=sequencer.rhythm, symbols=(), ask=sequencer.up_since)
    resting = {feed.name for feed in PriceFeed.objects.all() if not is_due(feed.state, now=at)}
    asks = {name: setup.ask for name, setup in setups.items() if name not in resting}
    said: dict[str, Said] = {**asking.side_by_side(asks, patience_seconds=PATIENCE_SECONDS)}
    return _keep(said, setups=setups, markets=markets, at=at)


def _of_source(source: PriceSource, markets: dict[str, Market]) -> _Setup:
    covered = {symbol: market.pair_index for symbol, market in sorted(markets.items()) if source.covers(symbol)}
    return _Setup(weight=source.weight, rhythm=source.rhythm, symbols=tuple(covered), ask=partial(source.quotes, covered))


@write
def _keep(said: dict[str, Said], *, setups: dict[str, _Setup], markets: dict[str, Market], at: datetime) -> int:
    feeds = _feeds(setups)
    for name, answer in said.items():
        _note(feeds[name], answer, at=at)
    quotes = [quote for answer in said.values() if isinstance(answer, list) for quote in answer if quote.symbol in markets]
    newer, unkept = _sorted_out(quotes, markets=markets, at=at)
    QuoteRow.objects.bulk_create(
        [_row(quote, market=markets[quote.symbol], at=at) for quote in newer],
        update_conflicts=True,
        unique_fields=["market", "source"],
        update_fields=["price", "confidence", "weight", "max_age", "published_at", "received_at"],
    )
    # Before the judgment: it goes by who is configured, and by the sequencer.
    pgbulk.update(PriceFeed, feeds.values(), _CHANGING)
    views = selectors.price_views(now=at)
    if _count_rejections(feeds, quotes, unkept=unkept, views=views):
        pgbulk.update(PriceFeed, feeds.values(), ["rejections"])
    _keep_agreed(views, markets=markets, at=at)
    return len(newer)


_CHANGING = ["weight", "symbols", "is_configured", "rhythm", "answered_at", "failed_at", "failures", "error", "up_since"]


def _feeds(setups: dict[str, _Setup]) -> dict[str, PriceFeed]:
    """Every feed's row under its lock, as it is configured now."""
    feeds = locks.price_feeds()
    missing = [PriceFeed(name=name, weight=setup.weight) for name, setup in setups.items() if name not in feeds]
    if missing:
        PriceFeed.objects.bulk_create(missing, ignore_conflicts=True)
        feeds = locks.price_feeds()
    for feed in feeds.values():
        setup = setups.get(feed.name)
        feed.is_configured = setup is not None
        feed.symbols = [] if setup is None else list(setup.symbols)
        if setup is not None:
            feed.weight, feed.rhythm = setup.weight, setup.rhythm
    return feeds


def _note(feed: PriceFeed, answer: Said, *, at: datetime) -> None:
    """Write down how a feed answered; each change from well to unwell and back is one line of the log."""
    if isinstance(answer, Unavailable):
        if not feed.failures:
            log.warning("prices.source_silent", source=feed.name, error=_words(answer))
        feed.failures, feed.failed_at, feed.error = feed.failures + 1, at, _words(answer)
        return
    if feed.failures:
        log.info("prices.source_back", source=feed.name, failures=feed.failures)
    feed.failures, feed.answered_at, feed.error = 0, at, ""
    if not isinstance(answer, list):
        feed.up_since = answer


def _words(trouble: Unavailable) -> str:
    return str(trouble.facts.get("error", trouble.message))[:64]


def _sorted_out(
    quotes: list[Quote], *, markets: dict[str, Market], at: datetime
) -> tuple[list[Quote], dict[tuple[str, str], Rejection]]:
    """Those that are newer than what we have, and by market and source why others may not even be kept."""
    known = {(row.market_id, row.source): row.published_at for row in QuoteRow.objects.all()}
    newer: list[Quote] = []
    unkept: dict[tuple[str, str], Rejection] = {}
    for quote in quotes:
        before = known.get((markets[quote.symbol].pk, quote.source))
        if is_ahead(quote, now=at):
            # Kept, it would make every honest quote after it look as if it went back in time.
            unkept[quote.symbol, quote.source] = Rejection.AHEAD
        elif before is None or quote.published_at > before:
            newer.append(quote)
        elif quote.published_at < before:
            unkept[quote.symbol, quote.source] = Rejection.BACKWARD
    return newer, unkept


def _count_rejections(
    feeds: dict[str, PriceFeed], quotes: list[Quote], *, unkept: dict[tuple[str, str], Rejection], views: dict[str, PriceView]
) -> bool:
    """Count each quote of this round that doesn't count under its reason; whether there was one."""
    judged = {(each.quote.symbol, each.quote.source): each.reason for view in views.values() for each in view.rejected}
    reasons = [(quote.source, (judged | unkept).get((quote.symbol, quote.source))) for quote in quotes]
    for source, reason in reasons:
        if reason is not None:
            feeds[source].rejections[reason] = feeds[source].rejections.get(reason, 0) + 1
    return any(reason is not None for _, reason in reasons)


def _keep_agreed(views: dict[str, PriceView], *, markets: dict[str, Market], at: datetime) -> None:
    agreed = [view.agreed for view in views.values() if view.agreed is not None and view.symbol in markets]
    LastPrice.objects.bulk_create(
        [
            LastPrice(
                market=markets[each.symbol],
                price=each.price,
                published_at=each.published_at,
                sources=list(each.sources),
                agreed_at=at,
            )
            for each in agreed
        ],
        update_conflicts=True,
        unique_fields=["market"],
        update_fields=["price", "published_at", "sources", "agreed_at"],
    )


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
