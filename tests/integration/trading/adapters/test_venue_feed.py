"""The venue's feed: the price is that of the signed update, and so is its time."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from devnet import pyth_shapes
from devnet.markets import MARKETS as LOCAL
from devnet.price_faults import Reading
from tests.fakes.price_service import Asked, PriceService
from trading.adapters import venue_feed
from trading.adapters.venue_feed import VenueFeed
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price

FEED_IDS = {market.symbol: market.feed_id for market in LOCAL}
MARKETS = {market.symbol: market.pair_index for market in LOCAL}
UPDATES = {
    market.pair_index: pyth_shapes.update(market, Reading(answer=int(market.first_price * 10**8), published_at=1_800_000_000))
    for market in LOCAL
}


def _leg(update: object) -> dict[str, object]:
    # Another price beside the signed one: it isn't read.
    return {"core": {"price": 1.5, "priceUpdateData": update}, "pro": {"price": 1.5, "priceUpdateData": "0x02"}}


def _by_pair(changes: dict[int, object]) -> Any:
    said: dict[int, object] = {index: _leg(update) for index, update in UPDATES.items()} | changes
    return lambda asked: json.dumps(said[_pair(asked)]).encode()


def _pair(asked: Asked) -> int:
    return int(asked.path.split("/")[-2])


def _quotes(service: PriceService, changes: dict[int, object] | None = None, **more: Any) -> list[Quote]:
    service.body = _by_pair(changes or {})
    return VenueFeed(url=f"{service.url}/feed", feed_ids=more.get("feed_ids", FEED_IDS)).quotes(MARKETS)


def test_each_pair_is_read_by_its_number(service: PriceService) -> None:
    quotes = _quotes(service)

    assert sorted(asked.path for asked in service.asked) == [
        f"/feed/v2/pairs/{index}/price-update-data" for index in sorted(MARKETS.values())
    ]
    assert {quote.symbol: quote.price for quote in quotes} == {
        "ETH-USD": Price.of(3_000),
        "BTC-USD": Price.of(60_000),
        "SOL-USD": Price.of(150),
    }
    assert quotes[0] == Quote(
        symbol="ETH-USD",
        source="venue",
        price=Price.of(3_000),
        confidence=Price.of("0.3"),
        weight=Decimal("1.5"),
        published_at=datetime.fromtimestamp(1_800_000_000, tz=UTC),
        limit=timedelta(seconds=5),
    )


def test_an_envelope_around_the_answer_is_opened(service: PriceService) -> None:
    quotes = _quotes(service, {0: {"ok": True, "data": _leg(UPDATES[0])}})

    assert len(quotes) == 3


@pytest.mark.parametrize(
    "said",
    [
        *({}, [], "text", None, 5, {"core": None}, {"core": []}, {"core": {}}, {"pro": _leg(UPDATES[0])["core"]}),
        *(_leg(update) for update in (None, 5, [UPDATES[0]], "", "0x01", "zz", UPDATES[0][:-4])),
        # The update of another market.
        _leg(UPDATES[1]),
    ],
)
def test_a_pair_without_a_sound_update_is_left_out(service: PriceService, said: object) -> None:
    assert [quote.symbol for quote in _quotes(service, {0: said})] == ["BTC-USD", "SOL-USD"]


def test_where_no_feed_is_known_any_update_is_taken(service: PriceService) -> None:
    quotes = _quotes(service, {0: _leg(UPDATES[1])}, feed_ids={})

    assert quotes[0].price == Price.of(60_000)


def test_a_pair_that_is_refused_does_not_cost_the_others(service: PriceService) -> None:
    def body(asked: Asked) -> bytes:
        service.status = 404 if _pair(asked) == 0 else 200
        return json.dumps(_leg(UPDATES[_pair(asked)])).encode()

    service.body = body
    # One after the other: the status is the service's, not the request's.
    assert VenueFeed(url=service.url, feed_ids=FEED_IDS).quotes({"BTC-USD": 1})
    with pytest.raises(Unavailable):
        VenueFeed(url=service.url, feed_ids=FEED_IDS).quotes({"ETH-USD": 0})


def test_a_dead_feed_is_unavailable(service: PriceService) -> None:
    service.status = 503

    with pytest.raises(Unavailable, match="doesn't answer"):
        _quotes(service)


def test_a_feed_that_hangs_is_unavailable_in_time(service: PriceService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venue_feed, "PATIENCE_SECONDS", 0.2)
    service.drip_seconds = 0.5

    with pytest.raises(Unavailable) as caught:
        _quotes(service)

    assert caught.value.facts["error"] == "too slow"


def test_every_market_is_covered_and_none_is_no_question(service: PriceService) -> None:
    feed = VenueFeed(url=service.url, feed_ids={})

    assert feed.covers("DOGE-USD")
    assert feed.quotes({}) == []
