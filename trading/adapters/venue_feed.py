"""The venue's own feed (venue.md section 4.5): for each pair the update that its keeper posts on chain.

The answer's bare `price` has no time, and a feed that froze would look fresh for ever. So the price is read from the
signed update beside it, which says when it was published.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from trading.adapters import pyth_update, reading
from trading.adapters.exchange import PATIENCE_SECONDS, Exchange
from trading.adapters.pyth_update import NotAnUpdate, SignedPrice
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.kinds import ask

# One request a pair: so many at a time.
_AT_ONCE = 8


class VenueFeed:
    """Prices as the venue itself will fill at them."""

    name = "venue"
    weight = Decimal("1.5")
    rhythm = timedelta(0)
    limit = timedelta(seconds=5)

    def __init__(self, *, url: str | None = None, feed_ids: Mapping[str, str] | None = None) -> None:
        self._url = url or settings.VERANTA_FEED_URL
        # Where we know which feed a market is priced by, an update of another one isn't taken for it.
        self._feed_ids = settings.PYTH_FEEDS if feed_ids is None else feed_ids
        self._exchange = Exchange(source=self.name)

    def covers(self, _symbol: str, /) -> bool:
        """Every market of the venue."""
        return True

    def close(self) -> None:
        """End its connections."""
        self._exchange.close()

    @ask
    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The update of each pair; pairs without a sound one are left out."""
        pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="venue-feed")
        asked = {symbol: pool.submit(self._quote, symbol, index) for symbol, index in markets.items()}
        wait(asked.values(), timeout=PATIENCE_SECONDS)
        pool.shutdown(wait=False, cancel_futures=True)
        troubles = [trouble for each in asked.values() if (trouble := _trouble(each)) is not None]
        if asked and len(troubles) == len(asked):
            raise troubles[0]
        heard = [each.result() for each in asked.values() if _trouble(each) is None]
        return [quote for quote in heard if quote is not None]

    def _quote(self, symbol: str, pair_index: int) -> Quote | None:
        answer = reading.fields(self._exchange.get(f"{self._url}/v2/pairs/{pair_index}/price-update-data"))
        core = reading.fields(reading.fields(answer.get("data", answer)).get("core"))
        signed = self._signed(symbol, core.get("priceUpdateData"))
        if signed is None:
            return None
        return Quote(
            symbol=symbol,
            source=self.name,
            price=signed.price,
            confidence=signed.confidence,
            weight=self.weight,
            published_at=signed.published_at,
            limit=self.limit,
        )

    def _signed(self, symbol: str, update: object) -> SignedPrice | None:
        """The update's price, if it holds exactly one, and of the right feed where that is known."""
        if not isinstance(update, str):
            return None
        try:
            (signed,) = pyth_update.parse(update)
        except (NotAnUpdate, ValueError):
            return None
        expected = self._feed_ids.get(symbol, signed.feed_id)
        return signed if signed.feed_id == expected.removeprefix("0x").lower() else None


def _trouble(asked: "Future[Quote | None]") -> Unavailable | None:
    """Why a pair has no answer; an error of another kind is ours, and is raised."""
    if not asked.done() or asked.cancelled():
        return Unavailable("a price service doesn't answer", source=VenueFeed.name, error="too slow")
    trouble = asked.exception()
    if trouble is None or isinstance(trouble, Unavailable):
        return trouble
    raise trouble
