"""The requests of one exchange on their way to the chain, and their answers on the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from time import monotonic

from devnet.faults import stale
from devnet.faults.item import Item, prepared
from devnet.faults.lies import Memory, Scene
from devnet.faults.mempool import Mempool
from devnet.faults.plan import Drawn, Fault
from devnet.faults.record import Record
from devnet.faults.stale import View
from devnet.faults.transaction import decode
from devnet.faults.upstream import Json, Upstream, first_parameter

SEND = "eth_sendRawTransaction"
# What a strict node answers differently from anvil.
_CORRECTED = frozenset({"eth_getTransactionByHash", "eth_getTransactionCount"})
# Orders to anvil itself: they make, take or price blocks, and the pool must not lag behind.
_STEERING = ("evm_", "anvil_")
# A return to a snapshot is a test's new beginning, not a reorganization. Both are forgotten before
# anvil is asked: else a tending in between would give back what is meant to be gone.
_FORGETTING = frozenset({"evm_revert", "anvil_dropAllTransactions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Who answers: the chain on this thread's connection, behind the strict mempool if there is one."""

    upstream: Upstream
    mempool: Mempool | None
    record: Record

    def is_itself(self, methods: Sequence[str]) -> bool:
        """Whether it answers these as the chain alone would."""
        if self.mempool is None:
            return SEND not in methods
        is_corrected = self.mempool.is_holding and not _CORRECTED.isdisjoint(methods)
        return not is_corrected and not any(method == SEND or method.startswith(_STEERING) for method in methods)

    def answers(self, requests: Sequence[Json]) -> list[Json]:
        """The answers to a batch, in its order: sends one by one, what lies between them at once."""
        found: list[Json] = []
        for is_send, run in groupby(requests, key=lambda request: request["method"] == SEND):
            batch = list(run)
            found += [self._sent(request) for request in batch] if is_send else self._asked(batch)
        return found

    def _sent(self, request: Json) -> Json:
        transaction = decode(first_parameter(request))
        if transaction is not None:
            self.record.forwarded(transaction)
        if transaction is not None and self.mempool is not None:
            return self.mempool.offer(transaction)
        (answer,) = self.upstream.answers([request])
        return answer

    def _asked(self, requests: Sequence[Json]) -> list[Json]:
        if self.mempool is None:
            return self.upstream.answers(requests)
        if any(request["method"] in _FORGETTING for request in requests):
            self.mempool.forget_all()
        answers = self.upstream.answers(requests)
        for request in requests:
            _steer(self.mempool, request)
        return [self.mempool.corrected(request, answer) for request, answer in zip(requests, answers, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The requests of one exchange, and what strikes them."""

    node: Node
    memory: Memory
    requests: Sequence[Json]
    drawn: Drawn

    def answers(self) -> list[Json]:
        """What is told, each with its request's id; a missing answer is left out."""
        view = self._view()
        items = [self._item(number, view) for number in range(len(self.requests))]
        asked = [item.question for item in items if item.question is not None]
        found = iter(self.node.answers(asked))
        told = [(item, item.told({} if item.question is None else next(found))) for item in items]
        return [_framed(item.request, answer) for item, answer in told if not item.is_missing]

    def _view(self) -> View | None:
        rule = self.drawn.whole.get(Fault.STALE)
        return None if rule is None else stale.behind(self.node.upstream, blocks=rule.blocks)

    def _item(self, number: int, view: View | None) -> Item:
        request, now = self.requests[number], monotonic()
        is_stale = view is not None and self.drawn.whole[Fault.STALE].concerns(request["method"])
        scenes = [
            Scene(rule=rule, request=request, upstream=self.node.upstream, memory=self.memory, now=now)
            for rule in self.drawn.each[number]
        ]
        return prepared(request, scenes, view if is_stale else None)


def _steer(mempool: Mempool, request: Json) -> None:
    if request["method"] == "anvil_dropTransaction":
        mempool.drop(str(first_parameter(request)))
    elif request["method"].startswith(_STEERING):
        mempool.tend()


def _framed(request: Json, answer: Json) -> Json:
    return {"jsonrpc": "2.0", "id": request.get("id"), **answer}
