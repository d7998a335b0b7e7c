"""The Feeds page: each source's word on each market, and what was made of it."""

import re
from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client

from tests.factories.trading import EtherMarketFactory, FeedFactory, MarketFactory, QuoteFactory
from trading import clock
from trading.domain.units import Price
from trading.models import LastPrice, PriceFeed

pytestmark = pytest.mark.usefixtures("switch")

COLUMNS = 6


@pytest.fixture
def quoted(desk: object) -> None:
    """Bitcoin by four sources, of which one lies, one is silent and one is only a cross-check; ether by nobody now."""
    now = clock.now()
    bitcoin, ether = MarketFactory(), EtherMarketFactory()
    said = (("venue", "1.5", 60_000), ("pyth", "1", 60_600), ("chainlink", "1", 60_030), ("coingecko", "0", 60_000))
    for name, weight, price in said:
        FeedFactory(name=name, weight=weight, symbols=["BTC-USD"], answered_at=now)
        QuoteFactory(market=bitcoin, source=name, weight=weight, price=Price.of(price), confidence=Price.of(6), published_at=now)
    FeedFactory(name="silent", symbols=["BTC-USD", "ETH-USD"], failures=2, failed_at=now, error="HTTP 503")
    PriceFeed.objects.filter(name="pyth").update(rejections={"OUTLIER": 7, "STALE": 1})
    LastPrice.objects.create(market=ether, price=Price.of(3_000), published_at=now, sources=["venue"], agreed_at=now)
    QuoteFactory(market=ether, source="chainlink", published_at=now - timedelta(hours=1))


def _rows(page: str) -> list[list[str]]:
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    return [row for row in rows if len(row) == COLUMNS]


def test_each_source_shows_its_price_its_verdict_and_its_distance(console: Client, quoted: None) -> None:
    page = console.get("/admin/feeds/").content.decode()

    # Without the age, which goes on.
    rows = [[*row[:2], *row[3:]] for row in _rows(page)]
    assert rows == [
        ["venue", "60000", "0.0100", "counts", "0.0000"],
        ["pyth", "60600", "0.0099", "OUTLIER", "1.0000"],
        ["chainlink", "60030", "0.0100", "counts", "0.0500"],
        ["coingecko", "60000", "0.0100", "cross-check", "0.0000"],
        ["silent", "–", "–", "nothing yet", "–"],
        ["silent", "–", "–", "nothing yet", "–"],
    ]
    text = " ".join(page.split())
    assert "BTC-USD: 60000, agreed by chainlink, venue" in text
    assert "OUTLIER 7, STALE 1" in page
    assert "<td>HTTP 503</td>" in page


def test_a_market_without_agreement_shows_why_and_what_was_last_known(console: Client, quoted: None) -> None:
    PriceFeed.objects.filter(name="chainlink").update(symbols=["BTC-USD", "ETH-USD"])

    text = " ".join(console.get("/admin/feeds/").content.decode().split())

    assert "ETH-USD: PRICE_STALE, last known 3000" in text


def test_an_empty_desk_has_a_page_too(console: Client) -> None:
    page = console.get("/admin/feeds/")

    assert page.status_code == 200
    assert "No market is listed." in page.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nobody_changes_anything_here(console: Client, method: str) -> None:
    assert getattr(console, method)("/admin/feeds/").status_code == 405


def test_a_stranger_is_sent_to_the_login_and_any_operator_sees_it(client: Client, watcher: User, quoted: None) -> None:
    assert client.get("/admin/feeds/").status_code == 302
    client.force_login(watcher)

    assert client.get("/admin/feeds/").status_code == 200


def test_the_index_leads_there(console: Client, switch: redis.Redis) -> None:
    assert 'href="/admin/feeds/"' in console.get("/admin/").content.decode()
