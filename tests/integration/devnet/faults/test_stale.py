"""A node that is some blocks behind answers as it would have then."""

from typing import Any

import pytest

from devnet.faults import Fault
from tests.integration.devnet.faults.bench import SENDER, Bench, bench, hash_of, raw, request

ADDRESS = SENDER.address
LOGGING_CODE = "0x60006000a0"
EMITTER = "0x" + "12" * 20
CALL = {"from": ADDRESS, "to": ADDRESS}


def emitting(nonce: int) -> str:
    return raw(nonce, to=EMITTER, gas=100_000)


@pytest.fixture
def stale(node: Bench) -> Bench:
    """Four blocks with one transaction and one log each; the node has the first two."""
    node.chain.call("anvil_setCode", EMITTER, LOGGING_CODE)
    for nonce in range(4):
        node.ask("eth_sendRawTransaction", emitting(nonce))
        node.mine()
    node.node.suffer(Fault.STALE, blocks=2)
    return node


def block(node: Bench, number: int) -> Any:
    return node.chain.call("eth_getBlockByNumber", hex(number), False)


def test_its_head_is_behind(stale: Bench) -> None:
    assert stale.ask("eth_blockNumber") == "0x2"
    for tag in ("latest", "pending", "0x2"):
        assert stale.ask("eth_getBlockByNumber", tag, False) == block(stale, 2)
    stale.node.mend()
    assert stale.ask("eth_blockNumber") == "0x4"


def test_younger_blocks_are_not_there(stale: Bench) -> None:
    assert stale.ask("eth_getBlockByNumber", "0x3", False) is None
    assert stale.ask("eth_getBlockByHash", block(stale, 3)["hash"], False) is None
    assert stale.ask("eth_getBlockReceipts", "0x3") is None
    assert stale.ask("eth_getBlockByHash", block(stale, 2)["hash"], False) == block(stale, 2)


def test_receipts_of_younger_blocks_are_not_there(stale: Bench) -> None:
    receipts = [stale.ask("eth_getTransactionReceipt", hash_of(emitting(nonce))) for nonce in range(4)]
    assert [receipt and receipt["blockNumber"] for receipt in receipts] == ["0x1", "0x2", None, None]


def test_transactions_of_younger_blocks_are_pending(stale: Bench) -> None:
    transactions = [stale.ask("eth_getTransactionByHash", hash_of(emitting(nonce))) for nonce in range(4)]
    assert [transaction["blockNumber"] for transaction in transactions] == ["0x1", "0x2", None, None]
    assert transactions[3]["blockHash"] is None


@pytest.mark.parametrize("tag", [["latest"], ["pending"], []])
def test_counts_are_those_of_its_head(stale: Bench, tag: list[str]) -> None:
    assert stale.ask("eth_getTransactionCount", ADDRESS, *tag) == "0x2"


def test_state_is_that_of_its_head(stale: Bench) -> None:
    then = stale.chain.call("eth_getBalance", ADDRESS, "0x2")
    assert stale.ask("eth_getBalance", ADDRESS, "latest") == then != stale.chain.call("eth_getBalance", ADDRESS, "latest")
    assert stale.ask("eth_feeHistory", "0x1", "latest", [])["oldestBlock"] == "0x2"
    assert stale.ask("eth_estimateGas", CALL) == "0x5208"
    assert stale.ask("eth_call", CALL) == "0x"


def test_state_of_younger_blocks_is_an_error(stale: Bench) -> None:
    assert stale.ask("eth_call", CALL, "0x3") == "header not found"
    assert stale.ask("eth_getTransactionCount", ADDRESS, "0x4") == "header not found"
    assert stale.ask("eth_getTransactionCount", ADDRESS, "0x1") == "0x1"


def test_logs_by_the_hash_of_a_younger_block_are_an_error(stale: Bench) -> None:
    (found,) = stale.ask("eth_getLogs", {"blockHash": block(stale, 2)["hash"]})
    assert found["blockNumber"] == "0x2"
    assert stale.ask("eth_getLogs", {"blockHash": block(stale, 3)["hash"]}) == "unknown block"
    assert stale.ask("eth_getLogs", {"blockHash": "0x" + "12" * 32}) == "unknown block"


@pytest.mark.parametrize(
    ("wanted", "blocks"),
    [
        ({"fromBlock": "0x0", "toBlock": "latest"}, ["0x1", "0x2"]),
        ({"fromBlock": "0x2", "toBlock": "0x4"}, ["0x2"]),
        ({"fromBlock": "0x3", "toBlock": "0x4"}, []),
        ({"fromBlock": "0x1", "toBlock": "0x1"}, ["0x1"]),
        ({}, ["0x2"]),
    ],
)
def test_a_range_beyond_its_head_is_cut_without_an_error(stale: Bench, wanted: dict[str, str], blocks: list[str]) -> None:
    assert [entry["blockNumber"] for entry in stale.ask("eth_getLogs", wanted)] == blocks


def test_a_batch_is_answered_from_one_head(stale: Bench) -> None:
    batch = [
        request("eth_blockNumber", number=1),
        request("eth_getTransactionCount", ADDRESS, "latest", number=2),
        request("eth_getTransactionReceipt", hash_of(emitting(3)), number=3),
        request("eth_chainId", number=4),
    ]
    assert [answer["result"] for answer in stale.post(batch).json()] == ["0x2", "0x2", None, "0x7a69"]


def test_one_method_can_be_stale_alone(stale: Bench) -> None:
    stale.node.mend()
    stale.node.suffer(Fault.STALE, blocks=2, on="eth_blockNumber")
    assert stale.ask("eth_blockNumber") == "0x2"
    assert stale.ask("eth_getTransactionCount", ADDRESS, "latest") == "0x4"


def test_sends_still_go_through(stale: Bench) -> None:
    assert stale.ask("eth_sendRawTransaction", raw(4)) == hash_of(raw(4))
    assert stale.pooled(raw(4))


def test_a_node_can_not_be_behind_the_first_block(node: Bench) -> None:
    node.node.suffer(Fault.STALE, blocks=10)
    assert node.ask("eth_blockNumber") == "0x0"


def test_a_lax_node_is_as_stale(lax_node: Bench) -> None:
    lax_node.mine(3)
    lax_node.node.suffer(Fault.STALE, blocks=1)
    assert lax_node.ask("eth_blockNumber") == "0x2"


def test_two_nodes_of_one_chain_can_be_apart(node: Bench) -> None:
    node.mine(3)
    node.node.suffer(Fault.STALE, blocks=3)
    with bench(node.anvil) as other:
        assert (node.ask("eth_blockNumber"), other.ask("eth_blockNumber")) == ("0x0", "0x3")
