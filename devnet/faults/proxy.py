"""The fault proxy: a node's JSON-RPC on a port of its own, in front of one chain."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from devnet.faults import wording
from devnet.faults.exchange import Gate
from devnet.faults.mempool import Mempool
from devnet.faults.plan import Fault, Plan, Rule
from devnet.faults.pool import ACCOUNT_SLOTS, Pool
from devnet.faults.record import Record
from devnet.faults.server import Server
from devnet.faults.upstream import Upstream, UpstreamAway
from devnet.ports import LOOPBACK, pick_free

GLANCE_SECONDS = 0.2


@dataclass(kw_only=True)
class Proxy:
    """One node that can be made to suffer; its methods may be called from any thread."""

    upstream: str
    port: int
    gate: Gate
    _server: Server = field(init=False, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where it answers JSON-RPC."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def record(self) -> Record:
        """What arrived."""
        return self.gate.record

    @property
    def mempool(self) -> Mempool:
        """The strict mempool.

        Raises:
            LookupError: if there is none.
        """
        if self.gate.mempool is None:
            raise LookupError("this proxy is not strict")
        return self.gate.mempool

    def suffer(self, fault: Fault, **settings: Any) -> None:
        """Let a fault strike from now on, by the settings of a Rule."""
        self.obey(wording.rule(fault, settings))

    def obey(self, rule: Rule) -> None:
        """Let a rule hold from now on, beside the others."""
        self.gate.plan.give(rule, now=monotonic())

    def mend(self, fault: Fault | None = None) -> None:
        """Let one fault strike no more, or none at all."""
        self.gate.plan.clear(fault)

    def struck(self, fault: Fault) -> int:
        """How often a fault struck."""
        return self.gate.plan.struck()[fault]

    def start(self) -> None:
        """Listen, and tend the mempool."""
        self._server = Server(self.gate, upstream=self.upstream, port=self.port)
        self._threads = [threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})]
        if self.gate.mempool is not None:
            self._threads.append(threading.Thread(target=self._glance, args=(self.gate.mempool,)))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every connection, and what waits on one."""
        self.gate.closing.set()
        self._server.stop()
        for thread in self._threads:
            thread.join()
        if self.gate.mempool is not None:
            self.gate.mempool.close()

    def _glance(self, mempool: Mempool) -> None:
        while not self.gate.closing.wait(GLANCE_SECONDS):
            with suppress(UpstreamAway):
                mempool.glance()


@contextmanager
def proxy(
    *,
    upstream: str,
    seed: int = 0,
    port: int | None = None,
    strict: bool = True,
    account_slots: int = ACCOUNT_SLOTS,
    returns_reorged: bool = True,
) -> Iterator[Proxy]:
    """A proxy for the length of a `with`, on a free port unless one is given.

    With `strict` its mempool has the rules and words of real nodes; without, those of anvil. Whether
    transactions come back after a reorganization, as on most nodes, `returns_reorged` says.
    """
    mempool = Mempool(upstream=Upstream(upstream), pool=Pool(account_slots=account_slots), returns_reorged=returns_reorged)
    gate = Gate(plan=Plan(seed=seed), record=Record(), mempool=mempool if strict else None)
    running = Proxy(upstream=upstream, port=port or pick_free(1)[0], gate=gate)
    running.start()
    try:
        yield running
    finally:
        running.stop()
