"""Chainlink's feeds on the chain (AggregatorV3, venue.md section 7), read in one JSON-RPC batch."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
from django.conf import settings

from trading.domain.errors import Unavailable
from trading.domain.price import Quote
from trading.domain.units import Price
from trading.kinds import ask

# latestRoundData() -> (roundId, answer, startedAt, updatedAt, answeredInRound)
_LATEST_ROUND_DATA = "0xfeaf968c"
_DECIMALS = 8
_WORD = 32
# Base's heartbeat of 1,200 s and a margin; the local feeds answer every block.
HEARTBEAT = timedelta(seconds=1_260)


class ChainlinkFeeds:
    """Prices from the feeds that `CHAINLINK_FEEDS` names."""

    name = "chainlink"

    def __init__(self, *, rpc_url: str | None = None, feeds: dict[str, str] | None = None) -> None:
        self._url = rpc_url or settings.BASE_RPC_URLS[0]
        self._feeds = settings.CHAINLINK_FEEDS if feeds is None else feeds
        self._http = httpx.Client(timeout=settings.RPC_TIMEOUT_SECONDS)

    @ask
    def quotes(self, symbols: Iterable[str]) -> list[Quote]:
        """The newest round of each feed; a round that the feed itself calls incomplete is left out."""
        known = [symbol for symbol in symbols if symbol in self._feeds]
        if not known:
            return []
        rounds = self._rounds([self._feeds[symbol] for symbol in known])
        quotes = (_quote(symbol, words) for symbol, words in zip(known, rounds, strict=True))
        return [quote for quote in quotes if quote is not None]

    def _rounds(self, addresses: list[str]) -> list[list[int]]:
        calls = [
            {"jsonrpc": "2.0", "id": at, "method": "eth_call", "params": [{"to": to, "data": _LATEST_ROUND_DATA}, "latest"]}
            for at, to in enumerate(addresses)
        ]
        try:
            answers = self._http.post(self._url, json=calls).raise_for_status().json()
            by_id = {answer["id"]: _words(answer["result"]) for answer in answers}
            return [by_id[at] for at in range(len(addresses))]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("the price feeds don't answer", source=self.name, error=type(error).__name__) from None


def _words(result: str) -> list[int]:
    raw = bytes.fromhex(result.removeprefix("0x"))
    if len(raw) != 5 * _WORD:
        raise ValueError("not a round")
    return [int.from_bytes(raw[at : at + _WORD], signed=True) for at in range(0, len(raw), _WORD)]


def _quote(symbol: str, words: list[int]) -> Quote | None:
    round_id, answer, _, updated_at, answered_in_round = words
    if answer <= 0 or updated_at == 0 or answered_in_round < round_id:
        return None
    return Quote(
        symbol=symbol,
        source=ChainlinkFeeds.name,
        price=Price.from_raw(answer * 10 ** (Price.SCALE - _DECIMALS)),
        confidence=Price.zero(),
        weight=Decimal(1),
        published_at=datetime.fromtimestamp(updated_at, tz=UTC),
        limit=HEARTBEAT,
    )
