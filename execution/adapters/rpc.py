"""The chain behind its JSON-RPC endpoints, as `execution.ports.Chain` promises it.

Raw batches are used throughout: web3's own batching costs forty times as much. No retry hides in here: a
read that fails goes on to the next endpoint once, and a broadcast goes to each endpoint once.
"""

import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.conf import settings

from execution.adapters import background, event_logs, node_json
from execution.adapters.endpoints import Endpoints
from execution.adapters.testimony import LATEST, testify
from execution.adapters.transport import Request, Response
from execution.domain.broadcast import Answer
from execution.domain.chain import Block, Call, Heads, Log, Outcome, ReceiptFacts, Simulation, Snapshot, Testimony, View
from execution.domain.endpoint import EndpointState
from execution.domain.fees import FeeQuote
from trading.domain.errors import Unavailable
from trading.domain.units import Wei
from trading.kinds import ask

Parsed = TypeVar("Parsed")

# eth_feeHistory: the tips that half and nine tenths of the last blocks' gas paid less than.
_TIP_PERCENTILES = (50, 90)
_TIP_BLOCKS = "0x5"
# The rollup's own contract at its fixed address, and its getL1FeeUpperBound(uint256), there since Fjord.
GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F"
L1_FEE_UPPER_BOUND = "0xf1c7a58b"


class RpcChain:
    """The chain that `BASE_RPC_URL` names."""

    def __init__(self, urls: Sequence[str] | None = None, *, chain_id: int | None = None) -> None:
        self.chain_id = chain_id or settings.CHAIN_ID
        self._urls = tuple(urls or settings.BASE_RPC_URLS)
        self.endpoints = len(self._urls)
        self._made = self._make()

    @ask
    def head(self) -> Block:
        """The newest block."""
        return self._one(LATEST, node_json.block)

    @ask
    def heads(self) -> Heads:
        """The newest block, and how far the chain is safe and finalized."""
        return self._all([("eth_getBlockByNumber", [tag, False]) for tag in ("latest", "safe", "finalized")], _heads)

    @ask
    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        """Headers by number; those that the chain doesn't have are left out."""
        wanted = list(numbers)
        asked: list[Request] = [("eth_getBlockByNumber", [hex(number), False]) for number in wanted]
        return self._all(asked, lambda raws: node_json.blocks(raws, numbers=wanted))

    @ask
    def fees(self) -> FeeQuote:
        """What the next block asks."""
        return self._one(("eth_feeHistory", [_TIP_BLOCKS, "latest", list(_TIP_PERCENTILES)]), node_json.quote)

    @ask
    def simulate(self, calls: Sequence[Call]) -> list[Simulation]:
        """Each call against the newest state; trouble is `Outcome.UNKNOWN`, and so is a revert that a second node doesn't see."""
        if not calls:
            return []
        number, said = self._simulated(calls)
        refused = [at for at, each in enumerate(said) if each.outcome is Outcome.REVERTED]
        if refused and self.endpoints > 1:
            # What reverts fails for good: that is nothing for one node to say, which may lag or lie.
            _, others = self._simulated([calls[at] for at in refused], without=number)
            for at, other in zip(refused, others, strict=True):
                said[at] = said[at] if other.outcome is Outcome.REVERTED else _DISPUTED
        return said

    def _simulated(self, calls: Sequence[Call], *, without: Sequence[int] = ()) -> tuple[list[int], list[Simulation]]:
        """What a node makes of some calls, and its number."""
        heard: list[list[Simulation]] = []

        def parse(responses: list[Response]) -> None:
            heard.append([node_json.simulation(response) for response in responses])
            # What one node has trouble with the next one may know.
            node_json.refuse_unknown(heard[-1])

        asked: list[Request] = [("eth_estimateGas", [_call(call)]) for call in calls]
        numbers: list[int] = []
        try:
            numbers.append(background.finish(self._endpoints.read(asked, parse, without=without))[0])
        except Unavailable as error:
            heard.append([Simulation(outcome=Outcome.UNKNOWN, reason=error.message)] * len(calls))
        return numbers, [_clearest(said) for said in zip(*heard, strict=True)]

    @ask
    def broadcast(self, raws: Sequence[str]) -> list[Answer]:
        """Offer signed bytes to every endpoint; the strongest answer for each."""
        if not raws:
            return []
        return background.finish(self._endpoints.offer(raws))

    @ask
    def receipts(self, tx_hashes: Sequence[str]) -> list[ReceiptFacts | None]:
        """The receipt of each transaction, None where there is none now."""
        asked: list[Request] = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes]
        return self._all(asked, lambda raws: node_json.receipts(raws, tx_hashes=tx_hashes))

    @ask
    def logs(self, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[list[Log]]:
        """The events of the emitters in each block, by the block's hash."""
        if not block_hashes:
            return []
        return background.finish(event_logs.read(self._endpoints, block_hashes, emitters=emitters))

    @ask
    def testimonies(self, tx_hashes: Sequence[str], *, address: str) -> list[Testimony]:
        """What each endpoint says by itself; those that don't answer, or are behind, are left out."""
        return background.finish(self._endpoints.each(lambda endpoint: testify(endpoint, tx_hashes, address=address)))

    @ask
    def l1_fees(self, sizes: Sequence[int]) -> list[Wei]:
        """The most that the rollup charges now for the data of a transaction of each size."""
        asked = [_view(GAS_PRICE_ORACLE, f"{L1_FEE_UPPER_BOUND}{size:064x}") for size in sizes]
        return self._all(asked, lambda raws: [node_json.wei_or_none(raw) for raw in raws])

    @ask
    def code(self, address: str) -> str:
        """An account's code."""
        return self._one(("eth_getCode", [address, "latest"]), node_json.hex_text)

    @ask
    def nonce(self, address: str) -> tuple[int, int]:
        """Mined transactions of an address, and mined plus pooled."""
        asked: list[Request] = [("eth_getTransactionCount", [address, tag]) for tag in ("latest", "pending")]
        mined, pooled = self._all(asked, lambda raws: [node_json.count(raw) for raw in raws])
        return mined, pooled

    @ask
    def balance(self, address: str) -> Wei:
        """What an address has for gas."""
        return Wei(self._one(("eth_getBalance", [address, "latest"]), node_json.whole))

    @ask
    def call(self, target: str, data: str) -> str:
        """A view's answer as 0x-hex."""
        return self._one(_view(target, data), node_json.hex_text)

    @ask
    def answers_at(self, views: Sequence[View], *, block_hash: str) -> list[str]:
        """What views answered at one block."""
        asked = [_view(view.target, view.data, at={"blockHash": block_hash}) for view in views]
        return self._all(asked, lambda raws: [node_json.hex_text(raw) for raw in raws])

    @ask
    def search(self, emitter: str, *, topics: Sequence[str | None], first: int, last: int) -> list[Log]:
        """A contract's events in a range of blocks."""
        wanted = {"address": emitter, "topics": list(topics), "fromBlock": hex(first), "toBlock": hex(last)}
        # A node that lags answers [] to a range that it doesn't have yet: its head is asked in the same breath.
        asked: list[Request] = [("eth_blockNumber", []), ("eth_getLogs", [wanted])]
        return self._all(asked, lambda raws: node_json.searched(raws, emitter=emitter, last=last))

    @ask
    def snapshot(self, views: Sequence[View], *, addresses: Sequence[str]) -> Snapshot:
        """What views answer and addresses have, in one exchange."""
        return self._all(_sight(views, addresses), lambda raws: _snapshot(raws, views=len(views)))

    @ask
    def snapshots(self, views: Sequence[View], *, addresses: Sequence[str]) -> list[Snapshot]:
        """The same from every endpoint by itself; those that don't answer, or are behind, are left out."""

        def parse(responses: list[Response]) -> Snapshot:
            return node_json.read(lambda raws: _snapshot(raws, views=len(views)), node_json.results(responses))

        return background.finish(self._endpoints.each(lambda endpoint: endpoint.ask(_sight(views, addresses), parse)))

    def states(self) -> list[EndpointState]:
        """How this process finds each endpoint; nobody is asked."""
        return self._endpoints.states()

    def _one(self, request: Request, parse: Callable[[Any], Parsed]) -> Parsed:
        return self._all([request], lambda raws: parse(raws[0]))

    def _all(self, batch: Sequence[Request], parse: Callable[[list[Any]], Parsed]) -> Parsed:
        """The results of a batch, made sense of."""
        if not batch:
            return parse([])
        return self._read(batch, lambda responses: node_json.read(parse, node_json.results(responses)))

    def _read(self, batch: Sequence[Request], parse: Callable[[list[Response]], Parsed]) -> Parsed:
        _, said = background.finish(self._endpoints.read(batch, parse))
        return said

    @property
    def _endpoints(self) -> Endpoints:
        # Connections don't survive a fork: both processes would read from them.
        if self._made[0] != os.getpid():
            self._made = self._make()
        return self._made[1]

    def _make(self) -> tuple[int, Endpoints]:
        endpoints = Endpoints(
            self._urls,
            chain_id=self.chain_id,
            patience_seconds=settings.RPC_TIMEOUT_SECONDS,
            max_bytes=settings.RPC_MAX_ANSWER_BYTES,
        )
        weakref.finalize(self, background.later, endpoints.close)
        return os.getpid(), endpoints


def _heads(raws: Sequence[Any]) -> Heads:
    latest, safe, finalized = (node_json.block(raw) for raw in raws)
    return Heads(latest=latest, safe=safe.number, finalized=finalized.number)


def _sight(views: Sequence[View], addresses: Sequence[str]) -> list[Request]:
    asked: list[Request] = [("eth_blockNumber", [])]
    asked += [_view(view.target, view.data) for view in views]
    return asked + [("eth_getBalance", [address, "latest"]) for address in addresses]


def _snapshot(raws: Sequence[Any], *, views: int) -> Snapshot:
    # The block was asked for first: what follows is no older.
    return Snapshot(
        block_number=node_json.whole(raws[0]),
        answers=tuple(node_json.hex_text(raw) for raw in raws[1 : views + 1]),
        balances=tuple(Wei(node_json.whole(raw)) for raw in raws[views + 1 :]),
    )


# One node says that a call reverts, and no other one does.
_DISPUTED = Simulation(outcome=Outcome.UNKNOWN, reason="nodes disagree about a revert")


def _clearest(said: Sequence[Simulation]) -> Simulation:
    return next((each for each in said if each.outcome is not Outcome.UNKNOWN), said[0])


def _view(target: str, data: str, *, at: str | dict[str, str] = "latest") -> Request:
    return "eth_call", [{"to": target, "data": data}, at]


def _call(call: Call) -> dict[str, str]:
    return {"from": call.sender, "to": call.target, "data": call.data, "value": hex(call.value.raw)}
