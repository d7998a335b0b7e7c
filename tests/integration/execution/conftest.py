"""Nodes that do as they are told, and the scenarios' world with one of them in front of its chain."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from execution.adapters.rpc import RpcChain
from tests.fakes import node as nodes
from tests.fakes.node import Node
from tests.scenario.conftest import venue, world
from tests.scenario.world import World

__all__ = ["venue", "world"]


@pytest.fixture
def node() -> Iterator[Node]:
    """A node without a chain behind it."""
    with nodes.running() as running:
        yield running


@pytest.fixture
def second() -> Iterator[Node]:
    """Another one."""
    with nodes.running() as running:
        yield running


@pytest.fixture
def proxy(world: World) -> Iterator[Node]:
    """The world's own chain behind a node that can be told to lie; everything of ours talks to it."""
    with nodes.running(upstream=os.environ["BASE_RPC_URL"]) as running:
        world.desk = replace(world.desk, chain=RpcChain([running.url]))
        yield running
