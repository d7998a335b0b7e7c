"""What the local venue's HTTP services say: markets, prices and addresses, all read from the chain."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from devnet import deploy, level_intents, price_faults, pyth_shapes
from devnet.contract import CallReverted
from devnet.level_intents import BadIntent
from devnet.markets import FEED, MARKETS, ONE, USDC, LocalMarket
from devnet.price_faults import BadFault, PriceFaults, Reading, Source, SourceDead
from devnet.rpc import Rpc, RpcError, RpcUnavailable

Json = dict[str, Any]
Query = Mapping[str, list[str]]
ORDER_TYPES = {"MARKET": 0, "STOP_LIMIT": 1, "LIMIT": 2, "MARKET_PNL": 3}


class NotFound(Exception):
    """No such route, pair or feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """The answers, as the real services give them."""

    rpc: Rpc
    deployment: deploy.Deployment
    faults: PriceFaults = field(default_factory=PriceFaults)
    # The nonces of intents that were obeyed.
    spent: set[int] = field(default_factory=set)

    def health(self) -> Json:
        """Whether the chain answers, and how far it is."""
        return {"status": "ok", "block": int(self.rpc.call("eth_blockNumber"), 16)}

    def meta(self) -> Json:
        """The addresses and units, in the transaction builder's envelope."""
        at = self.deployment
        chain_id = int(self.rpc.call("eth_chainId"), 16)
        addresses = {
            "tradingRouter": at.router,
            "tradingStorage": at.storage,
            "usdc": at.usdc,
            "vaultManager": at.vault,
            "pairStorage": at.pair_storage,
            "pairInfos": at.pair_storage,
        }
        domain = {"name": "AvantisTrading", "version": "1", "chainId": chain_id, "verifyingContract": at.router}
        return _enveloped(
            {
                "chainId": chain_id,
                "addresses": addresses,
                "eip712": {"trading": domain, "signatureFormat": "rsv-65-bytes"},
                "enums": {"openOrderType": ORDER_TYPES},
                "units": {"price": "1e10", "leverage": "1e10", "usdc": "1e6"},
                "defaults": {"executionFeeWei": "0", "intentDeadlineMs": 120_000, "slippagePercent": "1"},
            }
        )

    def pairs(self) -> Json:
        """Every market, in the transaction builder's envelope."""
        return _enveloped([self._pair(market) for market in MARKETS])

    def pair(self, index: str) -> Json:
        """One market."""
        return _enveloped(self._pair(_market(index)))

    def trading(self) -> Json:
        """The snapshot of all markets, in human units."""
        pairs = {str(market.pair_index): self._pair(market) for market in MARKETS}
        open_interest = sum(pair["pairOI"] for pair in pairs.values())
        limit = sum(pair["pairMaxOI"] for pair in pairs.values())
        storage = self.deployment.contract("TradingStorage")
        return {
            "dataVersion": 2,
            "pairInfos": pairs,
            "groupInfo": {"0": {"name": "crypto", "groupMaxOI": limit, "groupOI": open_interest}},
            "pairCount": len(pairs),
            "maxTradesPerPair": storage.read(self.rpc, "maxTradesPerPair"),
            "totalOi": open_interest,
            "maxOpenInterest": limit,
        }

    def price_update(self, index: str) -> Json:
        """A market's price with the bytes that would prove it on chain; `pro` is in a format of its own, which is left out."""
        market = _market(index)
        reading = self._reading(Source.VENUE, market)
        leg = {"price": _human(reading.answer, FEED), "priceUpdateData": pyth_shapes.update(market, reading)}
        return {"core": leg, "pro": {**leg, "priceUpdateData": "0x02"}}

    def hermes(self, query: Query) -> Json:
        """The latest prices by feed id, as Pyth's service gives them."""
        by_id = {market.feed_id[2:]: market for market in MARKETS}
        asked = [each.removeprefix("0x").lower() for each in query.get("ids[]", [])]
        ignoring = query.get("ignore_invalid_price_ids", ["false"])[0] == "true"
        unknown = [each for each in asked if each not in by_id]
        if not asked or (unknown and not ignoring):
            raise NotFound(f"Price ids not found: {', '.join(unknown)}")
        markets = [by_id[each] for each in asked if each in by_id]
        parsed = [pyth_shapes.parsed(market, self._reading(Source.PYTH, market)) for market in markets]
        return {"binary": {"encoding": "hex", "data": ["00"]}, "parsed": parsed}

    def _reading(self, source: Source, market: LocalMarket) -> Reading:
        """What the oracle says, as a source passes it on."""
        _, answer, _, updated_at, _ = self.deployment.feed(market.symbol).read(self.rpc, "latestRoundData")
        return self.faults.through(source, market.symbol, Reading(answer=answer, published_at=updated_at))

    def _pair(self, market: LocalMarket) -> Json:
        pairs = self.deployment.contract("PairStorage")
        terms = pairs.read(self.rpc, "pair", market.pair_index)
        long, short = (pairs.read(self.rpc, "openInterestUSDC", market.pair_index, side) for side in (0, 1))
        funding = pairs.read(self.rpc, "fundingPerHourP", market.pair_index)
        return _pair_json(market, terms) | {
            "fundingFeePerHourP": _human(funding, ONE),
            "openInterest": {"long": _human(long, USDC), "short": _human(short, USDC)},
            "pairOI": _human(long + short, USDC),
        }


def _pair_json(market: LocalMarket, terms: Json) -> Json:
    hourly = _human(terms["rolloverPerHourP"], ONE)
    smallest = _human(terms["minNotionalUsdc"], USDC)
    largest_gain = _human(terms["maxGainP"], ONE)
    wallet_limit = _human(terms["maxWalletOpenInterestUsdc"], USDC)
    return {
        "index": market.pair_index,
        "from": terms["from"],
        "to": terms["to"],
        "groupIndex": 0,
        "isPairListed": terms["isListed"],
        "closeOnlyMode": terms["isCloseOnly"],
        "leverages": {"minLeverage": _human(terms["minLeverage"], ONE), "maxLeverage": _human(terms["maxLeverage"], ONE)},
        "pairMinLevPosUSDC": smallest,
        "minLevPosUSDC": smallest,
        "openFeeP": _human(terms["openFeeP"], ONE),
        "closeFeeP": _human(terms["closeFeeP"], ONE),
        "spreadP": _human(terms["spreadP"], ONE),
        "maxGainP": largest_gain,
        "marginFee": {"long": hourly, "short": hourly},
        "pairMaxOI": _human(terms["maxOpenInterestUsdc"], USDC),
        "maxWalletOI": wallet_limit,
        "values": {"maxGainP": largest_gain, "maxSlP": 80, "maxWalletOI": wallet_limit},
        "additionalPairParams2": {"closeOnlyMode": terms["isCloseOnly"]},
        "feed": {
            "feedId": market.feed_id,
            "attributes": {"symbol": f"Crypto.{market.base}/{market.quote}", "assetType": "Crypto", "isOpen": True},
        },
    }


def _human(raw: int, scale: int) -> int | float:
    """A raw integer in human units: JSON numbers, as the real service writes them."""
    value = Decimal(raw) / scale
    return int(value) if value == value.to_integral_value() else float(value)


def _market(index: str) -> LocalMarket:
    found = next((market for market in MARKETS if str(market.pair_index) == index), None)
    if found is None:
        raise NotFound(f"no pair {index}")
    return found


def _enveloped(data: object) -> Json:
    return {"ok": True, "data": data}


Route = Callable[[Venue, str, Query], Json]
ROUTES: tuple[tuple[str, Route], ...] = (
    (r"/health", lambda venue, _, __: venue.health()),
    (r"/v2/meta", lambda venue, _, __: venue.meta()),
    (r"/v2/pairs", lambda venue, _, __: venue.pairs()),
    (r"/v2/pairs/(\d+)", lambda venue, index, __: venue.pair(index)),
    (r"/data/v2/trading", lambda venue, _, __: venue.trading()),
    (r"/feed/v2/pairs/(\d+)/price-update-data", lambda venue, index, __: venue.price_update(index)),
    (r"/hermes/v2/updates/price/latest", lambda venue, _, query: venue.hermes(query)),
)


def answer(venue: Venue, target: str) -> tuple[HTTPStatus, Json]:
    """The reply to a GET of a path with its query."""
    url = urlsplit(target)
    try:
        return HTTPStatus.OK, _routed(venue, url.path, parse_qs(url.query))
    except NotFound as error:
        return HTTPStatus.NOT_FOUND, refusal("NOT_FOUND", str(error))
    except SourceDead as error:
        return HTTPStatus.SERVICE_UNAVAILABLE, refusal("UPSTREAM_ERROR", str(error))
    except (RpcUnavailable, RpcError, CallReverted) as error:
        return HTTPStatus.BAD_GATEWAY, refusal("RPC_ERROR", str(error))


def controlled(venue: Venue, verb: str, target: str, body: bytes) -> tuple[HTTPStatus, Json]:
    """The reply to a request on the faults' path."""
    try:
        return HTTPStatus.OK, price_faults.obey(venue.faults, verb, body, parse_qs(urlsplit(target).query))
    except BadFault as error:
        return HTTPStatus.BAD_REQUEST, refusal("BAD_FAULT", str(error))


def leveled(venue: Venue, target: str, body: bytes) -> tuple[HTTPStatus, Json]:
    """The reply to a PUT of new levels for a position."""
    match = level_intents.PATH.fullmatch(urlsplit(target).path)
    if match is None:
        return HTTPStatus.NOT_FOUND, refusal("NOT_FOUND", f"no route {target}")
    try:
        said = json.loads(body)
        tx_hash = level_intents.obey(match, said, rpc=venue.rpc, deployment=venue.deployment, spent=venue.spent)
    except (BadIntent, ValueError) as error:
        return HTTPStatus.BAD_REQUEST, refusal("TX_REJECTED", str(error))
    except (RpcUnavailable, RpcError, CallReverted) as error:
        return HTTPStatus.BAD_GATEWAY, refusal("RPC_ERROR", str(error))
    return HTTPStatus.OK, {"transactionHash": tx_hash}


def _routed(venue: Venue, path: str, query: Query) -> Json:
    for pattern, route in ROUTES:
        if match := re.fullmatch(pattern, path):
            return route(venue, "".join(match.groups()), query)
    raise NotFound(f"no route {path}")


def refusal(code: str, message: str) -> Json:
    """An error in the transaction builder's envelope."""
    return {"ok": False, "error": {"code": code, "message": message, "details": None}}
