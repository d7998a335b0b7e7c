"""The emitters' events block by block, and why an empty answer is believed.

Providers answer `[]` from a node that doesn't have a block's receipts yet. Where the header says that an
emitter may have written something, "nothing" takes two witnesses: another endpoint, or another method.
"""

from collections.abc import Sequence
from functools import partial

from execution.adapters import bloom, node_json
from execution.adapters.endpoints import Endpoints
from execution.adapters.transport import Request, Response
from execution.domain.chain import Log
from trading.domain.errors import Unavailable


class Disputed(Unavailable):
    """A block's events are told in two ways."""

    code = "RPC_DISPUTED"


async def read(endpoints: Endpoints, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[list[Log]]:
    """The events of the emitters in each block.

    Raises:
        Unavailable: if a block is gone, or nobody confirms that there is nothing in it.
    """
    witness, told = await _ask(endpoints, block_hashes, emitters=emitters)
    empty = [block_hash for block_hash, logs in zip(block_hashes, told, strict=True) if not logs]
    doubtful = await _doubtful(endpoints, empty, emitters=emitters)
    confirmed = await _confirm(endpoints, doubtful, emitters=emitters, witness=witness)
    return [confirmed.get(block_hash, logs) for block_hash, logs in zip(block_hashes, told, strict=True)]


async def _ask(
    endpoints: Endpoints, block_hashes: Sequence[str], *, emitters: Sequence[str], without: Sequence[int] = ()
) -> tuple[int, list[list[Log]]]:
    asked = [_question(block_hash, emitters) for block_hash in block_hashes]

    def parse(responses: list[Response]) -> list[list[Log]]:
        pairs = zip(block_hashes, node_json.results(responses), strict=True)
        return [_logs(raw, block_hash=block_hash, emitters=emitters) for block_hash, raw in pairs]

    return await endpoints.read(asked, parse, without=without)


def _question(block_hash: str, emitters: Sequence[str]) -> Request:
    return "eth_getLogs", [{"blockHash": block_hash, "address": list(emitters)}]


def _logs(raw: object, *, block_hash: str, emitters: Sequence[str]) -> list[Log]:
    return node_json.read(partial(node_json.logs, block_hash=block_hash, emitters=emitters), raw)


async def _doubtful(endpoints: Endpoints, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[str]:
    """Those blocks in which, by their headers, an emitter may have written something."""
    if not block_hashes:
        return []

    def parse(responses: list[Response]) -> list[str]:
        pairs = zip(block_hashes, node_json.results(responses), strict=True)
        return [node_json.read(partial(node_json.bloom, block_hash=block_hash), raw) for block_hash, raw in pairs]

    _, blooms = await endpoints.read([("eth_getBlockByHash", [block_hash, False]) for block_hash in block_hashes], parse)
    pairs = zip(block_hashes, blooms, strict=True)
    return [block_hash for block_hash, filled in pairs if any(bloom.may_hold(filled, emitter) for emitter in emitters)]


async def _confirm(
    endpoints: Endpoints, block_hashes: Sequence[str], *, emitters: Sequence[str], witness: int
) -> dict[str, list[Log]]:
    """What a second witness says of blocks in which the first one saw nothing; what it sees counts."""
    if not block_hashes:
        return {}
    try:
        _, told = await _ask(endpoints, block_hashes, emitters=emitters, without=[witness])
    except Unavailable:
        return await _confirm_by_receipts(endpoints, block_hashes, emitters=emitters)
    return dict(zip(block_hashes, told, strict=True))


async def _confirm_by_receipts(
    endpoints: Endpoints, block_hashes: Sequence[str], *, emitters: Sequence[str]
) -> dict[str, list[Log]]:
    """The same of whoever answers, told by two methods that must agree."""
    asked: list[Request] = []
    for block_hash in block_hashes:
        asked += [_question(block_hash, emitters), ("eth_getBlockReceipts", [block_hash])]

    def parse(responses: list[Response]) -> dict[str, list[Log]]:
        raws = node_json.results(responses)
        return {
            block_hash: _agreed(entries, receipts, block_hash=block_hash, emitters=emitters)
            for block_hash, entries, receipts in zip(block_hashes, raws[::2], raws[1::2], strict=True)
        }

    _, agreed = await endpoints.read(asked, parse)
    return agreed


def _agreed(entries: object, receipts: object, *, block_hash: str, emitters: Sequence[str]) -> list[Log]:
    by_filter = _logs(entries, block_hash=block_hash, emitters=emitters)
    by_receipts = node_json.read(partial(node_json.logs_of_receipts, block_hash=block_hash, emitters=emitters), receipts)
    if by_filter != by_receipts:
        raise Disputed("an endpoint tells a block's events in two ways", error="disputed logs")
    return by_filter
