"""Chainlink's rounds: from the first endpoint that knows them, and nothing of one that isn't a round."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes import price_service
from tests.fakes.price_service import Asked, PriceService
from trading.adapters.chainlink import HEARTBEAT, ChainlinkFeeds, ChainlinkSequencer
from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price

FEEDS = {"BTC-USD": "0x01", "ETH-USD": "0x02"}
MARKETS = {"BTC-USD": 1, "ETH-USD": 0, "SOL-USD": 2}
UPDATED = 1_800_000_000


@pytest.fixture
def second() -> Iterator[PriceService]:
    with price_service.running() as running:
        yield running


def _round(answer: int = 6_000_000_000_000, *, updated: int = UPDATED, number: int = 7, answered: int = 7) -> str:
    words = (number, answer, updated, updated, answered)
    return "0x" + b"".join((word % 2**256).to_bytes(32) for word in words).hex()


def _node(results: dict[str, object]) -> Any:
    """A node that answers calls by their target; in the wrong order, which it may."""

    def body(asked: Asked) -> bytes:
        calls = json.loads(asked.body)
        answers = [{"jsonrpc": "2.0", "id": call["id"], "result": results[call["params"][0]["to"]]} for call in calls]
        return json.dumps(answers[::-1]).encode()

    return body


def _feeds(*services: PriceService) -> ChainlinkFeeds:
    return ChainlinkFeeds(rpc_urls=[service.url for service in services], feeds=FEEDS)


def test_every_feed_is_read_in_one_batch(service: PriceService) -> None:
    service.body = _node({"0x01": _round(), "0x02": _round(300_000_000_000)})

    bitcoin, ether = _feeds(service).quotes(MARKETS)

    assert bitcoin == Quote(
        symbol="BTC-USD",
        source="chainlink",
        price=Price.of(60_000),
        confidence=Price.zero(),
        weight=Decimal(1),
        published_at=datetime.fromtimestamp(UPDATED, tz=UTC),
        limit=HEARTBEAT,
    )
    assert (ether.symbol, ether.price) == ("ETH-USD", Price.of(3_000))
    (asked,) = service.asked
    assert [call["params"] for call in json.loads(asked.body)] == [
        [{"to": address, "data": "0xfeaf968c"}, "latest"] for address in ("0x01", "0x02")
    ]


@pytest.mark.parametrize(
    "result",
    [
        *(None, 5, "", "0x", "0x01", "zz", _round() + "00", _round(updated=0), _round(updated=2**255), _round(2**255 - 1)),
        # Answered in an earlier round: the feed calls it incomplete.
        _round(number=8, answered=7),
    ],
)
def test_a_feed_without_a_sound_round_is_left_out(service: PriceService, result: object) -> None:
    service.body = _node({"0x01": result, "0x02": _round()})

    assert [quote.symbol for quote in _feeds(service).quotes(MARKETS)] == ["ETH-USD"]


@pytest.mark.parametrize("answer", [0, -5])
def test_a_price_that_is_not_positive_is_passed_on_to_be_rejected(service: PriceService, answer: int) -> None:
    service.body = _node({"0x01": _round(answer), "0x02": _round()})

    assert _feeds(service).quotes(MARKETS)[0].price.raw == answer * 100


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (503, []),
        (200, {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches here"}}),
        (200, []),
        (200, ["text", None, {"id": "0", "result": _round()}, {"id": 0, "error": {}}]),
        # A node of another chain: there is nothing at these addresses.
        (200, [{"id": 0, "result": "0x"}, {"id": 1, "result": "0x"}]),
    ],
)
def test_the_next_endpoint_is_asked_when_one_knows_nothing(
    service: PriceService, second: PriceService, status: int, said: object
) -> None:
    service.status = status
    service.say(said)
    second.body = _node({"0x01": _round(), "0x02": _round()})

    assert len(_feeds(service, second).quotes(MARKETS)) == 2
    with pytest.raises(Unavailable, match="the price feeds don't answer"):
        _feeds(service).quotes(MARKETS)


def test_the_first_endpoint_is_enough(service: PriceService, second: PriceService) -> None:
    service.body = _node({"0x01": _round(), "0x02": "0x"})

    assert len(_feeds(service, second).quotes(MARKETS)) == 1
    assert second.asked == []


@pytest.mark.parametrize(
    ("answer", "started", "up_since"),
    [
        (0, UPDATED, datetime.fromtimestamp(UPDATED, tz=UTC)),
        (1, UPDATED, None),
        (0, 0, None),
        (-1, UPDATED, None),
    ],
)
def test_the_sequencer_is_up_when_its_feed_says_nought(
    service: PriceService, answer: int, started: int, up_since: datetime | None
) -> None:
    service.body = _node({"0xaa": _round(answer, updated=started)})

    feed = ChainlinkSequencer(rpc_urls=[service.url], feed="0xaa")

    assert feed.up_since() == up_since
    assert feed.rhythm == timedelta(seconds=10)


def test_a_sequencers_feed_that_says_nothing_is_unavailable(service: PriceService) -> None:
    service.body = _node({"0xaa": "0x"})

    with pytest.raises(Unavailable):
        ChainlinkSequencer(rpc_urls=[service.url], feed="0xaa").up_since()
