"""Quotes are refreshed from every source that answers, and never go back in time."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from structlog.testing import capture_logs

from tests.factories import NOW
from tests.factories.trading import EtherMarketFactory, MarketFactory, QuoteFactory
from trading import selectors
from trading.domain.errors import Unavailable
from trading.domain.price import AgreedPrice, PriceTrouble, PriceView, Quote
from trading.domain.units import Price
from trading.kinds import refuse_in_transaction
from trading.models import PriceFeed
from trading.models import Quote as QuoteRow
from trading.services import prices

pytestmark = pytest.mark.django_db


@dataclass
class Quotes:
    """A price source that says what it is told."""

    name: str = "chainlink"
    said: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    error: str = ""
    weight: Decimal = Decimal(1)
    rhythm: timedelta = timedelta(0)
    uncovered: tuple[str, ...] = ()
    asked: list[dict[str, int]] = field(default_factory=list)

    def covers(self, symbol: str, /) -> bool:
        return symbol not in self.uncovered

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        refuse_in_transaction("a price source")
        self.asked.append(dict(markets))
        if self.error:
            raise Unavailable("the price feeds don't answer", source=self.name, error=self.error)
        return [self._quote(symbol, *self.said[symbol]) for symbol in markets if symbol in self.said]

    def say(self, price: int, at: datetime) -> "Quotes":
        self.said = {"BTC-USD": (price, at)}
        return self

    def _quote(self, symbol: str, price: int, published_at: datetime) -> Quote:
        return Quote(
            symbol=symbol,
            source=self.name,
            price=Price.of(price),
            confidence=Price.zero(),
            weight=self.weight,
            published_at=published_at,
            limit=timedelta(seconds=5),
        )


@dataclass
class Slow(Quotes):
    """One that takes longer than anybody waits."""

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        time.sleep(0.6)
        return super().quotes(markets)


class Broken(Quotes):
    """One with a fault of ours."""

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        raise KeyError("ours")


@dataclass
class Uptime:
    """A sequencer's feed that says what it is told."""

    says: datetime | None
    name: str = "sequencer"
    rhythm: timedelta = timedelta(seconds=10)
    is_down: bool = False

    def up_since(self) -> datetime | None:
        if self.is_down:
            raise Unavailable("no", error="down")
        return self.says


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def feed(name: str = "chainlink") -> PriceFeed:
    return PriceFeed.objects.get(name=name)


def look(seconds: float = 0) -> PriceView:
    return selectors.price_views(now=later(seconds), symbols=["BTC-USD"])["BTC-USD"]


def kept() -> list[tuple[str, str, Price, datetime]]:
    rows = QuoteRow.objects.order_by("market__symbol", "source")
    return [(row.market.symbol, row.source, row.price, row.published_at) for row in rows]


def test_each_source_is_asked_for_the_listed_markets() -> None:
    MarketFactory()
    EtherMarketFactory()
    MarketFactory(symbol="SOL-USD", pair_index=9, is_listed=False)
    source = Quotes(said={"BTC-USD": (60_000, NOW), "ETH-USD": (3_000, NOW)})
    assert prices.refresh(sources=[source], at=NOW) == 2
    assert source.asked == [{"BTC-USD": 1, "ETH-USD": 0}]
    assert kept() == [("BTC-USD", "chainlink", Price.of(60_000), NOW), ("ETH-USD", "chainlink", Price.of(3_000), NOW)]


def test_a_newer_quote_replaces_the_old_one() -> None:
    QuoteFactory(published_at=NOW)
    assert prices.refresh(sources=[Quotes().say(61_000, later(1))], at=later(1)) == 1
    assert kept() == [("BTC-USD", "chainlink", Price.of(61_000), later(1))]


@pytest.mark.parametrize("back", [timedelta(0), timedelta(microseconds=1), timedelta(hours=1)])
def test_a_quote_that_goes_back_in_time_is_not_believed(back: timedelta) -> None:
    QuoteFactory(published_at=NOW)
    assert prices.refresh(sources=[Quotes(said={"BTC-USD": (1, NOW - back)})], at=NOW) == 0
    assert kept() == [("BTC-USD", "chainlink", Price.of(60_000), NOW)]


def test_a_silent_source_does_not_silence_the_others() -> None:
    MarketFactory()
    sources = [Quotes(name="dead", error="down"), Quotes(name="alive", said={"BTC-USD": (60_000, NOW)})]
    assert prices.refresh(sources=sources, at=NOW) == 1
    assert kept() == [("BTC-USD", "alive", Price.of(60_000), NOW)]


def test_sources_keep_a_quote_each() -> None:
    MarketFactory()
    sources = [Quotes(name=name, said={"BTC-USD": (price, NOW)}) for name, price in (("a", 60_000), ("b", 60_010))]
    assert prices.refresh(sources=sources, at=NOW) == 2
    assert [source for _, source, _, _ in kept()] == ["a", "b"]


def test_the_agreed_price_comes_from_the_rows_that_are_fresh() -> None:
    for source, age in (("a", 0), ("b", 6), ("c", 1)):
        QuoteFactory(source=source, max_age=timedelta(seconds=5), published_at=later(-age), price=Price.of(60_000 + age))
    QuoteFactory(market=EtherMarketFactory(), price=Price.of(3_000), published_at=NOW - timedelta(hours=1))

    agreed = selectors.agreed_prices(now=NOW)

    assert list(agreed) == ["BTC-USD"]
    assert (agreed["BTC-USD"].price, agreed["BTC-USD"].sources) == (Price.of(60_000), ("a", "c"))


def test_prices_cost_two_queries_whatever_their_number(django_assert_num_queries: Any) -> None:
    prices.refresh(sources=[Quotes(name=str(number)).say(60_000, NOW) for number in range(5)], at=NOW)
    QuoteFactory(market=EtherMarketFactory())
    with django_assert_num_queries(2):
        selectors.agreed_prices(now=NOW, symbols=["BTC-USD", "ETH-USD"])
    with django_assert_num_queries(2):
        selectors.price_board(now=NOW)


def test_a_market_that_nobody_ever_quoted_is_stale_when_asked_for() -> None:
    assert selectors.price_views(now=NOW) == {}
    assert look() == PriceView(symbol="BTC-USD", agreed=None, last_known=None, trouble=PriceTrouble.PRICE_STALE)


def test_a_source_that_never_answered_is_missed_all_the_same() -> None:
    MarketFactory()
    prices.refresh(sources=[Quotes(name="alive").say(60_000, NOW), Quotes(name="dead", error="down")], at=NOW)

    assert look().trouble is PriceTrouble.PRICE_STALE


def test_a_source_is_not_missed_where_it_is_not_set_up() -> None:
    MarketFactory()
    other = Quotes(name="other", uncovered=("BTC-USD",))
    prices.refresh(sources=[Quotes(name="alive").say(60_000, NOW), other], at=NOW)

    assert look().trouble is None
    assert (other.asked, feed("alive").symbols, feed("other").symbols) == ([{}], ["BTC-USD"], [])


def test_a_source_that_is_no_longer_configured_neither_counts_nor_is_missed() -> None:
    MarketFactory()
    prices.refresh(sources=[Quotes(name="left").say(70_000, NOW), Quotes(name="stays").say(60_000, NOW)], at=NOW)
    assert look().trouble is PriceTrouble.PRICE_DISAGREEMENT

    prices.refresh(sources=[Quotes(name="stays").say(60_000, later(1))], at=later(1))

    agreed = look(1).agreed
    assert agreed is not None
    assert agreed.sources == ("stays",)
    assert [row.name for row in selectors.price_board(now=later(1)).feeds] == ["stays"]


def test_a_quote_from_the_future_is_not_kept_or_every_honest_one_would_seem_to_go_back() -> None:
    MarketFactory()
    assert prices.refresh(sources=[Quotes().say(60_000, later(3600))], at=NOW) == 0
    assert prices.refresh(sources=[Quotes().say(60_000, later(1))], at=later(1)) == 1
    assert feed().rejections == {"AHEAD": 1}


@pytest.mark.parametrize(
    ("price", "age", "reason"), [(0, 0, "NOT_POSITIVE"), (60_000, 6, "STALE"), (60_000, -3, "AHEAD"), (61_000, 0, "OUTLIER")]
)
def test_each_quote_that_does_not_count_is_counted_under_its_reason(price: int, age: int, reason: str) -> None:
    MarketFactory()
    honest = [Quotes(name=name).say(60_000, NOW) for name in ("a", "b")]

    prices.refresh(sources=[*honest, Quotes(name="odd").say(price, later(-age))], at=NOW)

    assert {row.name: row.rejections for row in PriceFeed.objects.all()} == {"a": {}, "b": {}, "odd": {reason: 1}}


def test_a_quote_that_goes_back_is_counted_and_one_that_is_repeated_is_not() -> None:
    MarketFactory()
    for seconds in (0, 0, -1, -2):
        prices.refresh(sources=[Quotes().say(60_000, later(seconds))], at=later(1))

    assert feed().rejections == {"BACKWARD": 2}


def test_a_frozen_source_is_counted_as_stale_each_time_it_repeats_itself() -> None:
    MarketFactory()
    for seconds in (0, 5, 6, 7):
        prices.refresh(sources=[Quotes().say(60_000, NOW)], at=later(seconds))

    assert feed().rejections == {"STALE": 2}


def test_the_last_agreed_price_serves_thirty_seconds() -> None:
    MarketFactory()
    prices.refresh(sources=[Quotes(name=name).say(60_000, NOW) for name in ("a", "b")], at=NOW)
    for seconds in (6, 30, 31):
        prices.refresh(sources=[Quotes(name=name, error="down") for name in ("a", "b")], at=later(seconds))

    agreed = AgreedPrice(symbol="BTC-USD", price=Price.of(60_000), published_at=NOW, sources=("a", "b"))
    assert look(6) == replace(look(6), agreed=None, last_known=agreed, trouble=PriceTrouble.PRICE_STALE)
    assert [look(seconds).last_known for seconds in (30, 31)] == [agreed, None]


def test_a_slow_source_does_not_delay_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "PATIENCE_SECONDS", 0.2)
    MarketFactory()

    begun = time.monotonic()
    kept_quotes = prices.refresh(sources=[Slow(name="slow").say(60_000, NOW), Quotes(name="quick").say(60_000, NOW)], at=NOW)
    spent = time.monotonic() - begun

    assert (kept_quotes, [source for _, source, _, _ in kept()]) == (1, ["quick"])
    assert (feed("slow").failures, feed("slow").error) == (1, "too slow")
    assert spent < 0.55


def test_a_source_with_a_fault_of_ours_is_named_and_the_others_go_on() -> None:
    MarketFactory()

    with capture_logs() as said:
        prices.refresh(sources=[Broken(name="broken"), Quotes(name="sound").say(60_000, NOW)], at=NOW)

    assert [(line["event"], line["log_level"]) for line in said if line["log_level"] == "error"] == [("asking.broke", "error")]
    assert (feed("broken").error, feed("sound").failures) == ("KeyError", 0)


def test_a_source_that_fails_rests_and_is_logged_once_until_it_is_back() -> None:
    MarketFactory()
    source = Quotes(error="HTTP 503")

    with capture_logs() as said:
        for seconds in (0, 0.5, 1, 2, 3, 4, 6.9):
            prices.refresh(sources=[source], at=later(seconds))
        asked_while_down = len(source.asked)
        source.error = ""
        prices.refresh(sources=[source.say(60_000, later(7))], at=later(7))

    # At 0; after a second; after two more; and, after four more, at 7.
    assert (asked_while_down, len(source.asked)) == (3, 4)
    assert [(line["event"], line["source"]) for line in said] == [
        ("prices.source_silent", "chainlink"),
        ("prices.source_back", "chainlink"),
    ]
    assert (feed().failures, feed().answered_at, feed().error) == (0, later(7), "")


def test_a_source_with_a_rhythm_is_asked_in_it() -> None:
    MarketFactory()
    source = Quotes(rhythm=timedelta(seconds=60)).say(60_000, NOW)

    for seconds in (0, 1, 59, 60):
        prices.refresh(sources=[source], at=later(seconds))

    assert len(source.asked) == 2


@pytest.mark.parametrize(
    ("uptime", "trouble"),
    [
        (None, None),
        (Uptime(says=NOW - timedelta(hours=2)), None),
        (Uptime(says=NOW - timedelta(minutes=59)), PriceTrouble.SEQUENCER_DOWN),
        (Uptime(says=None), PriceTrouble.SEQUENCER_DOWN),
        (Uptime(says=NOW, is_down=True), PriceTrouble.SEQUENCER_DOWN),
    ],
)
def test_without_a_sequencer_that_is_up_for_an_hour_no_price_is_agreed(
    uptime: Uptime | None, trouble: PriceTrouble | None
) -> None:
    MarketFactory()

    prices.refresh(sources=[Quotes().say(60_000, NOW)], sequencer=uptime, at=NOW)

    assert look().trouble is trouble


def test_a_sequencer_that_nobody_sees_any_more_counts_as_down_after_a_minute() -> None:
    MarketFactory()
    uptime = Uptime(says=NOW - timedelta(hours=2))
    prices.refresh(sources=[Quotes().say(60_000, NOW)], sequencer=uptime, at=NOW)
    uptime.is_down = True
    troubles = []
    for seconds in (10, 60, 61):
        prices.refresh(sources=[Quotes().say(60_000, later(seconds))], sequencer=uptime, at=later(seconds))
        troubles.append(look(seconds).trouble)

    assert troubles == [None, None, PriceTrouble.SEQUENCER_DOWN]


def test_a_feed_is_healthy_while_it_answers_and_something_it_says_counts() -> None:
    MarketFactory()
    EtherMarketFactory()
    both = {"BTC-USD": (60_000, NOW), "ETH-USD": (3_000, NOW)}
    sources = [
        Quotes(name="a", said=both),
        Quotes(name="b", said=both),
        Quotes(name="half", said=both | {"ETH-USD": (4_000, NOW)}),
        Quotes(name="liar", said={symbol: (price * 2, at) for symbol, (price, at) in both.items()}),
        Quotes(name="dead", error="down"),
    ]

    prices.refresh(sources=sources, sequencer=Uptime(says=NOW - timedelta(hours=2)), at=NOW)

    assert selectors.price_board(now=NOW).healthy == {"a", "b", "half", "sequencer"}
    assert selectors.price_board(now=later(6)).healthy == {"sequencer"}
    assert selectors.price_board(now=later(21)).healthy == set()


@pytest.mark.django_db(transaction=True)
def test_rounds_at_once_are_written_one_after_another() -> None:
    MarketFactory()
    sources = [Quotes(name=name).say(60_000, NOW) for name in ("a", "b")]
    with ThreadPoolExecutor(4) as pool:
        kept_quotes = list(pool.map(lambda _: _in_thread(sources), range(8)))

    assert sum(kept_quotes) == 2
    assert PriceFeed.objects.count() == 2


def _in_thread(sources: list[Quotes]) -> int:
    try:
        return prices.refresh(sources=sources, at=NOW)
    finally:
        connection.close()
