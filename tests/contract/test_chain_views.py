"""What `execution.ports.Chain` promises of looking, held against a real node and the chain in one process."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from devnet.contract import artifact
from execution.domain.chain import Call, Outcome, Simulation, View
from tests.contract.chain_stand import FUNDS, KEY, STRANGER, Stand, fake, ready, real
from tests.fakes import counter
from tests.fakes.ledger import GWEI
from trading.domain.errors import Unavailable
from trading.domain.units import Wei


@pytest.fixture(params=[fake, real], ids=["fake", "anvil"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    yield from ready(request.param())


def test_the_head_is_the_newest_block(stand: Stand) -> None:
    before = stand.chain.head()
    stand.mine(1)

    head = stand.chain.head()

    assert (head.number, head.parent_hash) == (before.number + 1, before.hash)
    assert head.mined_at.tzinfo is not None


def test_every_endpoint_says_how_it_is(stand: Stand) -> None:
    head = stand.chain.head()

    states = stand.chain.states()

    assert [state.endpoint for state in states] == list(range(stand.chain.endpoints))
    assert [state.is_primary for state in states].count(True) == 1
    assert {(state.is_healthy, state.faults) for state in states} == {(True, 0)}
    assert max(state.head or 0 for state in states) == head.number


def test_safe_and_finalized_are_32_and_64_blocks_below_the_head(stand: Stand) -> None:
    stand.mine(70)

    heads = stand.chain.heads()

    assert heads.latest == stand.chain.head()
    assert (heads.latest.number - heads.safe, heads.latest.number - heads.finalized) == (32, 64)


def test_blocks_name_their_parents_and_those_to_come_are_left_out(stand: Stand) -> None:
    stand.mine(3)
    head = stand.chain.head()

    blocks = stand.chain.blocks(range(head.number - 2, head.number + 3))

    assert list(blocks) == [head.number - 2, head.number - 1, head.number]
    assert blocks[head.number] == head
    assert head.parent_hash == blocks[head.number - 1].hash
    assert blocks[head.number - 1].parent_hash == blocks[head.number - 2].hash


def test_blocks_are_two_seconds_apart(stand: Stand) -> None:
    stand.mine(3)
    head = stand.chain.head()

    before = stand.chain.blocks([head.number - 1])[head.number - 1]

    assert head.mined_at - before.mined_at == timedelta(seconds=2)


def test_no_numbers_are_no_blocks(stand: Stand) -> None:
    assert stand.chain.blocks([]) == {}


def test_a_block_has_the_base_fee_that_was_set(stand: Stand) -> None:
    stand.set_base_fee(3 * GWEI)
    stand.mine(1)

    assert stand.chain.head().base_fee == Wei(3 * GWEI)


# anvil's base fee falls by an eighth after an empty block; the fake's stays where it is set.
def test_the_quote_is_at_most_the_last_base_fee_after_an_empty_block(stand: Stand) -> None:
    stand.set_base_fee(8 * GWEI)
    stand.mine(1)

    assert stand.chain.fees().base_fee in (Wei(7 * GWEI), Wei(8 * GWEI))


# Simulations and views.


def test_a_simulation_tells_what_works_and_what_reverts(stand: Stand) -> None:
    calls = [
        Call(sender=stand.sender, target=stand.counter, data=counter.bump(KEY), value=Wei(0)),
        Call(sender=stand.sender, target=stand.counter, data="0xdeadbeef", value=Wei(0)),
        Call(sender=stand.sender, target=stand.sender, data="0x", value=Wei(0)),
    ]

    worked, reverted, empty = stand.chain.simulate(calls)

    assert (worked.outcome, 40_000 < worked.gas < 60_000) == (Outcome.OK, True)
    assert (reverted.outcome, reverted.gas, "revert" in reverted.reason) == (Outcome.REVERTED, 0, True)
    assert empty == Simulation(outcome=Outcome.OK, gas=21_000)
    assert stand.counted() == 0


def test_a_simulation_that_the_node_can_not_run_says_nothing(stand: Stand) -> None:
    call = Call(sender=STRANGER, target=stand.counter, data="0x", value=Wei(10**30))

    assert [each.outcome for each in stand.chain.simulate([call])] == [Outcome.UNKNOWN]


def test_what_a_simulation_says_of_the_gas_is_enough(stand: Stand) -> None:
    call = Call(sender=stand.sender, target=stand.counter, data=counter.bump(KEY), value=Wei(0))
    (simulation,) = stand.chain.simulate([call])
    signed = stand.bump(gas_limit=simulation.gas)
    stand.send(signed)
    stand.mine(1)

    assert stand.receipt(signed).is_success
    assert stand.counted() == 1


def test_a_view_is_answered_from_the_newest_block(stand: Stand) -> None:
    stand.send(stand.bump())
    assert stand.counted() == 0
    stand.mine(1)

    assert stand.counted() == 1
    assert stand.chain.call(STRANGER, "0x12345678") == "0x"


def test_nonces_are_counted_mined_and_pooled_up_to_a_gap(stand: Stand) -> None:
    stand.send(stand.transfer(), stand.transfer(nonce=1), stand.transfer(nonce=3))
    pooled = stand.chain.nonce(stand.sender)
    stand.mine(1)

    assert (pooled, stand.chain.nonce(stand.sender)) == ((0, 2), (2, 2))


def test_a_balance_falls_by_gas_and_value(stand: Stand) -> None:
    signed = stand.transfer(target=STRANGER, value=Wei(7))
    stand.send(signed)
    stand.mine(1)

    receipt = stand.receipt(signed)

    assert stand.chain.balance(stand.sender) == Wei(FUNDS - 7 - 21_000 * receipt.gas_price.raw)
    assert stand.chain.balance(STRANGER) == Wei(7)


def test_a_snapshot_is_what_each_endpoint_says_of_views_and_balances(stand: Stand) -> None:
    stand.send(stand.bump(), stand.transfer(nonce=1, target=STRANGER, value=Wei(7)))
    stand.mine(1)
    views = [View(target=stand.counter, data=counter.counts(KEY)), View(target=STRANGER, data="0x12345678")]
    addresses = [STRANGER, stand.sender]

    seen = stand.chain.snapshot(views, addresses=addresses)

    assert seen.block_number == stand.chain.head().number
    assert seen.answers == (f"0x{1:064x}", "0x")
    assert seen.balances == (Wei(7), stand.chain.balance(stand.sender))
    assert stand.chain.snapshots(views, addresses=addresses) == [seen] * stand.chain.endpoints


def test_a_view_is_answered_as_of_a_block_and_by_no_other(stand: Stand) -> None:
    stand.send(stand.bump())
    stand.mine(1)
    block, views = stand.chain.head(), [View(target=stand.counter, data=counter.counts(KEY))]
    assert stand.chain.answers_at(views, block_hash=block.hash) == [f"0x{1:064x}"]

    with pytest.raises(Unavailable):
        stand.chain.answers_at(views, block_hash="0x" + "12" * 32)


def test_events_are_searched_by_topic_in_a_range_that_the_node_has(stand: Stand) -> None:
    stand.send(stand.bump())
    stand.mine(1)
    head = stand.chain.head().number

    (found,) = stand.chain.search(stand.counter, topics=[counter.BUMPED], first=head, last=head)

    assert (found.block_number, found.topics[0]) == (head, counter.BUMPED)
    assert stand.chain.search(stand.counter, topics=["0x" + "12" * 32], first=head, last=head) == []
    assert stand.chain.search(stand.counter, topics=[None, KEY], first=head, last=head) == [found]
    with pytest.raises(Unavailable):
        stand.chain.search(stand.counter, topics=[counter.BUMPED], first=head, last=head + 5)


def test_code_tells_plain_accounts_contracts_and_delegations_apart(stand: Stand) -> None:
    delegation = "0xef0100" + "12" * 20
    plain = stand.chain.code(stand.sender)
    stand.set_code(stand.sender, delegation)

    assert (plain, stand.chain.code(stand.sender)) == ("0x", delegation)
    assert stand.chain.code(stand.counter) == "0x" + artifact("Counter").deployed_bytecode.hex()


def test_a_chain_without_a_rollups_oracle_charges_nothing_for_data(stand: Stand) -> None:
    assert stand.chain.l1_fees([100, 1_000]) == [Wei(0), Wei(0)]


def test_the_chain_id_is_the_configured_one(stand: Stand) -> None:
    assert stand.chain.chain_id == settings.CHAIN_ID
