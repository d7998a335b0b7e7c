"""Chainlink's feeds on the chain (AggregatorV3, venue.md section 7), read in one JSON-RPC batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from trading.adapters import reading
from trading.adapters.exchange import Exchange
from trading.domain.errors import Unavailable
from trading.domain.feed import SEQUENCER
from trading.domain.price import Quote
from trading.domain.units import Price
from trading.kinds import ask

# latestRoundData() -> (roundId, answer, startedAt, updatedAt, answeredInRound)
_LATEST_ROUND_DATA = "0xfeaf968c"
_EXPONENT = -8
_WORD = 32
_WORDS = 5
# Base's heartbeat of 1,200 s and a margin; the local feeds answer every block.
HEARTBEAT = timedelta(seconds=1_260)

Round = tuple[int, ...]


class Aggregators:
    """The newest rounds of some feeds, from the first endpoint of the chain that knows them."""

    def __init__(self, *, source: str, rpc_urls: Sequence[str]) -> None:
        self._source = source
        self._urls = tuple(rpc_urls)
        self._exchange = Exchange(source=source)

    def rounds(self, addresses: Sequence[str]) -> list[Round | None]:
        """The newest round of each feed, None for one that doesn't answer with a round.

        Raises:
            Unavailable: if no endpoint knows any of them.
        """
        troubles: list[str] = []
        for url in self._urls:
            try:
                rounds = self._rounds_from(url, addresses)
            except Unavailable as error:
                troubles.append(str(error.facts["error"]))
                continue
            if any(rounds):
                return rounds
            troubles.append("no rounds")
        raise Unavailable("the price feeds don't answer", source=self._source, error=", ".join(troubles))

    def close(self) -> None:
        """End the connections."""
        self._exchange.close()

    def _rounds_from(self, url: str, addresses: Sequence[str]) -> list[Round | None]:
        answers = self._exchange.post(url, [_question(number, address) for number, address in enumerate(addresses)])
        parts = [reading.fields(part) for part in answers] if isinstance(answers, list) else []
        by_number = {number: part.get("result") for part in parts if (number := reading.whole(part.get("id"))) is not None}
        return [_round(by_number.get(number)) for number in range(len(addresses))]


class ChainlinkFeeds:
    """Prices from the feeds that `CHAINLINK_FEEDS` names."""

    name = "chainlink"
    weight = Decimal(1)
    rhythm = timedelta(0)

    def __init__(self, *, rpc_urls: Sequence[str] | None = None, feeds: Mapping[str, str] | None = None) -> None:
        self._feeds = settings.CHAINLINK_FEEDS if feeds is None else feeds
        self._aggregators = Aggregators(source=self.name, rpc_urls=rpc_urls or settings.BASE_RPC_URLS)

    def covers(self, symbol: str, /) -> bool:
        """The markets whose feed is named."""
        return symbol in self._feeds

    def close(self) -> None:
        """End its connections."""
        self._aggregators.close()

    @ask
    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        """The newest round of each feed; a round that the feed itself calls incomplete is left out."""
        known = [symbol for symbol in markets if symbol in self._feeds]
        if not known:
            return []
        rounds = self._aggregators.rounds([self._feeds[symbol] for symbol in known])
        quotes = (_quote(symbol, found) for symbol, found in zip(known, rounds, strict=True) if found is not None)
        return [quote for quote in quotes if quote is not None]


class ChainlinkSequencer:
    """The layer-two uptime feed: answer 0 says that the sequencer is up, `startedAt` since when."""

    name = SEQUENCER
    rhythm = timedelta(seconds=10)

    def __init__(self, *, rpc_urls: Sequence[str] | None = None, feed: str | None = None) -> None:
        self._feed = feed or settings.CHAINLINK_SEQUENCER_FEED
        self._aggregators = Aggregators(source=self.name, rpc_urls=rpc_urls or settings.BASE_RPC_URLS)

    def close(self) -> None:
        """End its connections."""
        self._aggregators.close()

    @ask
    def up_since(self) -> datetime | None:
        """Since when it is up; None while it is down, or says that it never began."""
        (found,) = self._aggregators.rounds([self._feed])
        _, answer, started_at, _, _ = found or (0, 1, 0, 0, 0)
        return reading.instant(started_at) if answer == 0 else None


def _question(number: int, address: str) -> dict[str, object]:
    call = [{"to": address, "data": _LATEST_ROUND_DATA}, "latest"]
    return {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": call}


def _round(result: object) -> Round | None:
    try:
        raw = bytes.fromhex(result.removeprefix("0x")) if isinstance(result, str) else b""
    except ValueError:
        return None
    if len(raw) != _WORDS * _WORD:
        return None
    return tuple(int.from_bytes(raw[at : at + _WORD], signed=True) for at in range(0, len(raw), _WORD))


def _quote(symbol: str, found: Round) -> Quote | None:
    round_id, answer, _, updated_at, answered_in_round = found
    price, published_at = reading.price(answer, _EXPONENT), reading.instant(updated_at)
    if price is None or published_at is None or answered_in_round < round_id:
        return None
    return Quote(
        symbol=symbol,
        source=ChainlinkFeeds.name,
        price=price,
        confidence=Price.zero(),
        weight=ChainlinkFeeds.weight,
        published_at=published_at,
        limit=HEARTBEAT,
    )
