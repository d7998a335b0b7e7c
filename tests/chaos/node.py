"""A node that fails, in a process of its own, with a witness: what arrives there first must be stored by then.

with node.running(upstream=url, database=conninfo) as chain:
    chain.suffer(Fault.ANSWER_LOST, times=1, on="eth_sendRawTransaction")
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from devnet.faults import Fault, proxy
from devnet.faults.proxy import Proxy
from devnet.faults.record import Record
from devnet.faults.transaction import Transaction
from devnet.ports import LOOPBACK, pick_free

FIRST_PORT, LAST_PORT = 22_000, 22_399
DATABASE = "CHAOS_DATABASE"
_IS_STORED = "SELECT EXISTS (SELECT FROM tx_sends WHERE tx_hash = %s)"
Json = dict[str, Any]


@dataclass(kw_only=True)
class Witness(Record):
    """A record that asks the database about each hash when it first arrives, before any fault and before the chain."""

    database: str
    unstored: list[Json] = field(default_factory=list, init=False)
    _known: set[str] = field(default_factory=set, init=False)
    _asking: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        # A session of its own: it sees what is committed, and nothing else.
        self._session = psycopg.connect(self.database, autocommit=True)

    def arrived(self, transaction: Transaction) -> None:
        """Note an arrival."""
        with self._asking:
            if transaction.hash not in self._known:
                self._known.add(transaction.hash)
                self._note_if_unstored(transaction)
        super().arrived(transaction)

    def _note_if_unstored(self, transaction: Transaction) -> None:
        row = self._session.execute(_IS_STORED, [transaction.hash]).fetchone()
        if row is None or not row[0]:
            self.unstored.append({"hash": transaction.hash, "sender": transaction.sender, "nonce": transaction.nonce})


class Node:
    """The node as a stand steers it. Its chain is reached at `url`."""

    def __init__(self, process: "subprocess.Popen[str]", *, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._process = process
        self._http = httpx.Client(base_url=self.url, trust_env=False)

    def suffer(self, fault: Fault, **settings: Any) -> None:
        """Let a fault strike from now on, by the settings of a rule (`devnet.faults.plan.Rule`)."""
        self._http.post("/faults", json={"fault": fault.value, **settings}).raise_for_status()

    def mend(self, fault: Fault | None = None) -> None:
        """Let one fault strike no more, or none at all."""
        self._http.delete("/faults", params={"fault": fault.value} if fault else None).raise_for_status()

    def struck(self, fault: Fault) -> int:
        """How often a fault struck."""
        return int(self._http.get("/faults").json()["struck"].get(fault.value, 0))

    def sights(self) -> list[Json]:
        """Every hash that arrived, oldest first, as `devnet.faults.record.Sight` has it."""
        return [json.loads(line) for line in self._http.get("/record").text.splitlines()]

    def drop(self, tx_hash: str) -> None:
        """Have the node forget a transaction."""
        self._http.delete(f"/pool/{tx_hash}").raise_for_status()

    def tend(self) -> None:
        """Have the node's pool look at the chain now: blocks were made behind its back."""
        self._told("tend")

    def unstored(self) -> list[Json]:
        """What arrived before it was stored: hash, sender and nonce."""
        found: list[Json] = self._told("unstored")
        return found

    def close(self) -> None:
        """End it."""
        self._http.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _told(self, order: str) -> Any:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the node has no ear")
        print(order, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextmanager
def running(*, upstream: str, database: str, seed: int = 0, **settings: Any) -> Iterator[Node]:
    """A node for the length of a `with`; `settings` are those of `devnet.faults.proxy` that JSON can say."""
    (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    said = json.dumps({"upstream": upstream, "seed": seed, "port": port, **settings})
    # Not on the command line, which everybody on the machine can read.
    environment = {**os.environ, DATABASE: database}
    command = (sys.executable, "-m", "tests.chaos.node", said)
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    node = Node(process, port=port)
    try:
        node.tend()
        yield node
    finally:
        node.close()


def main() -> None:
    """Serve until the parent is gone: then nothing comes from its side anymore."""
    with proxy(**json.loads(sys.argv[1])) as serving:
        serving.gate.record = witness = Witness(database=os.environ[DATABASE])
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_obey(line.strip(), serving, witness)) + "\n")
            sys.stdout.flush()


def _obey(order: str, serving: Proxy, witness: Witness) -> object:
    if order == "tend" and serving.gate.mempool is not None:
        serving.mempool.tend()
    return witness.unstored if order == "unstored" else None


if __name__ == "__main__":
    main()
