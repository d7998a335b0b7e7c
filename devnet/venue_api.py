"""The local venue's HTTP services: markets, prices and addresses, all read from the chain.

python -m devnet.venue_api --port 8091 --rpc-url http://127.0.0.1:8545
"""

import argparse
import json
import logging
import re
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from devnet import deploy
from devnet.contract import CallReverted
from devnet.markets import FEED, MARKETS, ONE, USDC, LocalMarket
from devnet.ports import LOOPBACK
from devnet.rpc import Rpc, RpcError, RpcUnavailable

logger = logging.getLogger("devnet.venue_api")

Json = dict[str, Any]
Query = Mapping[str, list[str]]
ORDER_TYPES = {"MARKET": 0, "STOP_LIMIT": 1, "LIMIT": 2, "MARKET_PNL": 3}
FEED_EXPONENT = -8
# The feeds have no confidence interval: a hundredth of a percent is what Pyth shows for these markets in calm hours.
CONFIDENCE_PARTS = 10_000


class NotFound(Exception):
    """No such route, pair or feed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """The answers, as the real services give them."""

    rpc: Rpc
    deployment: deploy.Deployment

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
        """A market's price with the bytes that would prove it on chain."""
        market = _market(index)
        leg = {"price": _human(self._round(market)[1], FEED), "priceUpdateData": "0x01"}
        return {"core": leg, "pro": {**leg, "priceUpdateData": "0x02"}}

    def hermes(self, query: Query) -> Json:
        """The latest prices by feed id, as Pyth's service gives them."""
        by_id = {market.feed_id[2:]: market for market in MARKETS}
        asked = [each.removeprefix("0x").lower() for each in query.get("ids[]", [])]
        ignoring = query.get("ignore_invalid_price_ids", ["false"])[0] == "true"
        unknown = [each for each in asked if each not in by_id]
        if not asked or (unknown and not ignoring):
            raise NotFound(f"Price ids not found: {', '.join(unknown)}")
        parsed = [self._parsed(by_id[each]) for each in asked if each in by_id]
        return {"binary": {"encoding": "hex", "data": ["00"]}, "parsed": parsed}

    def _parsed(self, market: LocalMarket) -> Json:
        _, answer, _, updated_at, _ = self._round(market)
        price = {
            "price": str(answer),
            "conf": str(answer // CONFIDENCE_PARTS),
            "expo": FEED_EXPONENT,
            "publish_time": updated_at,
        }
        times = {"slot": 0, "proof_available_time": updated_at, "prev_publish_time": updated_at - 1}
        return {"id": market.feed_id[2:], "price": price, "ema_price": price, "metadata": times}

    def _round(self, market: LocalMarket) -> list[int]:
        answer: list[int] = self.deployment.feed(market.symbol).read(self.rpc, "latestRoundData")
        return answer

    def _pair(self, market: LocalMarket) -> Json:
        pairs = self.deployment.contract("PairStorage")
        terms = pairs.read(self.rpc, "pair", market.pair_index)
        long, short = (pairs.read(self.rpc, "openInterestUSDC", market.pair_index, side) for side in (0, 1))
        return _pair_json(market, terms) | {
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
        "fundingFeePerHourP": 0,
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
        return HTTPStatus.NOT_FOUND, _error("NOT_FOUND", str(error))
    except (RpcUnavailable, RpcError, CallReverted) as error:
        return HTTPStatus.BAD_GATEWAY, _error("RPC_ERROR", str(error))


def _routed(venue: Venue, path: str, query: Query) -> Json:
    for pattern, route in ROUTES:
        if match := re.fullmatch(pattern, path):
            return route(venue, "".join(match.groups()), query)
    raise NotFound(f"no route {path}")


def _error(code: str, message: str) -> Json:
    return {"ok": False, "error": {"code": code, "message": message, "details": None}}


def server(venue: Venue, *, port: int) -> ThreadingHTTPServer:
    """A server for the venue on the loopback address; the caller runs it and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, reply = answer(venue, self.path)
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line for each price would bury what matters."""

    return ThreadingHTTPServer((LOOPBACK, port), Handler)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devnet.venue_api", description="The local venue's HTTP services.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rpc-url", required=True)
    arguments = parser.parse_args()
    with Rpc(arguments.rpc_url) as rpc:
        _serve(server(Venue(rpc=rpc, deployment=deploy.expected()), port=arguments.port))


def _serve(running: ThreadingHTTPServer) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the serving loop, which is this very thread: it has to be asked from another.
        signal.signal(each, lambda *_: threading.Thread(target=running.shutdown).start())
    with running:
        running.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
