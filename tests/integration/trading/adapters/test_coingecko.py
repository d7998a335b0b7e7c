"""CoinGecko's answers, in the recorded shape."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.price_service import PriceService
from trading.adapters.coingecko import CoinGecko
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price

IDS = {"BTC-USD": "bitcoin", "ETH-USD": "ethereum"}
MARKETS = {"BTC-USD": 1, "ETH-USD": 0, "SOL-USD": 2}
RECORDED = (
    b'{"bitcoin":{"usd":67187.3358936566,"last_updated_at":1711356300},"ethereum":{"usd":3502,"last_updated_at":1711356304}}'
)


def _quotes(service: PriceService, body: bytes = RECORDED, *, key: str = "") -> list[Quote]:
    service.body = body
    return CoinGecko(url=service.url, ids=IDS, api_key=key).quotes(MARKETS)


def test_every_coin_is_read_in_one_request_and_weighs_nothing(service: PriceService) -> None:
    bitcoin, ether = _quotes(service)

    assert bitcoin == Quote(
        symbol="BTC-USD",
        source="coingecko",
        price=Price.of("67187.3358936566"),
        confidence=Price.zero(),
        weight=Decimal(0),
        published_at=datetime(2024, 3, 25, 8, 45, tzinfo=UTC),
        limit=timedelta(minutes=5),
    )
    assert (ether.symbol, ether.price) == ("ETH-USD", Price.of(3_502))
    url = urlsplit(service.asked[0].path)
    assert url.path == "/simple/price"
    assert parse_qs(url.query) == {
        "ids": ["bitcoin,ethereum"],
        "vs_currencies": ["usd"],
        "include_last_updated_at": ["true"],
        "precision": ["full"],
    }


@pytest.mark.parametrize(("key", "header"), [("", None), ("a-key", "a-key")])
def test_the_key_goes_into_the_header_if_there_is_one(service: PriceService, key: str, header: str | None) -> None:
    _quotes(service, key=key)

    assert service.asked[0].headers.get("x-cg-demo-api-key") == header


@pytest.mark.parametrize(
    "said",
    [
        *(b"null", b"[]", b"5", b'"text"', b"{}"),
        *(b'{"usd":"67187","last_updated_at":1711356300}', b'{"usd":true,"last_updated_at":1711356300}'),
        *(b'{"usd":null,"last_updated_at":1711356300}', b'{"usd":1e400,"last_updated_at":1711356300}'),
        *(b'{"usd":67187}', b'{"usd":67187,"last_updated_at":"1711356300"}', b'{"usd":67187,"last_updated_at":17113563000000}'),
    ],
)
def test_a_coin_that_makes_no_sense_is_left_out(service: PriceService, said: bytes) -> None:
    body = b'{"bitcoin":' + said + b',"ethereum":{"usd":3502,"last_updated_at":1711356304}}'

    assert [quote.symbol for quote in _quotes(service, body)] == ["ETH-USD"]


def test_a_refusal_is_unavailable(service: PriceService) -> None:
    service.status = 429

    with pytest.raises(Unavailable):
        _quotes(service)


def test_it_is_asked_once_a_minute_and_for_named_coins_only(service: PriceService) -> None:
    gecko = CoinGecko(url=service.url, ids=IDS)

    assert gecko.rhythm == timedelta(seconds=60)
    assert [symbol for symbol in MARKETS if gecko.covers(symbol)] == ["BTC-USD", "ETH-USD"]
    assert gecko.quotes({"SOL-USD": 2}) == []
