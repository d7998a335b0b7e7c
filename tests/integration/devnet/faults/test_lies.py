"""What single requests of an exchange suffer."""

from typing import Any

import pytest

from devnet.contract import artifact
from devnet.faults import Fault
from tests.integration.devnet.faults.bench import SENDER, Bench, hash_of, raw, request

SEND = "eth_sendRawTransaction"
RECEIPT = "eth_getTransactionReceipt"
LOGGING_CODE = "0x60006000a0"  # LOG0 of nothing, and the end


def mine_one(node: Bench, nonce: int = 0) -> str:
    tx_hash: str = node.send(nonce)
    node.mine()
    return tx_hash


def test_some_requests_of_a_batch_are_refused(node: Bench) -> None:
    node.node.suffer(Fault.ITEM_REFUSED, times=1, on=SEND)
    answers = node.post(
        [request("eth_chainId", number=1), request(SEND, raw(0), number=2), request(SEND, raw(1), number=3)]
    ).json()
    assert [(answer["id"], answer.get("result")) for answer in answers] == [(1, "0x7a69"), (2, None), (3, hash_of(raw(1)))]
    assert answers[1]["error"] == {"code": -32005, "message": "limit exceeded"}
    assert not node.pooled(raw(0))


def test_a_refusal_has_the_words_that_it_is_given_and_may_be_a_lie(node: Bench) -> None:
    node.node.suffer(Fault.ITEM_REFUSED, code=-32016, text="over rate limit", forwards=True)
    assert node.post(request(SEND, raw(0))).json()["error"] == {"code": -32016, "message": "over rate limit"}
    assert node.pooled(raw(0))


def test_an_answer_of_a_batch_is_missing(node: Bench) -> None:
    node.node.suffer(Fault.ITEM_MISSING, on="eth_blockNumber")
    answers = node.post([request("eth_chainId", number=1), request("eth_blockNumber", number=2)]).json()
    assert [answer["id"] for answer in answers] == [1]


def test_the_chain_has_a_wrong_number(node: Bench) -> None:
    node.node.suffer(Fault.WRONG_CHAIN)
    assert (node.ask("eth_chainId"), node.ask("net_version")) == ("0x7a6a", "31338")


@pytest.mark.parametrize("forwards", [True, False])
def test_a_send_is_answered_with_another_hash(node: Bench, forwards: bool) -> None:
    node.node.suffer(Fault.WRONG_HASH, forwards=forwards)
    said = node.send(0)
    assert said.startswith("0x")
    assert len(said) == 66
    assert said != hash_of(raw(0))
    assert node.pooled(raw(0)) is forwards


def test_a_send_is_swallowed_with_its_own_hash(node: Bench) -> None:
    node.node.suffer(Fault.SWALLOWED)
    assert node.send(0) == hash_of(raw(0))
    assert not node.pooled(raw(0))
    node.node.mend()
    assert node.send(0) == hash_of(raw(0))
    assert node.pooled(raw(0))


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Fault.FALSE_NONCE_TOO_LOW, "nonce too low: next nonce 1, tx nonce 0"), (Fault.FALSE_ALREADY_KNOWN, "already known")],
)
def test_a_refusal_is_made_up(node: Bench, fault: Fault, words: str) -> None:
    node.node.suffer(fault)
    assert node.send(0) == words
    assert not node.pooled(raw(0))
    (sight,) = node.node.record.sends()
    assert (sight.seen, sight.forwarded) == (1, 0)


def test_the_newest_block_passes_for_final(node: Bench) -> None:
    node.mine(3)
    assert node.ask("eth_getBlockByNumber", "finalized", False)["number"] == "0x0"
    node.node.suffer(Fault.FINALIZED_EARLY)
    assert [node.ask("eth_getBlockByNumber", tag, False)["number"] for tag in ("safe", "finalized", "0x1")] == [
        "0x3",
        "0x3",
        "0x1",
    ]


def test_a_receipt_is_missing_for_good(node: Bench) -> None:
    tx_hash = mine_one(node)
    node.node.suffer(Fault.RECEIPT_MISSING)
    assert node.ask(RECEIPT, tx_hash) is None
    node.node.mend()
    assert node.ask(RECEIPT, tx_hash)["status"] == "0x1"


def test_a_receipt_is_missing_for_a_while_after_it_could_be_found(node: Bench) -> None:
    node.node.suffer(Fault.RECEIPT_MISSING, seconds=0.3)
    tx_hash = node.send(0)
    assert node.ask(RECEIPT, tx_hash) is None
    node.mine()
    looks = [node.ask(RECEIPT, tx_hash)]
    while looks[-1] is None:
        looks.append(node.ask(RECEIPT, tx_hash))
    assert len(looks) > 5
    assert looks[-1]["transactionHash"] == tx_hash


def test_a_receipt_is_forged_for_what_is_not_mined(node: Bench) -> None:
    mined = mine_one(node)
    node.node.suffer(Fault.RECEIPT_FORGED)
    forged: dict[str, Any] = node.ask(RECEIPT, hash_of(raw(1)))
    assert (forged["status"], forged["transactionHash"], forged["blockNumber"]) == ("0x1", hash_of(raw(1)), "0x1")
    assert node.chain.call("eth_getBlockByHash", forged["blockHash"], False) is None
    assert set(forged) <= set(node.chain.call(RECEIPT, mined))
    assert node.ask(RECEIPT, mined) == node.chain.call(RECEIPT, mined)


def test_a_receipt_says_failure_for_success_and_success_for_failure(node: Bench) -> None:
    mined = mine_one(node)
    creation = raw(1, to="", data=artifact("Usdc").bytecode[:30] + b"\xfe", gas=200_000)
    assert node.ask(SEND, creation) == hash_of(creation)
    node.mine()
    assert [node.ask(RECEIPT, each)["status"] for each in (mined, hash_of(creation))] == ["0x1", "0x0"]
    node.node.suffer(Fault.RECEIPT_FLIPPED)
    assert [node.ask(RECEIPT, each)["status"] for each in (mined, hash_of(creation))] == ["0x0", "0x1"]
    assert node.ask(RECEIPT, hash_of(raw(7))) is None


def test_logs_are_empty(node: Bench) -> None:
    emitter = "0x" + "12" * 20
    node.chain.call("anvil_setCode", emitter, LOGGING_CODE)
    node.ask(SEND, raw(0, to=emitter, gas=100_000))
    node.mine()
    wanted = {"fromBlock": "0x0", "toBlock": "latest", "address": emitter}
    assert len(node.ask("eth_getLogs", wanted)) == 1
    node.node.suffer(Fault.LOGS_EMPTY)
    assert node.ask("eth_getLogs", wanted) == []


def test_lies_about_an_error_leave_it_an_error(node: Bench) -> None:
    node.node.suffer(Fault.RECEIPT_FLIPPED)
    node.node.suffer(Fault.RECEIPT_FORGED)
    assert "error" in node.post(request(RECEIPT, "nonsense")).json()


def test_lies_and_the_truth_share_a_batch(node: Bench) -> None:
    mined = mine_one(node)
    node.node.suffer(Fault.RECEIPT_MISSING)
    node.node.suffer(Fault.WRONG_CHAIN)
    batch = [request("eth_chainId", number=5), request(RECEIPT, mined, number=6), request("eth_blockNumber", number=7)]
    answers = node.post([*batch, request("eth_getTransactionCount", SENDER.address, "latest", number=8)]).json()
    assert [(answer["id"], answer["result"]) for answer in answers] == [(5, "0x7a6a"), (6, None), (7, "0x1"), (8, "0x1")]
