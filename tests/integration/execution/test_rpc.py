"""The chain's adapter: faults are Unavailable for reads and UNKNOWN for broadcasts, and nothing else."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from execution.adapters.rpc import RpcChain
from execution.domain.broadcast import Meaning
from execution.domain.chain import Call, Outcome
from tests.fakes.node import HUGE, Fault, Node
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

pytestmark = pytest.mark.usefixtures("unhurried")

CALL = Call(sender="0x" + "11" * 20, target="0x" + "22" * 20, data="0x", value=Wei(0))
# Any bytes: their hash is keccak's of them.
RAW = "0x02c0"
RAW_HASH = "0xcace66b6a82a5dc496a5b21a4032eb58baf223ea6f142a01593a5d105d5ee150"
READS: dict[str, Callable[[RpcChain], object]] = {
    "head": lambda chain: chain.head(),
    "blocks": lambda chain: chain.blocks([1, 2]),
    "fees": lambda chain: chain.fees(),
    "receipts": lambda chain: chain.receipts(["0x" + "33" * 32]),
    "logs": lambda chain: chain.logs(["0x" + "33" * 32], emitters=["0x" + "22" * 20]),
    "nonce": lambda chain: chain.nonce("0x" + "11" * 20),
    "balance": lambda chain: chain.balance("0x" + "11" * 20),
    "call": lambda chain: chain.call("0x" + "22" * 20, "0x"),
}
METHODS = (
    "eth_getBlockByNumber",
    "eth_feeHistory",
    "eth_getTransactionReceipt",
    "eth_getLogs",
    "eth_getTransactionCount",
    "eth_getBalance",
    "eth_call",
)


@pytest.fixture(autouse=True)
def _short_patience(settings: Settings) -> None:
    settings.RPC_TIMEOUT_SECONDS = 0.3
    settings.RPC_MAX_ANSWER_BYTES = HUGE // 2


def block(number: int) -> dict[str, Any]:
    block = {"number": hex(number), "hash": f"0x{number:064x}", "parentHash": f"0x{number - 1:064x}", "timestamp": "0x1"}
    return block | {"baseFeePerGas": "0x7"}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("read", READS)
def test_a_read_that_suffers_any_fault_is_unavailable(node: Node, read: str, fault: Fault) -> None:
    node.suffer(fault)

    with pytest.raises(Unavailable):
        READS[read](RpcChain([node.url]))


NONSENSE: tuple[object, ...] = (
    *(None, 7, "zz", "0xzz", [], {}, [None], {"number": "0x1"}, True, "0x", "-0x1", "0x_1", " 0x1", "0x1" + "0" * 64),
    block(1) | {"timestamp": hex(2**62)},
    block(1) | {"number": hex(2**64)},
    block(1) | {"hash": ["0x1"]},
    block(1) | {"parentHash": "0x1"},
)
PARSED = ("head", "fees", "nonce", "balance", "call", "logs")
# To these questions they are answers.
SENSE: dict[str, list[object]] = {"logs": [[]], "call": ["0x"]}


@pytest.mark.parametrize(
    ("read", "nonsense"),
    [(read, each) for read in READS for each in NONSENSE if read in PARSED and each not in SENSE.get(read, [])],
)
def test_a_result_that_makes_no_sense_is_unavailable(node: Node, read: str, nonsense: object) -> None:
    for method in METHODS:
        node.answer(method, nonsense)

    with pytest.raises(Unavailable):
        READS[read](RpcChain([node.url]))


def test_a_refused_read_is_unavailable(node: Node) -> None:
    node.refuse("eth_getBalance", "limit exceeded", code=-32005)

    with pytest.raises(Unavailable):
        RpcChain([node.url]).balance("0x" + "11" * 20)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.TOO_MANY])
def test_a_broadcast_that_suffers_any_fault_is_unknown(node: Node, fault: Fault) -> None:
    node.answer("eth_sendRawTransaction", RAW_HASH)
    node.suffer(fault, on="eth_sendRawTransaction")

    answers = RpcChain([node.url]).broadcast([RAW, RAW])

    assert [answer.meaning for answer in answers] == [Meaning.UNKNOWN, Meaning.UNKNOWN]


@pytest.mark.parametrize("fault", Fault)
def test_a_simulation_that_suffers_any_fault_is_unknown(node: Node, fault: Fault) -> None:
    node.answer("eth_estimateGas", "0x5208")
    node.suffer(fault, on="eth_estimateGas")

    assert [each.outcome for each in RpcChain([node.url]).simulate([CALL, CALL])] == [Outcome.UNKNOWN, Outcome.UNKNOWN]


@pytest.mark.parametrize("nonsense", [None, "zz", [], {}, 7])
def test_a_simulation_that_makes_no_sense_is_unknown(node: Node, nonsense: object) -> None:
    node.answer("eth_estimateGas", nonsense)

    assert [each.outcome for each in RpcChain([node.url]).simulate([CALL])] == [Outcome.UNKNOWN]


@pytest.mark.parametrize(
    ("message", "more", "outcome", "reason"),
    [
        ("execution reverted", {"code": 3, "data": "0x7f527065"}, Outcome.REVERTED, "0x7f527065"),
        ("execution reverted: no", {"code": -32000}, Outcome.REVERTED, "execution reverted: no"),
        ("execution reverted", {"code": 3, "data": "0x"}, Outcome.REVERTED, "execution reverted"),
        ("header not found", {"code": -32000}, Outcome.UNKNOWN, "header not found"),
        ("insufficient funds for transfer", {"code": -32000}, Outcome.UNKNOWN, "insufficient funds for transfer"),
    ],
)
def test_only_a_revert_is_a_verdict_on_the_call(
    node: Node, message: str, more: dict[str, Any], outcome: Outcome, reason: str
) -> None:
    node.refuse("eth_estimateGas", message, **more)

    (simulation,) = RpcChain([node.url]).simulate([CALL])

    assert (simulation.outcome, simulation.reason) == (outcome, reason)


def test_what_is_within_the_bound_is_read_however_long(node: Node, settings: Settings) -> None:
    settings.RPC_MAX_ANSWER_BYTES = 2 * HUGE
    settings.RPC_TIMEOUT_SECONDS = 5.0
    node.answer("eth_getBalance", "0x2a")
    node.suffer(Fault.HUGE)

    assert RpcChain([node.url]).balance("0x" + "11" * 20) == Wei(42)


def test_our_hash_is_accepted(node: Node) -> None:
    node.answer("eth_sendRawTransaction", RAW_HASH)

    assert [answer.meaning for answer in RpcChain([node.url]).broadcast([RAW])] == [Meaning.ACCEPTED]


@pytest.mark.parametrize("result", ["0x" + "ab" * 32, None, "", 7])
def test_another_hash_proves_nothing(node: Node, result: object) -> None:
    node.answer("eth_sendRawTransaction", result)

    assert [answer.meaning for answer in RpcChain([node.url]).broadcast([RAW])] == [Meaning.UNKNOWN]


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("already known", Meaning.ACCEPTED),
        ("nonce too low", Meaning.CONSUMED),
        ("some new words of a new client", Meaning.UNKNOWN),
        ("", Meaning.UNKNOWN),
    ],
)
def test_a_refused_broadcast_keeps_the_nodes_words(node: Node, message: str, meaning: Meaning) -> None:
    node.refuse("eth_sendRawTransaction", message)

    (answer,) = RpcChain([node.url]).broadcast([RAW])

    assert (answer.meaning, answer.text) == (meaning, message)


def test_a_long_answer_is_shortened(node: Node) -> None:
    node.refuse("eth_sendRawTransaction", "x" * 5_000)

    assert len(RpcChain([node.url]).broadcast([RAW])[0].text) == 200


def test_answers_out_of_order_are_matched_by_their_numbers(node: Node) -> None:
    node.script("eth_getBlockByNumber", lambda params: {"result": block(int(params[0], 16))})
    node.is_shuffling = True

    found = RpcChain([node.url]).blocks(range(1, 6))

    assert {number: block.hash for number, block in found.items()} == {number: f"0x{number:064x}" for number in range(1, 6)}


def test_broadcasts_out_of_order_are_matched_by_their_numbers(node: Node) -> None:
    node.script("eth_sendRawTransaction", lambda params: {"error": {"code": -32000, "message": f"words for {params[0]}"}})
    node.is_shuffling = True

    answers = RpcChain([node.url]).broadcast(["0x01", "0x02", "0x03"])

    assert [answer.text for answer in answers] == ["words for 0x01", "words for 0x02", "words for 0x03"]


def test_answers_without_numbers_are_not_believed(node: Node) -> None:
    node.script("eth_getBlockByNumber", lambda params: {"result": block(int(params[0], 16)), "id": None})

    with pytest.raises(Unavailable):
        RpcChain([node.url]).blocks([1, 2])


def test_a_block_that_the_chain_doesnt_have_is_left_out(node: Node) -> None:
    node.script("eth_getBlockByNumber", lambda params: {"result": block(1) if params[0] == "0x1" else None})

    assert list(RpcChain([node.url]).blocks([1, 2])) == [1]


@pytest.mark.parametrize("fault", Fault)
def test_a_read_goes_to_the_second_endpoint_when_the_first_is_silent(node: Node, second: Node, fault: Fault) -> None:
    node.suffer(fault)
    second.answer("eth_getBalance", "0x2a")

    assert RpcChain([node.url, second.url]).balance("0x" + "11" * 20) == Wei(42)


def test_a_read_asks_the_second_endpoint_only_when_the_first_is_silent(node: Node, second: Node) -> None:
    node.answer("eth_getBalance", "0x2a")

    RpcChain([node.url, second.url]).balance("0x" + "11" * 20)

    # The second is asked for its head, so that a first one that lags is seen; for nothing else.
    assert [method for method, _ in second.heard] == ["eth_chainId", "eth_blockNumber"]


def test_a_broadcast_goes_to_every_endpoint_and_the_strongest_answer_counts(node: Node, second: Node) -> None:
    node.refuse("eth_sendRawTransaction", "intrinsic gas too low")
    second.answer("eth_sendRawTransaction", RAW_HASH)

    (answer,) = RpcChain([node.url, second.url]).broadcast([RAW])

    assert answer.meaning is Meaning.ACCEPTED
    assert (node.count("eth_sendRawTransaction"), second.count("eth_sendRawTransaction")) == (1, 1)


def test_one_silent_endpoint_leaves_a_refusal_unknown(node: Node, second: Node) -> None:
    node.refuse("eth_sendRawTransaction", "intrinsic gas too low")
    second.suffer(Fault.DROP, on="eth_sendRawTransaction")

    assert RpcChain([node.url, second.url]).broadcast([RAW])[0].meaning is Meaning.UNKNOWN


def test_an_endpoint_of_another_chain_is_neither_read_nor_written(node: Node) -> None:
    node.answer("eth_chainId", "0x2105")
    node.answer("eth_getBalance", "0x2a")
    chain = RpcChain([node.url])

    with pytest.raises(Unavailable):
        chain.balance("0x" + "11" * 20)
    assert chain.broadcast([RAW])[0].meaning is Meaning.UNKNOWN
    assert [method for method, _ in node.heard] == ["eth_chainId"]


def test_an_endpoint_of_another_chain_is_passed_over(node: Node, second: Node) -> None:
    node.answer("eth_chainId", "0x2105")
    second.answer("eth_getBalance", "0x2a")

    assert RpcChain([node.url, second.url]).balance("0x" + "11" * 20) == Wei(42)


def test_a_late_node_costs_no_more_than_the_patience(node: Node) -> None:
    chain = RpcChain([node.url])
    node.answer("eth_getBalance", "0x2a")
    chain.balance("0x" + "11" * 20)
    node.suffer(Fault.LATE)

    began = time.monotonic()
    with pytest.raises(Unavailable):
        chain.balance("0x" + "11" * 20)
    chain.broadcast([RAW])

    # Two exchanges of 0.3 s each, and nobody tried a third time.
    assert time.monotonic() - began < 1.0
