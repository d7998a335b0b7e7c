"""Whatever JSON a node may answer with: it makes sense, or it is Unavailable, or unknown."""

from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from execution.adapters import node_json
from execution.domain.broadcast import Meaning
from execution.domain.chain import Outcome
from trading.domain.errors import Unavailable

HASH = "0x" + "33" * 32
RAW = "0x02c0"
WORDS = st.sampled_from(["", "0x", "0x1", "0xzz", "-0x1", "0x" + "f" * 70, HASH, "0x" + "11" * 20, "revert", "nonce too low"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
FIELDS = st.sampled_from(
    [
        *("number", "hash", "parentHash", "timestamp", "baseFeePerGas", "transactionHash", "blockNumber", "blockHash"),
        *("status", "gasUsed", "effectiveGasPrice", "l1Fee", "address", "topics", "data", "logIndex", "logs", "logsBloom"),
        *("reward", "result", "error", "code", "message", "id"),
    ]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=10), max_leaves=20
)
OF_A_BLOCK = {"block_hash": HASH, "emitters": ["0x" + "11" * 20]}
PARSERS: dict[str, Any] = {
    "block": node_json.block,
    "quote": node_json.quote,
    "receipt": node_json.receipt,
    "whole": node_json.whole,
    "count": node_json.count,
    "hex_text": node_json.hex_text,
    "wei_or_none": node_json.wei_or_none,
    "bloom": partial(node_json.bloom, block_hash=HASH),
    "logs": partial(node_json.logs, **OF_A_BLOCK),
    "logs_of_receipts": partial(node_json.logs_of_receipts, **OF_A_BLOCK),
}


@pytest.mark.parametrize("name", PARSERS)
@given(raw=JSON)
@example(raw={"number": "0x1", "hash": HASH, "parentHash": HASH, "timestamp": "0x7fffffffffffffff"})
def test_a_parser_raises_nothing_but_unavailable(name: str, raw: object) -> None:
    try:
        node_json.read(PARSERS[name], raw)
    except Unavailable:
        return


@given(st.dictionaries(FIELDS, JSON, max_size=6))
def test_an_answer_to_a_broadcast_or_a_simulation_never_raises(response: dict[str, Any]) -> None:
    answer, simulation = node_json.answer(response, RAW), node_json.simulation(response)

    assert (answer.meaning in Meaning, simulation.outcome in Outcome) == (True, True)
    assert len(answer.text) <= 200
    assert node_json.has_unknown_words(response) in (True, False)


@given(JSON)
def test_only_our_own_hash_is_taken_for_acceptance(result: object) -> None:
    assert node_json.answer({"result": result}, RAW).meaning is Meaning.UNKNOWN


@pytest.mark.parametrize("raw", ["0x0", "0x01", "0xFf", "0x" + "f" * 64])
def test_numbers_are_read_as_nodes_write_them(raw: str) -> None:
    assert node_json.whole(raw) == int(raw, 16)


@pytest.mark.parametrize("raw", ["0x8" + "0" * 15, "0x" + "f" * 64])
def test_a_height_beyond_the_databases_integers_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        node_json.count(raw)


def test_hashes_are_spelled_one_way() -> None:
    assert node_json.hash_text("0x" + "AB" * 32) == "0x" + "ab" * 32
