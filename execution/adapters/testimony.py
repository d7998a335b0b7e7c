"""What one endpoint says by itself, every answer from the same node."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from execution.adapters import node_json
from execution.adapters.endpoint import Endpoint
from execution.adapters.transport import Request, Response
from execution.domain.chain import ReceiptFacts, Testimony

LATEST: Request = ("eth_getBlockByNumber", ["latest", False])
_HOW_FAR: tuple[Request, ...] = (
    LATEST,
    ("eth_getBlockByNumber", ["safe", False]),
    ("eth_getBlockByNumber", ["finalized", False]),
)


async def testify(endpoint: Endpoint, tx_hashes: Sequence[str], *, address: str) -> Testimony:
    """Its head, its count of an address, and those receipts whose block it has itself.

    Raises:
        Unavailable: if it doesn't answer, or makes no sense.
    """
    asked: list[Request] = [*_HOW_FAR, ("eth_getTransactionCount", [address, "latest"])]
    asked += [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes]

    def parse(responses: list[Response]) -> Testimony:
        return node_json.read(lambda raws: _said(raws, tx_hashes, endpoint=endpoint.number), node_json.results(responses))

    said = await endpoint.ask(asked, parse)
    endpoint.show(said.head)
    hashes = await _hashes(endpoint, {receipt.block_number for receipt in said.receipts if receipt is not None})
    receipts = tuple(receipt if _stands(receipt, hashes) else None for receipt in said.receipts)
    return replace(said, receipts=receipts)


def _said(raws: Sequence[Any], tx_hashes: Sequence[str], *, endpoint: int) -> Testimony:
    head, safe, finalized, mined, *receipts = raws
    return Testimony(
        endpoint=endpoint,
        head=node_json.block(head).number,
        safe=node_json.block(safe).number,
        finalized=node_json.block(finalized).number,
        mined=node_json.count(mined),
        receipts=tuple(node_json.receipts(receipts, tx_hashes=tx_hashes)),
    )


async def _hashes(endpoint: Endpoint, numbers: set[int]) -> dict[int, str]:
    if not numbers:
        return {}
    ordered = sorted(numbers)

    def parse(responses: list[Response]) -> dict[int, str]:
        raws = node_json.results(responses)
        found = node_json.read(lambda headers: node_json.blocks(headers, numbers=ordered), raws)
        return {number: block.hash for number, block in found.items()}

    return await endpoint.ask([("eth_getBlockByNumber", [hex(number), False]) for number in ordered], parse)


def _stands(receipt: ReceiptFacts | None, hashes: dict[int, str]) -> bool:
    return receipt is not None and hashes.get(receipt.block_number) == receipt.block_hash
