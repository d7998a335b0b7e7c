"""The chain's adapter: which answers are believed, which go on to the next endpoint, and in what parts it asks."""

import os
import traceback
from typing import Any

import pytest
from eth_utils import keccak

from execution.adapters.rpc import GAS_PRICE_ORACLE, L1_FEE_UPPER_BOUND, RpcChain
from execution.domain.broadcast import Meaning
from execution.domain.chain import Outcome
from tests.fakes.node import Fault, Node
from tests.integration.execution.test_rpc import CALL, NONSENSE, RAW, block
from trading.domain.errors import Unavailable
from trading.domain.units import Wei


def _receipt(tx_hash: str, **changes: Any) -> dict[str, Any]:
    receipt = {"transactionHash": tx_hash, "blockNumber": "0x5", "blockHash": "0x" + "55" * 32, "status": "0x1"}
    return receipt | {"gasUsed": "0x5208", "effectiveGasPrice": "0x7"} | changes


def test_too_many_requests_are_backpressure(node: Node) -> None:
    node.suffer(Fault.TOO_MANY, on="eth_sendRawTransaction")

    assert [answer.meaning for answer in RpcChain([node.url]).broadcast([RAW, RAW])] == [Meaning.BACKPRESSURE] * 2


@pytest.mark.parametrize(
    ("message", "code", "meaning"),
    [
        ("new words", -32005, Meaning.BACKPRESSURE),
        ("new words", -32016, Meaning.BACKPRESSURE),
        ("Transaction gas limit exceeds block gas limit", -32005, Meaning.FATAL),
        ("new words", -32000, Meaning.UNKNOWN),
        ("new words", -32603, Meaning.UNKNOWN),
    ],
)
def test_words_come_before_codes(node: Node, message: str, code: int, meaning: Meaning) -> None:
    node.refuse("eth_sendRawTransaction", message, code=code)

    assert RpcChain([node.url]).broadcast([RAW])[0].meaning is meaning


@pytest.mark.parametrize("code", [None, "x", True, 1.5, [], {}, 10**30])
def test_a_code_without_sense_proves_nothing(node: Node, code: Any) -> None:
    node.refuse("eth_sendRawTransaction", "new words", code=code)

    assert RpcChain([node.url]).broadcast([RAW])[0].meaning is Meaning.UNKNOWN


def test_an_error_that_is_null_is_none(node: Node) -> None:
    node.script("eth_getBalance", lambda _: {"result": "0x2a", "error": None})

    assert RpcChain([node.url]).balance("0x" + "11" * 20) == Wei(42)


@pytest.mark.parametrize("facts", [{"blockHash": None, "blockNumber": None}, {"blockHash": None}])
def test_a_receipt_of_a_block_that_isnt_sealed_is_none(node: Node, facts: dict[str, Any]) -> None:
    node.script("eth_getTransactionReceipt", lambda params: {"result": _receipt(params[0], **facts)})

    assert RpcChain([node.url]).receipts(["0x" + "33" * 32]) == [None]


@pytest.mark.parametrize(
    "facts", [{"transactionHash": "0x" + "44" * 32}, {"status": "0x2"}, {"status": None}, {"gasUsed": 21_000}]
)
def test_a_receipt_that_makes_no_sense_is_unavailable(node: Node, facts: dict[str, Any]) -> None:
    node.script("eth_getTransactionReceipt", lambda params: {"result": _receipt(params[0], **facts)})

    with pytest.raises(Unavailable):
        RpcChain([node.url]).receipts(["0x" + "33" * 32])


def test_a_header_of_another_number_is_unavailable(node: Node) -> None:
    node.answer("eth_getBlockByNumber", block(3))

    with pytest.raises(Unavailable):
        RpcChain([node.url]).blocks([2])


def test_a_long_batch_goes_in_parts(node: Node) -> None:
    node.script("eth_getBlockByNumber", lambda params: {"result": block(int(params[0], 16))})

    found = RpcChain([node.url]).blocks(range(1, 251))

    assert list(found) == list(range(1, 251))
    # The chain's number alone; then the head before the 250.
    assert node.batches == [1, 100, 100, 51]


def test_many_bytes_go_in_parts_and_in_their_order(node: Node) -> None:
    node.refuse("eth_sendRawTransaction", "nonce too low")
    raws = [f"0x{number:04x}" for number in range(150)]

    answers = RpcChain([node.url]).broadcast(raws)

    assert [answer.meaning for answer in answers] == [Meaning.CONSUMED] * 150
    assert [params[0] for method, params in node.heard if method == "eth_sendRawTransaction"] == raws
    assert node.batches == [1, 100, 50]


@pytest.mark.parametrize(("answer", "fee"), [("0x", Wei(0)), ("0x" + f"{77:064x}", Wei(77))])
def test_the_data_fee_is_the_oracles_and_nothing_where_there_is_none(node: Node, answer: str, fee: Wei) -> None:
    node.answer("eth_call", answer)

    assert RpcChain([node.url]).l1_fees([100, 200]) == [fee, fee]
    asked = [params for method, params in node.heard if method == "eth_call"]
    assert asked == [[{"to": GAS_PRICE_ORACLE, "data": f"{L1_FEE_UPPER_BOUND}{size:064x}"}, "latest"] for size in (100, 200)]


@pytest.mark.parametrize("answer", [None, "0xzz", 7, [], "0x" + "00" * 33])
def test_a_data_fee_without_sense_is_unavailable(node: Node, answer: object) -> None:
    node.answer("eth_call", answer)

    with pytest.raises(Unavailable):
        RpcChain([node.url]).l1_fees([100])


def test_the_oracles_function_is_named_by_its_hash() -> None:
    assert "0x" + keccak(text="getL1FeeUpperBound(uint256)")[:4].hex() == L1_FEE_UPPER_BOUND


@pytest.mark.parametrize("method", ["broadcast", "receipts", "simulate", "logs", "l1_fees"])
def test_nothing_asked_is_nothing_said(node: Node, method: str) -> None:
    more: dict[str, Any] = {"emitters": ["0x" + "22" * 20]} if method == "logs" else {}

    assert getattr(RpcChain([node.url]), method)([], **more) == []
    assert node.heard == []


def test_what_one_node_cant_simulate_the_next_one_does(node: Node, second: Node) -> None:
    node.refuse("eth_estimateGas", "missing trie node")
    second.answer("eth_estimateGas", "0x5208")

    (simulation,) = RpcChain([node.url, second.url]).simulate([CALL])

    assert (simulation.outcome, simulation.gas) == (Outcome.OK, 21_000)


def test_a_revert_counts_once_a_second_node_sees_it_too(node: Node, second: Node) -> None:
    for each in (node, second):
        each.refuse("eth_estimateGas", "execution reverted", code=3)

    assert RpcChain([node.url, second.url]).simulate([CALL])[0].outcome is Outcome.REVERTED


def test_a_revert_that_the_second_node_doesnt_see_is_unknown(node: Node, second: Node) -> None:
    node.refuse("eth_estimateGas", "execution reverted", code=3)
    second.answer("eth_estimateGas", "0x5208")

    assert RpcChain([node.url, second.url]).simulate([CALL])[0].outcome is Outcome.UNKNOWN


def test_a_revert_of_which_the_second_node_says_nothing_is_unknown(node: Node, second: Node) -> None:
    node.refuse("eth_estimateGas", "execution reverted", code=3)
    second.suffer(Fault.DROP)

    assert RpcChain([node.url, second.url]).simulate([CALL])[0].outcome is Outcome.UNKNOWN


def test_a_single_nodes_revert_is_believed(node: Node) -> None:
    node.refuse("eth_estimateGas", "execution reverted", code=3)

    assert RpcChain([node.url]).simulate([CALL])[0].outcome is Outcome.REVERTED


@pytest.mark.parametrize("message", ["header not found", "limit exceeded", "internal error", ""])
def test_a_read_that_is_refused_goes_to_the_second_endpoint(node: Node, second: Node, message: str) -> None:
    node.refuse("eth_getBalance", message)
    second.answer("eth_getBalance", "0x2a")

    assert RpcChain([node.url, second.url]).balance("0x" + "11" * 20) == Wei(42)


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_goes_to_the_second_endpoint(node: Node, second: Node, nonsense: object) -> None:
    node.answer("eth_getBlockByNumber", nonsense)
    second.answer("eth_getBlockByNumber", block(7))

    assert RpcChain([node.url, second.url]).head().number == 7


def test_a_key_in_an_address_shows_in_no_error(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.suffer(Fault.DROP)
    url = f"{node.url}/v3/a-secret-key"

    with pytest.raises(Unavailable) as caught:
        RpcChain([url]).balance("0x" + "11" * 20)

    told = "".join(traceback.format_exception(caught.value)) + str(caught.value.facts) + caplog.text
    assert "a-secret-key" not in told


def test_a_child_of_a_fork_asks_for_itself(node: Node) -> None:
    chain = RpcChain([node.url])
    node.answer("eth_getBalance", "0x2a")
    assert chain.balance("0x" + "11" * 20) == Wei(42)

    child = os.fork()
    if child == 0:
        os._exit(chain.balance("0x" + "11" * 20).raw)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 42
    assert chain.balance("0x" + "11" * 20) == Wei(42)
