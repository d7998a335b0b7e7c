"""Quotes are refreshed from every source that answers, and never go back in time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import NOW
from tests.factories.trading import EtherMarketFactory, MarketFactory, QuoteFactory
from trading import selectors
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price
from trading.kinds import refuse_in_transaction
from trading.models import Quote as QuoteRow
from trading.services import prices

pytestmark = pytest.mark.django_db


@dataclass
class Quotes:
    """A price source that says what it is told."""

    name: str = "chainlink"
    said: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def quotes(self, symbols: Iterable[str]) -> list[Quote]:
        refuse_in_transaction("a price source")
        self.asked = sorted(symbols)
        if self.is_down:
            raise Unavailable("the price feeds don't answer", source=self.name, error="down")
        return [self._quote(symbol, *self.said[symbol]) for symbol in self.asked if symbol in self.said]

    def _quote(self, symbol: str, price: int, published_at: datetime) -> Quote:
        return Quote(
            symbol=symbol,
            source=self.name,
            price=Price.of(price),
            confidence=Price.zero(),
            weight=Decimal(1),
            published_at=published_at,
            limit=timedelta(seconds=5),
        )


def kept() -> list[tuple[str, str, Price, datetime]]:
    rows = QuoteRow.objects.order_by("market__symbol", "source")
    return [(row.market.symbol, row.source, row.price, row.published_at) for row in rows]


def test_each_source_is_asked_for_the_listed_markets() -> None:
    MarketFactory()
    EtherMarketFactory()
    MarketFactory(symbol="SOL-USD", pair_index=9, is_listed=False)
    source = Quotes(said={"BTC-USD": (60_000, NOW), "ETH-USD": (3_000, NOW)})
    assert prices.refresh(sources=[source], at=NOW) == 2
    assert source.asked == ["BTC-USD", "ETH-USD"]
    assert kept() == [("BTC-USD", "chainlink", Price.of(60_000), NOW), ("ETH-USD", "chainlink", Price.of(3_000), NOW)]


def test_a_newer_quote_replaces_the_old_one() -> None:
    QuoteFactory(published_at=NOW)
    later = NOW + timedelta(seconds=1)
    assert prices.refresh(sources=[Quotes(said={"BTC-USD": (61_000, later)})], at=later) == 1
    assert kept() == [("BTC-USD", "chainlink", Price.of(61_000), later)]


@pytest.mark.parametrize("back", [timedelta(0), timedelta(microseconds=1), timedelta(hours=1)])
def test_a_quote_that_goes_back_in_time_is_not_believed(back: timedelta) -> None:
    QuoteFactory(published_at=NOW)
    assert prices.refresh(sources=[Quotes(said={"BTC-USD": (1, NOW - back)})], at=NOW) == 0
    assert kept() == [("BTC-USD", "chainlink", Price.of(60_000), NOW)]


def test_a_silent_source_does_not_silence_the_others() -> None:
    MarketFactory()
    sources = [Quotes(name="dead", is_down=True), Quotes(name="alive", said={"BTC-USD": (60_000, NOW)})]
    assert prices.refresh(sources=sources, at=NOW) == 1
    assert kept() == [("BTC-USD", "alive", Price.of(60_000), NOW)]


def test_sources_keep_a_quote_each() -> None:
    MarketFactory()
    sources = [Quotes(name=name, said={"BTC-USD": (price, NOW)}) for name, price in (("a", 60_000), ("b", 60_010))]
    assert prices.refresh(sources=sources, at=NOW) == 2
    assert [source for _, source, _, _ in kept()] == ["a", "b"]


def test_the_agreed_price_comes_from_the_rows_that_are_fresh() -> None:
    QuoteFactory(source="a", price=Price.of(60_000), max_age=timedelta(seconds=5))
    QuoteFactory(source="b", price=Price.of(1), max_age=timedelta(seconds=5), published_at=NOW - timedelta(seconds=6))
    QuoteFactory(market=EtherMarketFactory(), price=Price.of(3_000), published_at=NOW - timedelta(hours=1))
    agreed = selectors.agreed_prices(now=NOW)
    assert list(agreed) == ["BTC-USD"]
    assert (agreed["BTC-USD"].price, agreed["BTC-USD"].sources) == (Price.of(60_000), ("a",))


def test_agreed_prices_cost_one_query_whatever_their_number(django_assert_num_queries: Any) -> None:
    for number in range(5):
        QuoteFactory(source=str(number))
    QuoteFactory(market=EtherMarketFactory())
    with django_assert_num_queries(1):
        selectors.agreed_prices(now=NOW, symbols=["BTC-USD", "ETH-USD"])
