"""One chain for all tests of the venue; each test ends where it began."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet import chain, deploy, ports
from devnet.keeper import Keeper
from devnet.rpc import Rpc
from tests.integration.devnet.desk import ALICE, BOB, LARGEST, Desk, usdc


@pytest.fixture(scope="session")
def venue_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A chain of its own, that mines when asked; the answer is its URL."""
    chain.install()
    folder: Path = tmp_path_factory.mktemp("venue")
    (port,) = ports.pick_free(1, first=18_000, last=18_499)
    with chain.Anvil(port=port, home=folder, log_path=folder / "anvil.log") as anvil:
        yield anvil.url


@pytest.fixture(scope="session")
def funded_venue(venue_chain: str) -> deploy.Deployment:
    """The venue with two traders who have 10,000 USDC each and let it take them."""
    deployment = deploy.deploy(venue_chain)
    token = deployment.contract("Usdc")
    with Rpc(venue_chain) as rpc:
        for trader in (ALICE, BOB):
            for call in (
                token.transaction("mint", trader, usdc("10000")),
                token.transaction("approve", deployment.storage, LARGEST),
            ):
                rpc.call("eth_sendTransaction", {**call, "from": trader})
        rpc.call("evm_mine")
    return deployment


@pytest.fixture
def desk(venue_chain: str, funded_venue: deploy.Deployment) -> Iterator[Desk]:
    """The venue as it was at the start, whatever other tests did."""
    with Rpc(venue_chain) as rpc:
        snapshot = rpc.call("evm_snapshot")
        keeper = Keeper(rpc=rpc, deployment=funded_venue)
        yield Desk(rpc=rpc, deployment=funded_venue, keeper=keeper)
        rpc.call("anvil_dropAllTransactions")
        rpc.call("evm_revert", snapshot)
