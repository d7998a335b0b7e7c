"""The same addresses on every chain, once, and nothing over what others put there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet import chain, deploy, ports
from devnet.rpc import Rpc
from tests.integration.devnet.desk import ALICE, Desk


@pytest.fixture
def empty_chain(tmp_path: Path) -> Iterator[str]:
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    with chain.Anvil(port=port, home=tmp_path) as anvil:
        yield anvil.url


def test_the_router_lies_where_the_signing_vectors_want_it(desk: Desk) -> None:
    assert desk.deployment.router == "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    separator: bytes = desk.read("TradingRouter", "domainSeparator")
    assert separator.hex() == "fb572dd00c3ff4fce2cb295d37ec01aa4f6f957bb3f49c37e775801257939a46"


def test_a_second_deployment_sends_nothing(desk: Desk, venue_chain: str) -> None:
    before = desk.rpc.call("eth_getTransactionCount", deploy.DEPLOYER, "pending")
    assert deploy.deploy(venue_chain) == desk.deployment
    assert desk.rpc.call("eth_getTransactionCount", deploy.DEPLOYER, "pending") == before


def test_the_venue_knows_its_parts(desk: Desk) -> None:
    at = desk.deployment
    assert desk.read("TradingStorage", "callbacks") == at.callbacks
    assert desk.read("TradingStorage", "trading") == at.router
    assert desk.read("TradingRouter", "operator") == deploy.OPERATOR


def test_the_markets_begin_at_their_prices(desk: Desk) -> None:
    prices = [desk.read("PairStorage", "price", pair) for pair in range(3)]
    assert prices == [3000 * 10**10, 60000 * 10**10, 150 * 10**10]
    names = [desk.deployment.feed(symbol).read(desk.rpc, "description") for symbol in desk.deployment.feeds]
    assert names == ["ETH / USD", "BTC / USD", "SOL / USD"]


def test_the_sequencer_is_up_since_long(desk: Desk) -> None:
    _, answer, started_at, _, _ = desk.read("SequencerFeed", "latestRoundData")
    assert (answer, started_at) == (0, 1)


def test_the_environment_names_every_address(desk: Desk) -> None:
    at = desk.deployment
    assert at.as_environment() == {
        "VERANTA_ROUTER_ADDRESS": at.router,
        "VERANTA_STORAGE_ADDRESS": at.storage,
        "VERANTA_CALLBACKS_ADDRESS": at.callbacks,
        "VERANTA_PAIR_STORAGE_ADDRESS": at.pair_storage,
        "VERANTA_USDC_ADDRESS": at.usdc,
        "CHAINLINK_FEEDS": f"BTC-USD={at.feeds['BTC-USD']},ETH-USD={at.feeds['ETH-USD']},SOL-USD={at.feeds['SOL-USD']}",
        "CHAINLINK_SEQUENCER_FEED": at.sequencer_feed,
    }


def test_a_chain_used_for_something_else_is_refused_in_one_line(empty_chain: str) -> None:
    with Rpc(empty_chain) as rpc:
        rpc.call("eth_sendTransaction", {"from": deploy.DEPLOYER, "to": ALICE, "value": "0x1"})
        rpc.call("evm_mine")
        with pytest.raises(deploy.DeploymentMismatch, match="holds other contracts"):
            deploy.deploy(empty_chain)
        assert rpc.call("eth_getTransactionCount", deploy.DEPLOYER, "pending") == "0x1"


def test_a_counter_counts_by_key(desk: Desk) -> None:
    key, other = b"\x01" * 32, b"\x02" * 32
    desk.on("Counter", "bump", key, sender=ALICE)
    receipt = desk.on("Counter", "bump", key, sender=ALICE)
    assert desk.contract("Counter").events(receipt["logs"], "Bumped") == [{"key": key, "count": 2}]
    assert (desk.read("Counter", "counts", key), desk.read("Counter", "counts", other)) == (2, 0)
