"""Several strict nodes in front of the one chain, any of which a test may make lie."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from django.conf import settings

from devnet import faults
from devnet.faults.proxy import Proxy
from devnet.ports import pick_free
from execution.adapters.rpc import RpcChain
from tests.scenario.world import World

FIRST_PORT, LAST_PORT = 22_400, 22_799


@contextmanager
def before(world: World, *, count: int, **settings_of_each: bool) -> Iterator[list[Proxy]]:
    """So many nodes; everything of ours talks to them, the first one first."""
    with ExitStack() as running:
        ports = pick_free(count, first=FIRST_PORT, last=LAST_PORT)
        proxies = [
            running.enter_context(faults.proxy(upstream=settings.BASE_RPC_URLS[0], port=port, **settings_of_each))
            for port in ports
        ]
        world.desk = replace(world.desk, chain=RpcChain([proxy.url for proxy in proxies]))
        yield proxies
