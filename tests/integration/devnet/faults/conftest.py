"""Each test has a chain of its own: it starts in 40 ms, and a fault leaves no trace on the next one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet import chain
from tests.integration.devnet.faults.bench import Bench, bench, fresh_chain


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[chain.Anvil]:
    chain.install()
    with fresh_chain(tmp_path / "chain") as running:
        yield running


@pytest.fixture
def node(anvil: chain.Anvil) -> Iterator[Bench]:
    """A strict node in front of the chain."""
    with bench(anvil) as made:
        yield made


@pytest.fixture
def lax_node(anvil: chain.Anvil) -> Iterator[Bench]:
    """The same without the strict mempool: anvil's own rules and words."""
    with bench(anvil, strict=False) as made:
        yield made
