"""CoinGecko's simple price: a cross-check that is shown beside the others and never counts."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from trading.adapters import reading
from trading.adapters.exchange import Exchange
from trading.domain.price import Quote
from trading.domain.units import Price
from trading.kinds import ask


class CoinGecko:
    """Prices of the coins that `COINGECKO_IDS` names."""

    name = "coingecko"
    weight = Decimal(0)
    # Its prices change once a minute, and its free plan allows thirty requests in one.
    rhythm = timedelta(seconds=60)
    limit = timedelta(minutes=5)

    def __init__(self, *, url: str | None = None, ids: Mapping[str, str] | None = None, api_key: str | None = None) -> None:
        self._url = f"{url or settings.COINGECKO_URL}/simple/price"
        self._ids = settings.COINGECKO_IDS if ids is None else ids
        key = settings.COINGECKO_API_KEY if api_key is None else api_key
        self._exchange = Exchange(source=self.name, headers={"x-cg-demo-api-key": key} if key else {})

    def covers(self, symbol: str, /) -> bool:
        """The markets whose coin is named."""
        return symbol in self._ids

    def close(self) -> None:
        """End its connections."""
        self._exchange.close()

    @ask
    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The last price of each coin; one that makes no sense is left out."""
        wanted = {symbol: self._ids[symbol] for symbol in markets if symbol in self._ids}
        if not wanted:
            return []
        terms = [("vs_currencies", "usd"), ("include_last_updated_at", "true"), ("precision", "full")]
        answer = reading.fields(self._exchange.get(self._url, [("ids", ",".join(sorted(set(wanted.values())))), *terms]))
        quotes = (self._quote(symbol, reading.fields(answer.get(coin))) for symbol, coin in wanted.items())
        return [quote for quote in quotes if quote is not None]

    def _quote(self, symbol: str, said: Mapping[str, object]) -> Quote | None:
        price, published_at = reading.price_of_number(said.get("usd")), reading.instant(said.get("last_updated_at"))
        if price is None or published_at is None:
            return None
        return Quote(
            symbol=symbol,
            source=self.name,
            price=price,
            confidence=Price.zero(),
            weight=self.weight,
            published_at=published_at,
            limit=self.limit,
        )
