"""A node that is as strict as real ones, and forgets as little; its twins without the rules show anvil's laxness."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from devnet import chain
from tests.integration.devnet.faults.bench import GWEI, SENDER, Bench, bench, hash_of, raw, request

ADDRESS = SENDER.address
DELEGATION = "0xef0100" + "11" * 20
UNDERPRICED = "replacement transaction underpriced"


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Replacements.


@pytest.mark.parametrize(
    ("cap", "tip", "is_taken"),
    [(11, 1.1, True), (10.9, 1.1, False), (11, 1.09, False), (20, 1, False), (10, 2, False), (11.25, 1.125, True)],
)
def test_a_replacement_pays_a_tenth_more_in_both_fields(node: Bench, cap: float, tip: float, is_taken: bool) -> None:
    node.send(0, cap=10, tip=1)
    answer = node.send(0, cap=cap, tip=tip)
    assert answer == (hash_of(raw(0, cap=cap, tip=tip)) if is_taken else UNDERPRICED)
    assert node.pooled(raw(0, cap=cap, tip=tip)) is is_taken
    assert node.pooled(raw(0, cap=10, tip=1)) is not is_taken


def test_without_the_rule_a_hundredth_more_is_taken(lax_node: Bench) -> None:
    lax_node.send(0, cap=10, tip=1)
    assert lax_node.send(0, cap=10.1, tip=1) == hash_of(raw(0, cap=10.1, tip=1))


def test_a_refusal_has_geths_code(node: Bench) -> None:
    node.send(0, cap=10)
    assert node.post(request("eth_sendRawTransaction", raw(0, cap=10.5))).json()["error"] == {
        "code": -32000,
        "message": UNDERPRICED,
    }


def test_what_was_refused_is_not_remembered(node: Bench) -> None:
    node.send(0, cap=10, tip=1)
    for _ in range(2):
        assert node.send(0, cap=10.5, tip=1.05) == UNDERPRICED


# Words.


def test_known_bytes_are_already_known(node: Bench) -> None:
    node.send(0)
    assert node.send(0) == "already known"


def test_bytes_that_came_by_another_way_are_already_known_too(node: Bench) -> None:
    node.chain.call("eth_sendRawTransaction", raw(0))
    assert node.send(0) == "already known"
    assert node.states() == {0: "pooled"}


def test_a_used_nonce_is_too_low_in_geths_words(node: Bench) -> None:
    for nonce in range(3):
        node.send(nonce)
    node.mine()
    assert node.send(1) == "nonce too low: next nonce 3, tx nonce 1"


def test_without_the_rules_the_words_are_anvils(lax_node: Bench) -> None:
    lax_node.send(0)
    assert lax_node.send(0) == "transaction already imported"
    lax_node.mine()
    assert lax_node.send(0) == "nonce too low"


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"value": 10**21}, "insufficient funds for gas * price + value"),
        ({"gas": 20_000}, "intrinsic gas too low"),
        ({"gas": 500_000_000}, "exceeds block gas limit"),
        ({"chain_id": 5}, "invalid sender: invalid chain id for signer"),
        ({"cap": 5, "tip": 6}, "max priority fee per gas higher than max fee per gas"),
    ],
)
def test_what_can_never_be_taken_is_refused_in_geths_words(node: Bench, terms: dict[str, Any], words: str) -> None:
    error = node.post(request("eth_sendRawTransaction", raw(0, **terms))).json()["error"]
    assert error == {"code": -32000, "message": words}
    assert node.states() == {}


def test_a_transaction_with_one_price_passes_by(node: Bench) -> None:
    fields = {"chainId": 31337, "nonce": 0, "gas": 21_000, "to": ADDRESS, "value": 0, "data": b"", "gasPrice": 5 * GWEI}
    signed = SENDER.sign_transaction(fields)
    assert node.ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()) == "0x" + bytes(signed.hash).hex()
    assert node.states() == {}


# Slots.


def test_a_plain_account_has_sixteen_transactions_in_flight(node: Bench) -> None:
    answers = [node.send(nonce) for nonce in range(17)]
    assert answers == [*(hash_of(raw(nonce)) for nonce in range(16)), "txpool is full"]
    assert not node.pooled(raw(16))
    node.mine()
    assert node.send(16) == hash_of(raw(16))


def test_without_the_rules_there_is_no_end(lax_node: Bench) -> None:
    assert lax_node.post([request("eth_sendRawTransaction", raw(nonce), number=nonce) for nonce in range(17)]).json() == [
        {"jsonrpc": "2.0", "id": nonce, "result": hash_of(raw(nonce))} for nonce in range(17)
    ]


def test_a_batch_of_sends_is_judged_in_its_order(anvil: chain.Anvil) -> None:
    with bench(anvil, account_slots=2) as node:
        answers = node.post([request("eth_sendRawTransaction", raw(nonce), number=nonce) for nonce in range(3)]).json()
    assert [answer.get("result") for answer in answers] == [hash_of(raw(0)), hash_of(raw(1)), None]
    assert answers[2]["error"]["message"] == "txpool is full"


def test_the_slots_of_one_account_are_not_anothers(anvil: chain.Anvil) -> None:
    other = Account.from_key("0x" + "33" * 32)
    with bench(anvil, account_slots=1) as node:
        node.chain.call("anvil_setBalance", other.address, hex(10**20))
        assert node.send(0) == hash_of(raw(0))
        assert node.send(1) == "txpool is full"
        assert node.send(0, signer=other) == hash_of(raw(0, signer=other))


def test_a_delegated_account_has_one_transaction_in_flight(node: Bench) -> None:
    node.chain.call("anvil_setCode", ADDRESS, DELEGATION)
    assert node.send(1) == "gapped-nonce tx from delegated accounts"
    assert node.send(0) == hash_of(raw(0))
    assert node.send(1) == "in-flight transaction limit reached for delegated accounts"
    assert node.send(0, cap=6, tip=1.2) == hash_of(raw(0, cap=6, tip=1.2))


def test_without_the_rules_delegation_limits_nothing(lax_node: Bench) -> None:
    lax_node.chain.call("anvil_setCode", ADDRESS, DELEGATION)
    assert [lax_node.send(nonce) for nonce in (0, 1)] == [hash_of(raw(0)), hash_of(raw(1))]


def test_other_code_is_no_delegation(node: Bench) -> None:
    node.chain.call("anvil_setCode", ADDRESS, "0x00")
    node.send(0)
    assert "in-flight" not in node.send(1)


# Base fees.


def test_underpriced_bytes_are_held_and_mined_once_the_base_fee_falls(node: Bench) -> None:
    node.base_fee(20)
    node.mine()
    assert node.send(0, cap=10) == hash_of(raw(0, cap=10))
    assert node.states() == {0: "held"}
    assert not node.pooled(raw(0, cap=10))
    node.mine()
    assert node.mined() == 0
    node.base_fee(1)
    wait_until(lambda: node.pooled(raw(0, cap=10)))
    node.mine()
    assert node.mined() == 1


def test_without_the_rules_underpriced_bytes_are_refused(lax_node: Bench) -> None:
    lax_node.base_fee(20)
    lax_node.mine()
    assert lax_node.send(0, cap=10) == "max fee per gas less than block base fee"


def test_held_bytes_are_shown_as_pending(node: Bench) -> None:
    node.base_fee(20)
    node.mine()
    node.send(0, cap=10)
    node.send(1, cap=10)
    shown = node.ask("eth_getTransactionByHash", hash_of(raw(1, cap=10)))
    assert (shown["nonce"], shown["from"], shown["blockHash"]) == ("0x1", ADDRESS.lower(), None)
    assert node.ask("eth_getTransactionCount", ADDRESS.lower(), "pending") == "0x2"
    assert node.ask("eth_getTransactionCount", ADDRESS, "latest") == "0x0"
    assert node.send(0, cap=10) == "already known"


def test_pooled_and_held_bytes_are_counted_together(node: Bench) -> None:
    node.base_fee(2)
    node.mine()
    node.send(0, cap=10)
    node.send(1, cap=1.1)
    assert node.states() == {0: "pooled", 1: "held"}
    assert node.ask("eth_getTransactionCount", ADDRESS, "pending") == "0x2"


def test_bytes_that_anvil_drops_when_the_base_fee_rises_come_back(node: Bench) -> None:
    for nonce in (0, 1):
        node.send(nonce, cap=10)
    node.base_fee(20)
    node.mine()
    assert node.chain.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
    wait_until(lambda: node.states() == {0: "held", 1: "held"})
    node.base_fee(1)
    node.node.mempool.tend()
    node.mine()
    assert node.mined() == 2


def test_without_the_rules_they_are_gone(lax_node: Bench) -> None:
    lax_node.send(0, cap=10)
    lax_node.base_fee(20)
    lax_node.mine()
    lax_node.base_fee(1)
    lax_node.mine(3)
    assert lax_node.mined() == 0


def test_orders_to_the_chain_through_the_node_leave_no_moment_between(node: Bench) -> None:
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(20 * GWEI))
    node.ask("evm_mine")
    node.send(0, cap=10)
    node.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    node.ask("evm_mine")
    assert node.mined() == 1


def test_a_held_offer_is_replaced_by_a_tenth_more(node: Bench) -> None:
    node.base_fee(20)
    node.mine()
    node.send(0, cap=10, tip=1)
    assert node.send(0, cap=10.5, tip=1.05) == UNDERPRICED
    assert node.send(0, cap=30, tip=1.1) == hash_of(raw(0, cap=30, tip=1.1))
    assert node.states() == {0: "pooled"}
    node.base_fee(1)
    node.mine()
    assert node.chain.call("eth_getTransactionReceipt", hash_of(raw(0, cap=30, tip=1.1)))["status"] == "0x1"


def test_a_pooled_offer_that_a_held_one_replaced_is_never_mined(node: Bench) -> None:
    node.send(0, cap=5, tip=1)
    node.send(1, cap=50, tip=1)
    node.base_fee(20)
    node.mine()
    node.base_fee(20)
    assert node.send(0, cap=10, tip=2) == hash_of(raw(0, cap=10, tip=2))
    assert not node.pooled(raw(0, cap=5, tip=1))
    node.base_fee(1)
    node.node.mempool.tend()
    node.mine()
    assert node.mined() == 2
    assert node.chain.call("eth_getTransactionReceipt", hash_of(raw(0, cap=10, tip=2)))["status"] == "0x1"


def test_what_another_transaction_overtook_is_forgotten(node: Bench) -> None:
    node.base_fee(20)
    node.mine()
    node.send(0, cap=10)
    node.chain.call("eth_sendRawTransaction", raw(0, cap=50))
    node.mine()
    node.node.mempool.tend()
    assert node.states() == {}
    assert node.send(0, cap=10) == "nonce too low: next nonce 1, tx nonce 0"


# Reorganizations.


def test_what_a_reorganization_takes_out_comes_back(node: Bench) -> None:
    for nonce in range(3):
        node.send(nonce)
        node.mine()
    wait_until(lambda: node.states() == dict.fromkeys(range(3), "mined"))
    node.chain.call("anvil_reorg", 2, [])
    assert node.mined() == 1
    wait_until(lambda: node.pooled(raw(1)) and node.pooled(raw(2)))
    assert node.states() == {1: "pooled", 2: "pooled", 0: "mined"}
    node.mine()
    assert node.mined() == 3


def test_a_node_that_returns_nothing_has_to_be_given_the_bytes_again(anvil: chain.Anvil) -> None:
    with bench(anvil, returns_reorged=False) as node:
        node.send(0)
        node.mine()
        node.node.mempool.tend()
        node.chain.call("anvil_reorg", 1, [])
        node.node.mempool.tend()
        node.mine()
        assert (node.mined(), node.states()) == (0, {})
        assert node.send(0) == hash_of(raw(0))
        node.mine()
        assert node.mined() == 1


def test_what_was_mined_again_elsewhere_is_left_alone(node: Bench) -> None:
    node.send(0)
    node.mine()
    node.node.mempool.tend()
    node.chain.call("anvil_reorg", 1, [[raw(0), 0]])
    node.node.mempool.tend()
    assert node.states() == {0: "mined"}
    assert node.mined() == 1


def test_a_rollback_is_a_reorganization(node: Bench) -> None:
    node.send(0)
    node.mine(3)
    node.node.mempool.tend()
    node.chain.call("anvil_rollback", 3)
    node.node.mempool.tend()
    assert node.states() == {0: "pooled"}


def test_a_return_to_a_snapshot_is_a_new_beginning(node: Bench) -> None:
    snapshot = node.ask("evm_snapshot")
    node.send(0)
    node.ask("evm_mine")
    assert node.ask("evm_revert", snapshot) is True
    node.node.mempool.tend()
    assert node.states() == {}
    assert node.send(0) == hash_of(raw(0))


# Drops on purpose.


def test_a_dropped_transaction_stays_away_and_its_followers_come_back(node: Bench) -> None:
    for nonce in range(3):
        node.send(nonce)
    node.node.mempool.drop(hash_of(raw(0)))
    assert node.states() == {1: "pooled", 2: "pooled"}
    assert not node.pooled(raw(0))
    node.mine()
    assert node.mined() == 0
    assert node.send(0) == hash_of(raw(0))
    node.mine()
    assert node.mined() == 3


def test_anvils_own_drops_are_obeyed(node: Bench) -> None:
    for nonce in range(2):
        node.send(nonce)
    assert node.ask("anvil_dropTransaction", hash_of(raw(1))) == hash_of(raw(1))
    assert node.states() == {0: "pooled"}
    node.ask("anvil_dropAllTransactions")
    assert node.states() == {}
    node.node.mempool.tend()
    assert not node.pooled(raw(0))


def test_two_nodes_of_one_chain_take_the_same_bytes(node: Bench, anvil: chain.Anvil) -> None:
    with bench(anvil) as other:
        assert node.send(0) == hash_of(raw(0))
        assert other.send(0) == "already known"
        assert other.states() == {0: "pooled"}


def test_a_lax_node_has_no_mempool_of_its_own(lax_node: Bench) -> None:
    with pytest.raises(LookupError, match="this proxy is not strict"):
        _ = lax_node.node.mempool
