"""The chain's adapter against a real node."""

from datetime import timedelta

import pytest

from execution.adapters import bloom, node_json
from execution.adapters.rpc import RpcChain
from execution.domain.broadcast import Meaning
from execution.domain.chain import Call, Outcome
from execution.domain.fees import Offer
from execution.ports import UnsignedCall
from tests.fakes.signer import OpenSigner
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

GWEI = 10**9


# Signs what our own signers refuse: content that a node must refuse too.
SIGNER = OpenSigner()


@pytest.fixture(autouse=True)
def _funds(world: World) -> None:
    world.rpc.call("anvil_setBalance", SIGNER.address, hex(10**20))


def _signed(**changes: object) -> tuple[str, str]:
    fields = {"nonce": 0, "gas_limit": 21_000, "offer": Offer(fee_cap=Wei(100 * GWEI), tip_cap=Wei(GWEI))} | changes
    signed = SIGNER.sign(UnsignedCall(chain_id=31337, target=SIGNER.address, data="0x", value=Wei(0), **fields))  # type: ignore[arg-type]
    return signed.raw, signed.tx_hash


def test_the_head_is_the_newest_block(world: World) -> None:
    world.mine(2)

    head, raw = world.desk.chain.head(), world.rpc.call("eth_getBlockByNumber", "latest", False)

    assert (head.number, head.hash, head.parent_hash) == (int(raw["number"], 16), raw["hash"], raw["parentHash"])
    assert head.mined_at == world.now.replace(microsecond=0)
    assert head.base_fee == Wei(int(raw["baseFeePerGas"], 16))


def test_blocks_name_their_parents_and_those_to_come_are_left_out(world: World) -> None:
    world.mine(3)
    head = world.desk.chain.head().number

    blocks = world.desk.chain.blocks(range(head - 2, head + 3))

    assert list(blocks) == [head - 2, head - 1, head]
    assert [blocks[head - 1].hash, blocks[head - 2].hash] == [blocks[head].parent_hash, blocks[head - 1].parent_hash]
    assert blocks[head].mined_at - blocks[head - 1].mined_at == timedelta(seconds=2)


def test_the_quote_is_for_the_next_block(world: World) -> None:
    world.mine()
    world.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(3 * GWEI))
    world.mine()

    # An empty block: the next one costs an eighth less.
    assert world.desk.chain.fees().base_fee == Wei(3 * GWEI * 7 // 8)


def test_a_simulation_tells_what_works_what_reverts_and_what_nobody_knows(world: World) -> None:
    router = world.deployment.contract("TradingRouter")
    sender, usdc = world.desk.signer.address, world.deployment.contract("Usdc")
    calls = [
        Call(sender=sender, target=usdc.address, data=usdc.calldata("mint", sender, 5), value=Wei(0)),
        Call(sender=sender, target=router.address, data=router.calldata("executeMarketOrder", 1), value=Wei(0)),
        Call(sender="0x" + "77" * 20, target=usdc.address, data="0x", value=Wei(10**30)),
    ]

    worked, reverted, unknown = world.desk.chain.simulate(calls)

    assert (worked.outcome, worked.gas > 21_000) == (Outcome.OK, True)
    assert (reverted.outcome, world.desk.venue.reason(reverted.reason)) == (Outcome.REVERTED, "NotAuthorized")
    assert unknown.outcome is Outcome.UNKNOWN


def test_a_receipt_is_there_once_it_is_mined(world: World) -> None:
    raw, tx_hash = _signed()
    assert [answer.meaning for answer in world.desk.chain.broadcast([raw])] == [Meaning.ACCEPTED]

    pooled = world.desk.chain.receipts([tx_hash])
    world.mine()
    (mined,) = world.desk.chain.receipts([tx_hash])

    assert pooled == [None]
    assert mined is not None
    assert (mined.tx_hash, mined.is_success, mined.gas_used, mined.l1_fee) == (tx_hash, True, 21_000, Wei(0))
    assert (mined.block_number, mined.block_hash) == (world.desk.chain.head().number, world.desk.chain.head().hash)


def test_a_real_nodes_refusals_are_understood(world: World) -> None:
    raw, _ = _signed()
    world.desk.chain.broadcast([raw])
    (cheap, _), (gapped, _) = _signed(offer=Offer(fee_cap=Wei(1), tip_cap=Wei(0))), _signed(nonce=1, gas_limit=1)

    duplicate, replaced, little_gas = world.desk.chain.broadcast([raw, cheap, gapped])
    world.mine()
    (used,) = world.desk.chain.broadcast([_signed(gas_limit=22_000)[0]])

    assert (duplicate.meaning, little_gas.meaning, used.meaning) == (Meaning.ACCEPTED, Meaning.FATAL, Meaning.CONSUMED)
    assert replaced.meaning in (Meaning.SIBLING_LIVE, Meaning.UNDERPRICED)


def test_logs_are_those_of_the_block_and_of_the_emitters(world: World) -> None:
    world.admit(123)
    way.accept(world)
    chain, venue = world.desk.chain, world.desk.venue
    head = chain.head()
    parent = chain.blocks([head.number - 1])[head.number - 1]

    here, before = chain.logs([head.hash, parent.hash], emitters=venue.emitters)
    (elsewhere,) = chain.logs([head.hash], emitters=["0x" + "77" * 20])

    assert [entry.address.lower() for entry in here] == [world.deployment.router.lower()]
    assert (here[0].block_hash, here[0].block_number) == (head.hash, head.number)
    assert [entry for entry in before if entry.tx_hash == here[0].tx_hash] == elsewhere == []


def test_the_logs_of_a_block_that_is_gone_are_unavailable(world: World) -> None:
    with pytest.raises(Unavailable):
        world.desk.chain.logs(["0x" + "99" * 32], emitters=world.desk.venue.emitters)


def test_nonces_are_counted_mined_and_pooled(world: World) -> None:
    world.desk.chain.broadcast([_signed()[0], _signed(nonce=1)[0]])

    pooled = world.desk.chain.nonce(SIGNER.address)
    world.mine()

    assert (pooled, world.desk.chain.nonce(SIGNER.address)) == ((0, 2), (2, 2))


def test_a_balance_is_what_the_chain_has(world: World) -> None:
    assert world.desk.chain.balance(SIGNER.address) == Wei(10**20)


@pytest.mark.parametrize("chain_id", [1, 8453])
def test_a_real_node_of_another_chain_is_refused(world: World, chain_id: int) -> None:
    with pytest.raises(Unavailable):
        RpcChain(chain_id=chain_id).head()


def test_a_real_headers_filter_holds_who_wrote_something(world: World) -> None:
    world.admit(123)
    way.accept(world)
    header = world.rpc.call("eth_getBlockByNumber", "latest", False)

    assert bloom.may_hold(header["logsBloom"], world.deployment.router)
    assert not bloom.may_hold(header["logsBloom"], "0x" + "77" * 20)


def test_a_real_node_tells_a_blocks_events_in_two_ways_alike(world: World) -> None:
    world.admit(123)
    way.accept(world)
    head, emitters = world.desk.chain.head(), world.desk.venue.emitters
    asked = {"blockHash": head.hash, "address": list(emitters)}

    by_filter = node_json.logs(world.rpc.call("eth_getLogs", asked), block_hash=head.hash, emitters=emitters)
    receipts = world.rpc.call("eth_getBlockReceipts", head.hash)

    assert by_filter
    assert node_json.logs_of_receipts(receipts, block_hash=head.hash, emitters=emitters) == by_filter


def test_a_real_node_testifies(world: World) -> None:
    raw, tx_hash = _signed()
    world.desk.chain.broadcast([raw])
    (pooled,) = world.desk.chain.testimonies([tx_hash], address=SIGNER.address)
    world.mine()

    (mined,) = world.desk.chain.testimonies([tx_hash, "0x" + "99" * 32], address=SIGNER.address)

    assert (pooled.mined, pooled.receipts) == (0, (None,))
    assert (mined.head, mined.mined) == (world.desk.chain.head().number, 1)
    assert mined.receipts == (*world.desk.chain.receipts([tx_hash]), None)


def test_a_chain_without_an_oracle_charges_nothing_for_data(world: World) -> None:
    assert world.desk.chain.l1_fees([100, 1_000]) == [Wei(0), Wei(0)]


def test_an_accounts_code_is_empty_and_a_contracts_isnt(world: World) -> None:
    assert world.desk.chain.code(SIGNER.address) == "0x"
    assert len(world.desk.chain.code(world.deployment.router)) > 2
