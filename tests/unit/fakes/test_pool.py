"""The pool keeps geth's rules and says so in geth's words."""

import pytest

from execution.domain.broadcast import Meaning
from tests.fakes.ledger import GWEI
from tests.fakes.pool import EXECUTABLE_SLOTS, QUEUED_SLOTS, TRANSACTION_GAS_CAP
from tests.unit.fakes.bench import Bench, key

DELEGATION = "0xef0100" + "12" * 20


@pytest.mark.parametrize(
    ("cap", "tip", "meaning"),
    [
        (11 * GWEI, 11 * GWEI // 10, Meaning.ACCEPTED),
        (11 * GWEI - 1, 11 * GWEI // 10, Meaning.SIBLING_LIVE),
        (11 * GWEI, 11 * GWEI // 10 - 1, Meaning.SIBLING_LIVE),
        (20 * GWEI, GWEI, Meaning.SIBLING_LIVE),
        (10 * GWEI, 2 * GWEI, Meaning.SIBLING_LIVE),
    ],
    ids=["both", "cap one wei short", "tip one wei short", "cap only", "tip only"],
)
def test_a_replacement_offers_a_tenth_more_on_both_fields(bench: Bench, cap: int, tip: int, meaning: Meaning) -> None:
    first, second = bench.call(cap=10 * GWEI, tip=GWEI), bench.call(cap=cap, tip=tip)

    assert bench.send(first, second) == [Meaning.ACCEPTED, meaning]
    assert bench.waiting() == {second.tx_hash if meaning is Meaning.ACCEPTED else first.tx_hash}


def test_a_tenth_of_next_to_nothing_is_still_more(bench: Bench) -> None:
    assert bench.send(bench.call(tip=1), bench.call(tip=1, cap=20 * GWEI)) == [Meaning.ACCEPTED, Meaning.SIBLING_LIVE]
    assert bench.send(bench.call(tip=2, cap=20 * GWEI)) == [Meaning.ACCEPTED]


def test_an_account_has_so_many_executable_ones_and_a_block_makes_room(bench: Bench) -> None:
    fitting = [bench.call(nonce) for nonce in range(EXECUTABLE_SLOTS)]
    beyond = bench.call(EXECUTABLE_SLOTS)

    assert bench.send(*fitting) == [Meaning.ACCEPTED] * EXECUTABLE_SLOTS
    assert bench.send(beyond) == [Meaning.BACKPRESSURE]
    bench.ledger.mine()

    assert bench.send(beyond) == [Meaning.ACCEPTED]


def test_a_replacement_needs_no_slot(bench: Bench) -> None:
    bench.send(*(bench.call(nonce) for nonce in range(EXECUTABLE_SLOTS)))

    assert bench.send(bench.call(3, cap=20 * GWEI, tip=2 * GWEI)) == [Meaning.ACCEPTED]


def test_so_many_wait_behind_a_gap(bench: Bench) -> None:
    queued = [bench.call(nonce) for nonce in range(1, QUEUED_SLOTS + 1)]

    assert bench.send(*queued) == [Meaning.ACCEPTED] * QUEUED_SLOTS
    assert bench.send(bench.call(QUEUED_SLOTS + 1)) == [Meaning.BACKPRESSURE]
    assert bench.send(bench.call(0)) == [Meaning.ACCEPTED]
    bench.ledger.mine()

    assert bench.ledger.nonce(bench.sender) == QUEUED_SLOTS + 1


def test_a_delegated_account_has_one_in_flight_and_none_behind_a_gap(bench: Bench) -> None:
    bench.ledger.set_code(bench.sender, DELEGATION)

    assert bench.words(bench.call(1)) == "gapped-nonce tx from delegated accounts"
    assert bench.send(bench.call(0)) == [Meaning.ACCEPTED]
    assert bench.words(bench.call(1)) == "in-flight transaction limit reached for delegated accounts"
    assert bench.send(bench.call(0, cap=20 * GWEI, tip=2 * GWEI)) == [Meaning.ACCEPTED]
    bench.ledger.mine()

    assert bench.send(bench.call(1)) == [Meaning.ACCEPTED]


def test_what_offers_less_than_the_base_fee_is_held_until_it_falls(bench: Bench) -> None:
    bench.ledger.base_fee = 50 * GWEI
    signed = bench.call(cap=10 * GWEI)

    assert bench.send(signed) == [Meaning.ACCEPTED]
    bench.ledger.mine(3)
    assert (bench.mined(), bench.waiting()) == ([], {signed.tx_hash})
    bench.ledger.base_fee = 10 * GWEI - 1
    bench.ledger.mine()

    assert (bench.mined(), bench.waiting()) == ([signed.tx_hash], set())


def test_money_is_asked_for_all_that_is_executable(bench: Bench) -> None:
    cost = 60_000 * 10 * GWEI
    bench.ledger.set_balance(bench.sender, 2 * cost)

    assert bench.send(bench.call(0), bench.call(1), bench.call(2)) == [Meaning.ACCEPTED, Meaning.ACCEPTED, Meaning.FUNDS]
    assert bench.send(bench.call(1, cap=20 * GWEI, tip=2 * GWEI)) == [Meaning.FUNDS]
    assert bench.words(bench.call(2)) == (
        f"insufficient funds for gas * price + value: balance {2 * cost}, queued cost {2 * cost}, tx cost {cost}, overshot {cost}"
    )


def test_the_same_bytes_are_known_while_they_wait_and_used_once_they_are_mined(bench: Bench) -> None:
    signed = bench.call()
    bench.chain.nodes[0].ledger.take(signed.raw)

    assert bench.words(signed) == "already known"
    bench.ledger.mine()

    assert bench.words(signed) == "nonce too low: next nonce 1, tx nonce 0"


def test_what_is_dropped_leaves_a_gap(bench: Bench) -> None:
    first, second = bench.call(0), bench.call(1)
    bench.send(first, second)

    bench.ledger.drop(first.tx_hash)
    bench.ledger.mine()

    assert (bench.mined(), bench.waiting()) == ([], {second.tx_hash})
    assert bench.chain.nonce(bench.sender) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gas_limit": 21_000}, "intrinsic gas too low: gas 21000, minimum needed 21192"),
        ({"gas_limit": 60_000_001}, "exceeds block gas limit"),
        ({"gas_limit": TRANSACTION_GAS_CAP + 1}, "transaction gas limit too high (cap: 16777216, tx: 16777217)"),
        ({"cap": GWEI, "tip": GWEI + 1}, "max priority fee per gas higher than max fee per gas"),
        ({"chain_id": 8453}, "invalid sender: invalid chain id for signer: have 8453 want 31337"),
    ],
)
def test_content_that_can_never_be_mined_is_fatal(bench: Bench, changes: dict[str, int], words: str) -> None:
    (answer,) = bench.offer(bench.call(counts=0, **changes))

    assert (answer.meaning, answer.text) == (Meaning.FATAL, words)
    assert bench.waiting() == set()


def test_what_two_senders_offer_is_apart(bench: Bench) -> None:
    other = Bench(ledger=bench.ledger, signer=type(bench.signer)("0x" + "33" * 32))

    assert bench.send(bench.call(0)) == other.send(other.call(0, counts=7)) == [Meaning.ACCEPTED]
    bench.ledger.mine()

    assert bench.ledger.effects() == {key(0): 1, key(7): 1}
