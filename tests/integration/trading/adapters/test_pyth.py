"""Hermes's answers, in the shape that was recorded from the real one."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes.price_service import PriceService
from trading.adapters.pyth import PythHermes
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price

BTC = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
ETH = "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"
FEEDS = {"BTC-USD": f"0x{BTC}", "ETH-USD": ETH.upper()}
MARKETS = {"BTC-USD": 1, "ETH-USD": 0, "SOL-USD": 2}


def _entry(feed_id: str, price: str, conf: str, publish_time: int) -> dict[str, Any]:
    said = {"price": price, "conf": conf, "expo": -8, "publish_time": publish_time}
    times = {"slot": 306_241_769, "proof_available_time": publish_time + 3, "prev_publish_time": publish_time - 1}
    return {"id": feed_id, "price": said, "ema_price": said, "metadata": times}


RECORDED = {
    "binary": {"encoding": "hex", "data": ["504e41550100000003b8"]},
    "parsed": [
        _entry(BTC, "6271068500001", "1776242059", 1_785_738_586),
        _entry(ETH, "197668500000", "165322403", 1_780_302_833),
    ],
}


def _quotes(service: PriceService, said: object = RECORDED, **more: Any) -> list[Quote]:
    service.say(said)
    return PythHermes(url=f"{service.url}/hermes", feeds=FEEDS, **more).quotes(MARKETS)


def test_every_feed_is_read_in_one_request(service: PriceService) -> None:
    bitcoin, ether = _quotes(service)

    assert bitcoin == Quote(
        symbol="BTC-USD",
        source="pyth",
        price=Price.of("62710.68500001"),
        confidence=Price.of("17.76242059"),
        weight=Decimal(1),
        published_at=datetime(2026, 8, 3, 6, 29, 46, tzinfo=UTC),
        limit=timedelta(seconds=5),
    )
    assert (ether.symbol, ether.price) == ("ETH-USD", Price.of("1976.685"))
    (asked,) = service.asked
    url = urlsplit(asked.path)
    assert url.path == "/hermes/v2/updates/price/latest"
    assert parse_qs(url.query) == {
        "ids[]": [f"0x{BTC}", f"0x{ETH}"],
        "parsed": ["true"],
        "ignore_invalid_price_ids": ["true"],
    }


@pytest.mark.parametrize(("key", "header"), [("", None), ("a-key", "Bearer a-key")])
def test_the_key_goes_into_the_header_if_there_is_one(service: PriceService, key: str, header: str | None) -> None:
    _quotes(service, api_key=key)

    assert service.asked[0].headers.get("authorization") == header


def test_a_source_covers_the_markets_whose_feed_is_named() -> None:
    pyth = PythHermes(url="http://127.0.0.1:1", feeds=FEEDS)

    assert [symbol for symbol in MARKETS if pyth.covers(symbol)] == ["BTC-USD", "ETH-USD"]
    assert pyth.quotes({"SOL-USD": 2}) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("id",), "dead"),
        (("id",), None),
        (("price",), None),
        (("price",), ["6271068500001"]),
        (("price", "price"), 6_271_068_500_001),
        (("price", "price"), "6271068500001.5"),
        (("price", "price"), "9" * 31),
        (("price", "conf"), None),
        (("price", "conf"), "-1"),
        (("price", "expo"), "-8"),
        (("price", "expo"), -8.0),
        (("price", "expo"), -300),
        (("price", "expo"), True),
        (("price", "publish_time"), "1785738586"),
        (("price", "publish_time"), -1),
        (("price", "publish_time"), 10**18),
    ],
)
def test_an_entry_that_makes_no_sense_is_left_out(service: PriceService, place: tuple[str, ...], value: object) -> None:
    said = deepcopy(RECORDED)
    target: Any = said["parsed"][0]
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value

    assert [quote.symbol for quote in _quotes(service, said)] == ["ETH-USD"]


def test_a_feed_that_nobody_asked_for_is_left_out_and_a_repeated_one_counts_once(service: PriceService) -> None:
    stranger = _entry("ab" * 32, "1", "1", 1_785_738_586)
    said = {"parsed": [stranger, *RECORDED["parsed"], RECORDED["parsed"][0], "text", None]}

    assert [quote.symbol for quote in _quotes(service, said)] == ["BTC-USD", "ETH-USD"]


def test_a_negative_price_is_passed_on_to_be_rejected(service: PriceService) -> None:
    assert _quotes(service, {"parsed": [_entry(BTC, "-1", "1", 1_785_738_586)]})[0].price == Price.of("-0.00000001")


@pytest.mark.parametrize("said", [[], "text", 5, None, {}, {"parsed": None}, {"parsed": {"id": BTC}}])
def test_an_answer_of_another_shape_is_unavailable(service: PriceService, said: object) -> None:
    with pytest.raises(Unavailable):
        _quotes(service, said)


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_refusal_is_unavailable(service: PriceService, status: int) -> None:
    service.status = status

    with pytest.raises(Unavailable, match="doesn't answer"):
        _quotes(service)
