"""Pyth's Hermes (venue.md section 7): the newest price of every feed in one request."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from trading.adapters import reading
from trading.adapters.exchange import Exchange
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price
from trading.kinds import ask


class PythHermes:
    """Prices of the feeds that `PYTH_FEEDS` names."""

    name = "pyth"
    weight = Decimal(1)
    rhythm = timedelta(0)
    limit = timedelta(seconds=5)

    def __init__(self, *, url: str | None = None, feeds: Mapping[str, str] | None = None, api_key: str | None = None) -> None:
        self._url = f"{url or settings.PYTH_HERMES_URL}/v2/updates/price/latest"
        named = settings.PYTH_FEEDS if feeds is None else feeds
        self._feeds = {symbol: feed_id.removeprefix("0x").lower() for symbol, feed_id in named.items()}
        key = settings.PYTH_API_KEY if api_key is None else api_key
        self._exchange = Exchange(source=self.name, headers={"Authorization": f"Bearer {key}"} if key else {})

    def covers(self, symbol: str, /) -> bool:
        """The markets whose feed is named."""
        return symbol in self._feeds

    def close(self) -> None:
        """End its connections."""
        self._exchange.close()

    @ask
    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The newest update of each feed; one that makes no sense is left out."""
        wanted = {self._feeds[symbol]: symbol for symbol in markets if symbol in self._feeds}
        if not wanted:
            return []
        asked = [("ids[]", f"0x{feed_id}") for feed_id in wanted]
        answer = self._exchange.get(self._url, [*asked, ("parsed", "true"), ("ignore_invalid_price_ids", "true")])
        parsed = reading.fields(answer).get("parsed")
        if not isinstance(parsed, list):
            raise Unavailable("a price service makes no sense", source=self.name, error="nothing parsed")
        quotes = (self._quote(reading.fields(part), wanted) for part in parsed)
        return list({quote.symbol: quote for quote in quotes if quote is not None}.values())

    def _quote(self, part: Mapping[str, object], wanted: Mapping[str, str]) -> Quote | None:
        said = reading.fields(part.get("price"))
        symbol = wanted.get(str(part.get("id")).removeprefix("0x").lower())
        exponent, published_at = reading.whole(said.get("expo")), reading.instant(said.get("publish_time"))
        price, confidence = _scaled(said.get("price"), exponent), _scaled(said.get("conf"), exponent)
        if symbol is None or published_at is None or price is None or confidence is None or confidence.raw < 0:
            return None
        return Quote(
            symbol=symbol,
            source=self.name,
            price=price,
            confidence=confidence,
            weight=self.weight,
            published_at=published_at,
            limit=self.limit,
        )


def _scaled(mantissa: object, exponent: int | None) -> Price | None:
    number = reading.integer(mantissa)
    return None if number is None or exponent is None else reading.price(number, exponent)
