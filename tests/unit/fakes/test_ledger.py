"""The fake chain: deterministic, and a chain in all that the desk's invariants speak of."""

from datetime import timedelta

import pytest

from execution.domain.broadcast import Meaning
from execution.ports import SignedCall
from tests.fakes.ledger import GWEI, STARTED_AT, Ledger
from tests.fakes.signer import OpenSigner
from tests.unit.fakes.bench import Bench, key
from trading.domain.units import Wei


def story() -> list[object]:
    """A life of a chain, told by its hashes."""
    bench = Bench()
    sent = [bench.call(nonce) for nonce in range(6)]
    bench.send(*sent)
    bench.ledger.mine(2)
    bench.ledger.reorg(2, returns=True, moves=[(sent[0].tx_hash, 1)])
    bench.ledger.wait(0.5)
    bench.ledger.mine()
    blocks = bench.chain.blocks(range(bench.ledger.head.number + 1))
    return [bench.ledger.time, bench.mined(), [block.hash for block in blocks.values()], bench.ledger.effects()]


def test_the_same_calls_make_the_same_chain() -> None:
    assert story() == story()


def test_time_moves_by_blocks_and_by_waiting_only(bench: Bench) -> None:
    bench.send(bench.call())
    bench.chain.head()
    assert bench.ledger.now() == STARTED_AT
    bench.ledger.wait(1.25)
    bench.ledger.mine(3)

    assert bench.ledger.now() == STARTED_AT + timedelta(seconds=7.25)
    assert bench.ledger.head.mined_at == STARTED_AT + timedelta(seconds=7)


def test_blocks_take_the_best_tip_first_and_each_sender_in_the_order_of_its_nonces(bench: Bench) -> None:
    other = Bench(ledger=bench.ledger, signer=OpenSigner("0x" + "33" * 32))
    low, high = bench.call(0, tip=GWEI), bench.call(1, tip=9 * GWEI)
    middle, early = other.call(0, tip=2 * GWEI), other.call(1, tip=GWEI)
    other.send(middle, early)
    bench.send(low, high)
    bench.ledger.mine()

    # At the same tip the one that came earlier.
    assert bench.mined() == [each.tx_hash for each in (middle, early, low, high)]


def test_a_full_block_leaves_the_rest_to_the_next(bench: Bench) -> None:
    bench.ledger.block_gas_limit = 150_000
    sent = [bench.call(nonce) for nonce in range(5)]
    bench.send(*sent)

    bench.ledger.mine()
    first = bench.mined()
    bench.ledger.mine()

    # A call uses 47,192 of its 60,000: two fit, and the third's limit doesn't.
    assert first == [each.tx_hash for each in sent[:2]]
    assert bench.mined() == [each.tx_hash for each in sent[:4]]


def test_effects_are_counted_by_key_and_only_on_the_canonical_chain(bench: Bench) -> None:
    bench.send(bench.call(0, counts=1), bench.call(1, counts=2), bench.call(2, counts=1))
    bench.ledger.mine()
    counted = bench.ledger.effects()

    bench.ledger.reorg(1, returns=False)

    assert (counted, bench.ledger.effects()) == ({key(1): 2, key(2): 1}, {})


def test_a_key_that_reverts_is_mined_without_an_effect(bench: Bench) -> None:
    bench.ledger.counter.reverting.add(key(0))
    signed = bench.call(0)
    bench.send(signed, bench.call(1))
    bench.ledger.mine()

    first, second = bench.ledger.mined()

    assert (first.receipt.is_success, first.effect, second.receipt.is_success) == (False, None, True)
    assert bench.ledger.effects() == {key(1): 1}


def test_a_cancellation_fills_its_nonce_and_has_no_effect(bench: Bench) -> None:
    cancellation = bench.call(cap=20 * GWEI, tip=2 * GWEI, target=bench.sender, data="0x", gas_limit=21_000)
    bench.send(bench.call(), cancellation)
    bench.ledger.mine()

    assert (bench.mined(), bench.ledger.nonce(bench.sender), bench.ledger.effects()) == ([cancellation.tx_hash], 1, {})


def test_what_was_replaced_or_dropped_can_still_be_mined(bench: Bench) -> None:
    replaced, replacement, dropped = bench.call(cap=2 * GWEI), bench.call(cap=20 * GWEI, tip=2 * GWEI), bench.call(1)
    bench.send(replaced, replacement, dropped)
    bench.ledger.drop(dropped.tx_hash)

    mined = bench.ledger.mine_only([replaced.tx_hash, replacement.tx_hash, dropped.tx_hash, "0x" + "99" * 32])

    assert mined == bench.mined() == [replaced.tx_hash, dropped.tx_hash]
    assert bench.waiting() == set()


def test_what_no_node_took_can_not_be_mined(bench: Bench) -> None:
    refused = bench.call(gas_limit=21_000)

    assert bench.send(refused) == [Meaning.FATAL]
    assert bench.ledger.mine_only([refused.tx_hash]) == []


@pytest.fixture
def three(bench: Bench) -> list[SignedCall]:
    """Three calls in three blocks."""
    sent = [bench.call(nonce) for nonce in range(3)]
    for signed in sent:
        bench.send(signed)
        bench.ledger.mine()
    return sent


def test_a_reorganization_keeps_the_height_and_what_is_below_it(bench: Bench, three: list[SignedCall]) -> None:
    before = bench.chain.blocks(range(4))

    bench.ledger.reorg(2, returns=False)

    after = bench.chain.blocks(range(4))
    assert [before[number].hash == after[number].hash for number in range(4)] == [True, True, False, False]
    assert [after[number].parent_hash for number in (2, 3)] == [after[1].hash, after[2].hash]
    assert [before[number].mined_at == after[number].mined_at for number in (2, 3)] == [True, True]
    assert (bench.mined(), bench.waiting(), bench.ledger.nonce(bench.sender)) == ([three[0].tx_hash], set(), 1)


def test_what_a_reorganization_returns_waits_and_is_mined_again(bench: Bench, three: list[SignedCall]) -> None:
    bench.ledger.reorg(2, returns=True)
    assert bench.waiting() == {three[1].tx_hash, three[2].tx_hash}
    bench.ledger.mine()

    assert bench.mined() == [each.tx_hash for each in three]


def test_a_reorganization_can_mine_the_same_in_other_blocks(bench: Bench, three: list[SignedCall]) -> None:
    old = bench.chain.receipts([each.tx_hash for each in three])

    bench.ledger.reorg(3, returns=False, moves=[(three[1].tx_hash, 2), (three[0].tx_hash, 1)])

    new = bench.chain.receipts([each.tx_hash for each in three])
    assert [receipt and receipt.block_number for receipt in old] == [1, 2, 3]
    assert [receipt and receipt.block_number for receipt in new] == [2, 3, None]
    assert bench.ledger.effects() == {key(0): 1, key(1): 1}


def test_a_reorganization_can_mine_another_send_of_the_same_nonce(bench: Bench) -> None:
    first, second = bench.call(counts=1), bench.call(counts=1, cap=20 * GWEI, tip=2 * GWEI)
    bench.send(first, second)
    bench.ledger.mine()
    assert bench.mined() == [second.tx_hash]

    bench.ledger.reorg(1, returns=True, moves=[(first.tx_hash, 0)])
    bench.ledger.mine()

    assert (bench.mined(), bench.waiting()) == ([first.tx_hash], set())
    assert bench.ledger.effects() == {key(1): 1}


@pytest.mark.parametrize("depth", [1, 2, 31, 64])
def test_after_any_depth_everything_is_mined_once_again(bench: Bench, depth: int) -> None:
    for nonce in range(64):
        bench.send(bench.call(nonce))
        bench.ledger.mine()

    bench.ledger.reorg(depth, returns=True)
    assert bench.ledger.nonce(bench.sender) == 64 - depth
    bench.ledger.mine()

    assert bench.ledger.effects() == {key(number): 1 for number in range(64)}


@pytest.mark.parametrize("depth", [0, -1, 4])
def test_only_blocks_that_exist_are_replaced(bench: Bench, three: list[SignedCall], depth: int) -> None:
    with pytest.raises(ValueError, match="3 blocks can be replaced"):
        bench.ledger.reorg(depth, returns=True)

    assert bench.mined() == [each.tx_hash for each in three]


def test_a_fork_without_transactions_differs_from_the_blocks_it_replaces(bench: Bench) -> None:
    bench.ledger.mine(2)
    before = bench.ledger.head.hash

    bench.ledger.reorg(1, returns=False)

    assert bench.ledger.head.hash != before


def test_money_that_was_given_survives_a_reorganization(bench: Bench, three: list[SignedCall]) -> None:
    bench.ledger.set_balance(bench.sender, 5)
    assert bench.chain.balance(bench.sender) == Wei(5)

    paid = sum(each.receipt.gas_used * each.receipt.gas_price.raw for each in bench.ledger.mined())
    bench.ledger.reorg(3, returns=False)

    assert bench.chain.balance(bench.sender) == Wei(5 + paid)


def test_a_sender_that_became_poor_keeps_waiting(bench: Bench) -> None:
    signed = bench.call()
    bench.send(signed)
    bench.ledger.set_balance(bench.sender, 0)
    bench.ledger.mine()
    assert (bench.mined(), bench.waiting()) == ([], {signed.tx_hash})
    bench.ledger.set_balance(bench.sender, 10**18)
    bench.ledger.mine()

    assert bench.mined() == [signed.tx_hash]


def test_arrivals_are_told_before_the_node_takes_them() -> None:
    told: list[tuple[str, str, bool]] = []
    bench = Bench(ledger=Ledger(on_arrival=lambda raw, tx_hash: told.append((raw, tx_hash, tx_hash in bench.ledger.pool))))
    signed = bench.call()
    bench.ledger.wait(3)
    bench.send(signed)
    bench.ledger.wait(3)
    bench.send(signed)

    # Two endpoints, twice: only the first of four finds it new.
    assert told == [(signed.raw, signed.tx_hash, is_known) for is_known in (False, True, True, True)]
    assert bench.ledger.arrivals == {signed.tx_hash: STARTED_AT + timedelta(seconds=3)}


def test_an_arrival_that_must_not_be_stops_the_test_and_is_not_taken() -> None:
    def refuse(raw: str, tx_hash: str) -> None:
        raise AssertionError(f"{tx_hash} isn't stored")

    bench = Bench(ledger=Ledger(on_arrival=refuse))

    with pytest.raises(AssertionError, match="isn't stored"):
        bench.send(bench.call())

    assert (bench.waiting(), bench.ledger.arrivals) == (set(), {})
