"""The world of each scenario; the chain goes back to where it was afterwards."""

import os
from collections.abc import Iterator

import pytest

from devnet.deploy import Deployment, deploy
from devnet.rpc import Rpc
from tests.fakes.switch import UNTROUBLED
from tests.scenario import world as worlds
from trading import clock
from trading.models import ModeState, Source


@pytest.fixture(scope="session")
def venue() -> Iterator[tuple[Rpc, Deployment]]:
    with Rpc(os.environ["BASE_RPC_URL"]) as rpc:
        yield rpc, deploy(os.environ["BASE_RPC_URL"])


@pytest.fixture
def world(venue: tuple[Rpc, Deployment], transactional_db: None) -> Iterator[worlds.World]:
    rpc, deployment = venue
    snapshot = rpc.call("evm_snapshot")
    Source.objects.get_or_create(name=Source.DEFAULT)
    ModeState.objects.update_or_create(pk=1, defaults=UNTROUBLED | {"configured": "LIVE", "updated_at": clock.now()})
    yield worlds.make(rpc, deployment)
    # What is still in the pool would be mined in the next test's chain.
    rpc.call("anvil_dropAllTransactions")
    rpc.call("evm_revert", snapshot)
