"""The chain behind its JSON-RPC endpoints: the only place that knows web3.

Reads go to the first endpoint that answers, in the order given; broadcasts go to all. Raw batches are
used throughout: web3's own batching costs forty times as much. No retry hides in here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import requests
import structlog
from django.conf import settings
from web3 import HTTPProvider

from execution.adapters import node_json
from execution.adapters.node_json import Response
from execution.domain.broadcast import Answer, Meaning, strongest
from execution.domain.chain import Block, Call, Heads, Log, Outcome, ReceiptFacts, Simulation, Testimony
from execution.domain.fees import FeeQuote
from trading.domain.errors import Unavailable
from trading.domain.units import Wei
from trading.kinds import ask

log = structlog.get_logger(__name__)

Request = tuple[str, list[Any]]

# eth_feeHistory: the tip that half of the last blocks' gas paid less than.
_TIP_PERCENTILE = 50
_TIP_BLOCKS = "0x5"


class WrongChain(Unavailable):
    """An endpoint serves another chain; it is not asked again."""

    code = "WRONG_CHAIN"


class RpcChain:
    """The chain that `BASE_RPC_URL` names."""

    def __init__(self, urls: Sequence[str] | None = None, *, chain_id: int | None = None) -> None:
        self.chain_id = chain_id or settings.CHAIN_ID
        self._urls = tuple(urls or settings.BASE_RPC_URLS)
        self._providers = {url: _provider(url) for url in self._urls}
        self._known: set[str] = set()

    @ask
    def head(self) -> Block:
        """The newest block."""
        return node_json.read(node_json.block, self._one("eth_getBlockByNumber", ["latest", False]))

    @ask
    def heads(self) -> Heads:
        """The newest block, and how far the chain is safe and finalized."""
        latest, safe, finalized = self._all([("eth_getBlockByNumber", [tag, False]) for tag in ("latest", "safe", "finalized")])
        return Heads(
            latest=node_json.read(node_json.block, latest),
            safe=node_json.read(node_json.block, safe).number,
            finalized=node_json.read(node_json.block, finalized).number,
        )

    @ask
    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        """Headers by number; those that the chain doesn't have are left out."""
        found = self._all([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        return {block.number: block for block in (node_json.read(node_json.block, raw) for raw in found if raw is not None)}

    @ask
    def fees(self) -> FeeQuote:
        """What the next block asks."""
        return node_json.read(node_json.quote, self._one("eth_feeHistory", [_TIP_BLOCKS, "latest", [_TIP_PERCENTILE]]))

    @ask
    def simulate(self, calls: Sequence[Call]) -> list[Simulation]:
        """Each call against the newest state; trouble is `Outcome.UNKNOWN`."""
        try:
            responses = self._responses([("eth_estimateGas", [_call(call)]) for call in calls])
        except Unavailable as error:
            return [Simulation(outcome=Outcome.UNKNOWN, reason=error.message)] * len(calls)
        return [node_json.simulation(response) for response in responses]

    @ask
    def broadcast(self, raws: Sequence[str]) -> list[Answer]:
        """Offer signed bytes to every endpoint; the strongest answer for each."""
        heard = [self._offer(url, raws) for url in self._urls]
        return [strongest(answers) for answers in zip(*heard, strict=True)]

    @ask
    def receipts(self, tx_hashes: Sequence[str]) -> list[ReceiptFacts | None]:
        """The receipt of each transaction, None where there is none now."""
        found = self._all([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes])
        return [None if raw is None else node_json.read(node_json.receipt, raw) for raw in found]

    @ask
    def logs(self, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[list[Log]]:
        """The events of the emitters in each block, by the block's hash."""
        asked = [{"blockHash": block_hash, "address": list(emitters)} for block_hash in block_hashes]
        found = self._all([("eth_getLogs", [question]) for question in asked])
        return [node_json.read(node_json.logs, entries) for entries in found]

    @ask
    def testimonies(self, tx_hashes: Sequence[str], *, address: str) -> list[Testimony]:
        """What each endpoint says by itself; those that don't answer are left out."""
        heard = []
        for endpoint, url in enumerate(self._urls):
            try:
                heard.append(self._testimony(endpoint, url, tx_hashes, address=address))
            except Unavailable as error:
                log.warning("rpc.endpoint_silent", endpoint=endpoint, **error.facts)
        return heard

    def _testimony(self, endpoint: int, url: str, tx_hashes: Sequence[str], *, address: str) -> Testimony:
        asked: list[Request] = [("eth_getBlockByNumber", ["latest", False]), ("eth_getTransactionCount", [address, "latest"])]
        asked += [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes]
        head, mined, *receipts = [response.get("result") for response in self._exchange(url, asked)]
        found = [None if raw is None else node_json.read(node_json.receipt, raw) for raw in receipts]
        return Testimony(
            endpoint=endpoint,
            head=node_json.read(node_json.block, head).number,
            mined=node_json.read(node_json.whole, mined),
            receipts=tuple(found),
        )

    @ask
    def l1_fees(self, sizes: Sequence[int]) -> list[Wei]:
        """Nothing yet."""
        return [Wei.zero() for _ in sizes]

    @ask
    def code(self, address: str) -> str:
        """An account's code."""
        return node_json.read(node_json.hex_text, self._one("eth_getCode", [address, "latest"]))

    @ask
    def nonce(self, address: str) -> tuple[int, int]:
        """Mined transactions of an address, and mined plus pooled."""
        mined, pooled = self._all([("eth_getTransactionCount", [address, tag]) for tag in ("latest", "pending")])
        return node_json.read(node_json.whole, mined), node_json.read(node_json.whole, pooled)

    @ask
    def balance(self, address: str) -> Wei:
        """What an address has for gas."""
        return Wei(node_json.read(node_json.whole, self._one("eth_getBalance", [address, "latest"])))

    @ask
    def call(self, target: str, data: str) -> str:
        """A view's answer as 0x-hex."""
        return node_json.read(node_json.hex_text, self._one("eth_call", [{"to": target, "data": data}, "latest"]))

    def _one(self, method: str, params: list[Any]) -> Any:
        return self._all([(method, params)])[0]

    def _all(self, batch: Sequence[Request]) -> list[Any]:
        """The results of a batch.

        Raises:
            Unavailable: if any request was answered with an error.
        """
        responses = self._responses(batch)
        for response in responses:
            if "error" in response:
                raise Unavailable("the node refused a read", error=node_json.text(response["error"]))
        return [response.get("result") for response in responses]

    def _responses(self, batch: Sequence[Request]) -> list[Response]:
        if not batch:
            return []
        for url in self._urls:
            try:
                return self._exchange(url, batch)
            except Unavailable as error:
                log.warning("rpc.endpoint_silent", endpoint=self._urls.index(url), **error.facts)
        raise Unavailable("no endpoint of the chain answers", endpoints=len(self._urls))

    def _offer(self, url: str, raws: Sequence[str]) -> list[Answer]:
        try:
            responses = self._exchange(url, [("eth_sendRawTransaction", [raw]) for raw in raws])
        except Unavailable as error:
            return [Answer(meaning=Meaning.UNKNOWN, text=str(error.facts.get("error", "")))] * len(raws)
        return [node_json.answer(response, raw) for response, raw in zip(responses, raws, strict=True)]

    def _exchange(self, url: str, batch: Sequence[Request]) -> list[Response]:
        self._check_chain(url)
        return _post(self._providers[url], batch)

    def _check_chain(self, url: str) -> None:
        if url in self._known:
            return
        (response,) = _post(self._providers[url], [("eth_chainId", [])])
        if node_json.read(node_json.whole, response.get("result")) != self.chain_id:
            raise WrongChain("an endpoint serves another chain", error="wrong chain", expected=self.chain_id)
        self._known.add(url)


def _provider(url: str) -> HTTPProvider:
    # Without web3's own retries: a broadcast must be seen to fail when it failed.
    return HTTPProvider(url, request_kwargs={"timeout": settings.RPC_TIMEOUT_SECONDS}, exception_retry_configuration=None)


def _post(provider: HTTPProvider, batch: Sequence[Request]) -> list[Response]:
    """The answers to a batch, in its order."""
    # The provider numbers its requests one after the other: the next ones follow this number.
    first = next(provider.request_counter) + 1
    try:
        responses: Any = provider.make_batch_request(list(batch))  # type: ignore[arg-type]  # web3 types methods as RPCEndpoint
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable("an endpoint doesn't answer", error=type(error).__name__) from None
    if not isinstance(responses, list) or not all(isinstance(response, dict) for response in responses):
        raise Unavailable("an endpoint answers nonsense", error="not a batch")
    # web3 sorts by number, and hopes where there is none: an answer to another question is no answer.
    if [response.get("id") for response in responses] != list(range(first, first + len(batch))):
        raise Unavailable("an endpoint answers other questions", error="incomplete batch")
    return responses


def _call(call: Call) -> dict[str, str]:
    return {"from": call.sender, "to": call.target, "data": call.data, "value": hex(call.value.raw)}
