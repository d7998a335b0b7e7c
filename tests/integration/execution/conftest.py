"""Nodes that do as they are told, and the scenarios' world with one of them in front of its chain."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from execution.adapters import background
from execution.adapters.rpc import RpcChain
from execution.domain import endpoint
from tests.fakes import node as nodes
from tests.fakes.node import Node
from tests.integration.execution.reading import PATIENCE, Reader
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
def third() -> Iterator[Node]:
    """And another."""
    with nodes.running() as running:
        yield running


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not look like a slow node: no second one is asked for that."""
    monkeypatch.setattr(endpoint, "UNKNOWN_HEDGE", 60.0)


@pytest.fixture
def balances(node: Node, second: Node, third: Node, settings: Settings) -> None:
    """Whose answer a balance is shows in its amount; nobody waits long for one."""
    settings.RPC_TIMEOUT_SECONDS = PATIENCE
    for amount, each in enumerate((node, second, third), start=1):
        each.answer("eth_getBalance", hex(amount))


@pytest.fixture
def reader() -> Iterator[Callable[..., Reader]]:
    """Makes endpoints that end with the test."""
    made: list[Reader] = []

    def make(*nodes: Node) -> Reader:
        made.append(Reader(*nodes))
        return made[-1]

    yield make
    for each in made:
        background.finish(each.endpoints.close())


@pytest.fixture
def proxy(world: World) -> Iterator[Node]:
    """The world's own chain behind a node that can be told to lie; everything of ours talks to it."""
    with nodes.running(upstream=os.environ["BASE_RPC_URL"]) as running:
        world.desk = replace(world.desk, chain=RpcChain([running.url]))
        yield running
