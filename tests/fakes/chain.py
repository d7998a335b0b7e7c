"""The chain as the desk sees it, over endpoints that a test troubles and a ledger that it holds.

ledger = Ledger()
chain = FakeChain(ledger, endpoints=2)
chain.nodes[1].suffer(Fault.LOST, on="broadcast", calls=1)
ledger.mine()
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from execution.domain.broadcast import Answer, strongest
from execution.domain.chain import Block, Call, Heads, Log, Outcome, ReceiptFacts, Simulation, Snapshot, Testimony, View
from execution.domain.endpoint import EndpointState
from execution.domain.fees import FeeQuote
from tests.fakes import counter
from tests.fakes.counter import Reverted
from tests.fakes.endpoints import Endpoint, Fault
from tests.fakes.ledger import Ledger
from trading.domain.errors import Unavailable
from trading.domain.units import Wei
from trading.kinds import ask

Said = TypeVar("Said")

# A node further behind the highest head seen isn't read from, and its word doesn't count.
MAX_LAG_BLOCKS = 3


class FakeChain:
    """`execution.ports.Chain` without a network. Reads go to the first healthy endpoint, broadcasts to all."""

    def __init__(self, ledger: Ledger, *, endpoints: int = 1) -> None:
        self.chain_id = ledger.chain_id
        self.ledger = ledger
        self.endpoints = endpoints
        self.nodes = tuple(Endpoint(ledger, number=number) for number in range(endpoints))
        self._highest = 0

    def states(self) -> list[EndpointState]:
        """How each node is: here all are well."""
        head = self.ledger.head.number
        return [
            EndpointState(endpoint=node.number, is_healthy=True, is_primary=node.number == 0, faults=0, head=head)
            for node in self.nodes
        ]

    @ask
    def head(self) -> Block:
        """The newest block."""
        return self._read("head", lambda node, _: node.view.head.header)

    @ask
    def heads(self) -> Heads:
        """The newest block, and how far the chain is safe and finalized."""
        return self._read("heads", Endpoint.heads)

    @ask
    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        """Headers by number."""
        wanted = list(numbers)
        found = self._read("blocks", lambda node, _: [node.view.block(number) for number in wanted])
        return {block.header.number: block.header for block in found if block is not None}

    @ask
    def fees(self) -> FeeQuote:
        """What the next block asks."""
        return self._read("fees", lambda node, _: self.ledger.quote(node.view))

    @ask
    def simulate(self, calls: Sequence[Call]) -> list[Simulation]:
        """Each call against the newest state; trouble is `Outcome.UNKNOWN`."""
        try:
            return self._read("simulate", lambda node, _: [self._simulated(call, node) for call in calls])
        except Unavailable as error:
            return [Simulation(outcome=Outcome.UNKNOWN, reason=error.message)] * len(calls)

    @ask
    def broadcast(self, raws: Sequence[str]) -> list[Answer]:
        """Offer signed bytes to every endpoint; the strongest answer for each."""
        heard = [[node.offer(raw) for raw in raws] for node in self.nodes]
        return [strongest(answers) for answers in zip(*heard, strict=True)]

    @ask
    def receipts(self, tx_hashes: Sequence[str]) -> list[ReceiptFacts | None]:
        """The receipt of each transaction, None where there is none now."""
        return self._read("receipts", lambda node, fault: node.receipts(tx_hashes, fault))

    @ask
    def logs(self, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[list[Log]]:
        """The events of the emitters in each block, by the block's hash."""

        def read(node: Endpoint, fault: Fault | None) -> list[list[Log]]:
            return [node.logs(block_hash, emitters=emitters, fault=fault) for block_hash in block_hashes]

        return self._read("logs", read)

    @ask
    def testimonies(self, tx_hashes: Sequence[str], *, address: str) -> list[Testimony]:
        """What each endpoint says by itself; those that don't answer, or are behind, are left out."""
        heard = []
        for node in self.nodes:
            try:
                fault = node.hear("testimonies")
            except Unavailable:
                continue
            heard.append(node.testimony(tx_hashes, address=address, fault=fault))
        self._highest = max([self._highest, *(testimony.head for testimony in heard)])
        return [testimony for testimony in heard if not self._is_behind(testimony.head)]

    @ask
    def l1_fees(self, sizes: Sequence[int]) -> list[Wei]:
        """Nothing: there is no chain below this one."""
        return [Wei.zero() for _ in sizes]

    @ask
    def code(self, address: str) -> str:
        """An account's code."""
        return self._read("code", lambda *_: self.ledger.code(address))

    @ask
    def nonce(self, address: str) -> tuple[int, int]:
        """Mined transactions of an address, and mined plus pooled."""

        def read(node: Endpoint, fault: Fault | None) -> tuple[int, int]:
            mined = node.mined(address, fault)
            return mined, mined + len(self.ledger.pool.executable(address.lower(), nonce=mined))

        return self._read("nonce", read)

    @ask
    def balance(self, address: str) -> Wei:
        """What an address has for gas."""
        return self._read("balance", lambda node, _: Wei(self.ledger.balance(address, view=node.view)))

    @ask
    def call(self, target: str, data: str) -> str:
        """A view's answer as 0x-hex; nothing but the counter has views."""
        return self._read("call", lambda node, _: self._answered(node, target, data))

    @ask
    def answers_at(self, views: Sequence[View], *, block_hash: str) -> list[str]:
        """What views answered at one block; nothing but the counter has views, and only the newest block is kept."""

        def read(node: Endpoint, _: Fault | None) -> list[str]:
            if node.view.find(block_hash) is None:
                raise Unavailable("the node refused a read", error="unknown block")
            return [self._answered(node, view.target, view.data) for view in views]

        return self._read("answers_at", read)

    @ask
    def search(self, emitter: str, *, topics: Sequence[str | None], first: int, last: int) -> list[Log]:
        """The counter's events in a range of blocks."""

        def read(node: Endpoint, fault: Fault | None) -> list[Log]:
            if node.view.head.header.number < last:
                raise Unavailable("an endpoint answers nonsense", error="behind")
            blocks = [found for number in range(first, last + 1) if (found := node.view.block(number)) is not None]
            told = [log for each in blocks for log in node.logs(each.header.hash, emitters=[emitter], fault=fault)]
            return [log for log in told if _has(log, topics)]

        return self._read("search", read)

    @ask
    def snapshot(self, views: Sequence[View], *, addresses: Sequence[str]) -> Snapshot:
        """What the newest block says; nothing but the counter has views."""
        return self._read("snapshot", lambda node, _: self._seen(node, views, addresses))

    @ask
    def snapshots(self, views: Sequence[View], *, addresses: Sequence[str]) -> list[Snapshot]:
        """The same from each endpoint by itself."""
        heard = [node for node in self.nodes if _answers(node, "snapshots")]
        self._highest = max([self._highest, *(node.view.head.header.number for node in heard)])
        return [self._seen(node, views, addresses) for node in heard if not self._is_behind(node.view.head.header.number)]

    def _answered(self, node: Endpoint, target: str, data: str) -> str:
        key = counter.asked_key(data.lower()) if target.lower() == self.ledger.counter.address else None
        return "0x" if key is None else f"0x{node.view.count(key):064x}"

    def _seen(self, node: Endpoint, views: Sequence[View], addresses: Sequence[str]) -> Snapshot:
        return Snapshot(
            block_number=node.view.head.header.number,
            answers=tuple(self._answered(node, view.target, view.data) for view in views),
            balances=tuple(Wei(self.ledger.balance(address, view=node.view)) for address in addresses),
        )

    def _read(self, method: str, ask_node: Callable[[Endpoint, Fault | None], Said]) -> Said:
        """The answer of the first endpoint that gives one and isn't far behind.

        Raises:
            Unavailable: if there is none, or it refuses.
        """
        for node in self.nodes:
            head = node.view.head.header.number
            if self._is_behind(head):
                continue
            try:
                fault = node.hear(method)
            except Unavailable:
                continue
            self._highest = max(self._highest, head)
            return ask_node(node, fault)
        raise Unavailable("no endpoint of the chain answers", endpoints=self.endpoints)

    def _is_behind(self, head: int) -> bool:
        return head < self._highest - MAX_LAG_BLOCKS

    def _simulated(self, call: Call, node: Endpoint) -> Simulation:
        if call.value.raw > self.ledger.balance(call.sender, view=node.view):
            return Simulation(outcome=Outcome.UNKNOWN, reason="insufficient funds for transfer")
        try:
            self.ledger.counter.effect(call.target, call.data)
        except Reverted as refusal:
            return Simulation(outcome=Outcome.REVERTED, reason=str(refusal))
        return Simulation(outcome=Outcome.OK, gas=self.ledger.counter.gas(call.target, call.data))


def _has(log: Log, topics: Sequence[str | None]) -> bool:
    return all(wanted in (None, found) for wanted, found in zip(topics, log.topics, strict=False))


def _answers(node: Endpoint, method: str) -> bool:
    try:
        node.hear(method)
    except Unavailable:
        return False
    return True
