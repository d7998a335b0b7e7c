"""The venue's HTTP services say what the chain says, in the real services' shapes."""

import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from devnet import ports
from devnet.rpc import Rpc
from devnet.venue_api import Venue, answer
from devnet.venue_server import server
from tests.integration.devnet.desk import ETH, Desk
from trading.adapters import pyth_update
from trading.domain.units import Price

BTC_FEED = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"


@pytest.fixture
def base_url(desk: Desk) -> Iterator[str]:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    running = server(Venue(rpc=desk.rpc, deployment=desk.deployment), port=port)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{port}"
    running.shutdown()
    running.server_close()
    thread.join()


def get(url: str) -> Any:
    return httpx.get(url, trust_env=False).raise_for_status().json()


def test_health_tells_the_block(desk: Desk, base_url: str) -> None:
    assert get(f"{base_url}/health") == {"status": "ok", "block": desk.head()}


def test_the_snapshot_has_every_pair_in_human_units(base_url: str) -> None:
    snapshot = get(f"{base_url}/data/v2/trading")
    assert (snapshot["pairCount"], snapshot["maxTradesPerPair"]) == (3, 40)
    pair = snapshot["pairInfos"]["1"]
    assert (pair["index"], pair["from"], pair["to"], pair["isPairListed"], pair["closeOnlyMode"]) == (
        1,
        "BTC",
        "USD",
        True,
        False,
    )
    assert pair["leverages"] == {"minLeverage": 1, "maxLeverage": 75}
    assert (pair["pairMinLevPosUSDC"], pair["maxGainP"]) == (10, 2500)
    assert (pair["openFeeP"], pair["closeFeeP"], pair["spreadP"]) == (0.045, 0.045, 0.01)
    assert pair["feed"]["feedId"] == f"0x{BTC_FEED}"
    assert pair["feed"]["attributes"]["isOpen"] is True


def test_the_snapshot_follows_the_chain(desk: Desk, base_url: str) -> None:
    desk.open()
    desk.change_pair(ETH, isCloseOnly=True)
    snapshot = get(f"{base_url}/data/v2/trading")
    assert snapshot["totalOi"] == 995.5
    assert snapshot["pairInfos"]["0"]["openInterest"] == {"long": 995.5, "short": 0}
    assert snapshot["pairInfos"]["0"]["closeOnlyMode"] is True


def test_meta_names_the_contracts(desk: Desk, base_url: str) -> None:
    meta = get(f"{base_url}/v2/meta")["data"]
    assert meta["chainId"] == 31337
    assert meta["addresses"]["tradingRouter"] == desk.deployment.router
    assert meta["eip712"]["trading"]["verifyingContract"] == desk.deployment.router


def test_pairs_are_listed_and_found_by_index(base_url: str) -> None:
    pairs = get(f"{base_url}/v2/pairs")["data"]
    assert [pair["from"] for pair in pairs] == ["ETH", "BTC", "SOL"]
    assert get(f"{base_url}/v2/pairs/2")["data"] == pairs[2]


def test_the_feed_gives_the_oracles_price(desk: Desk, base_url: str) -> None:
    desk.price("ETH-USD", "3123.5")
    said = get(f"{base_url}/feed/v2/pairs/0/price-update-data")

    assert (said["core"]["price"], said["pro"]) == (3123.5, {"price": 3123.5, "priceUpdateData": "0x02"})
    (signed,) = pyth_update.parse(said["core"]["priceUpdateData"])
    assert (signed.price, int(signed.published_at.timestamp())) == (Price.of("3123.5"), desk.now())


def test_hermes_gives_raw_prices_by_feed_id(desk: Desk, base_url: str) -> None:
    desk.price("BTC-USD", "61234.5")
    (parsed,) = get(f"{base_url}/hermes/v2/updates/price/latest?ids[]=0x{BTC_FEED}&parsed=true")["parsed"]
    assert parsed["id"] == BTC_FEED
    assert parsed["price"] == {"price": "6123450000000", "conf": "612345000", "expo": -8, "publish_time": desk.now()}


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v2/pairs/3", "/feed/v2/pairs/9/price-update-data", "/hermes/v2/updates/price/latest?ids[]=0xdead"],
)
def test_what_is_not_there_is_not_found(base_url: str, path: str) -> None:
    reply = httpx.get(base_url + path, trust_env=False)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_hermes_ignores_unknown_ids_when_asked(base_url: str) -> None:
    query = f"ids[]=0xdead&ids[]={BTC_FEED}&ignore_invalid_price_ids=true"
    assert len(get(f"{base_url}/hermes/v2/updates/price/latest?{query}")["parsed"]) == 1


def test_a_source_is_troubled_and_mended_over_http(desk: Desk, base_url: str) -> None:
    desk.price("BTC-USD", "60000")
    hermes = f"{base_url}/hermes/v2/updates/price/latest?ids[]={BTC_FEED}"
    faults = f"{base_url}/price-faults"

    given = httpx.post(faults, json={"source": "pyth", "fault": "lies", "percent": "1"}, trust_env=False)
    lying = get(hermes)["parsed"][0]["price"]["price"]
    httpx.post(faults, json={"source": "pyth", "fault": "dead"}, trust_env=False)
    dead = httpx.get(hermes, trust_env=False)
    mended = httpx.delete(faults, params={"source": "pyth"}, trust_env=False)

    assert given.json() == get(faults) | {"pyth": {"fault": "lies", "percent": "1", "seconds": "60.0"}}
    assert (lying, dead.status_code, mended.json()) == ("6060000000000", 503, {})
    assert get(hermes)["parsed"][0]["price"]["price"] == "6000000000000"


@pytest.mark.parametrize(("path", "body", "code"), [("/price-faults", "{}", 400), ("/health", "{}", 404)])
def test_a_control_that_makes_no_sense_is_refused(base_url: str, path: str, body: str, code: int) -> None:
    assert httpx.post(base_url + path, content=body, trust_env=False).status_code == code


def test_an_absent_chain_is_a_bad_gateway(desk: Desk) -> None:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    with Rpc(f"http://127.0.0.1:{port}") as rpc:
        status, reply = answer(Venue(rpc=rpc, deployment=desk.deployment), "/data/v2/trading")
    assert status == HTTPStatus.BAD_GATEWAY
    assert json.dumps(reply["error"]["code"]) == '"RPC_ERROR"'
