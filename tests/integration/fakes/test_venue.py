"""The counting venue: one signal, one key, one effect, on a real node as on the fake chain."""

import os
from collections.abc import Iterator

import pytest

from devnet.rpc import Rpc
from execution.adapters.rpc import RpcChain
from execution.domain.broadcast import Meaning
from execution.domain.chain import Call, Outcome
from execution.domain.fees import Offer
from execution.ports import Chain, CloseRequest, OpenRequest, SignedCall, UnsignedCall
from tests.fakes.chain import FakeChain
from tests.fakes.ledger import CHAIN_ID, COUNTER, GWEI, Ledger
from tests.fakes.signer import OpenSigner
from tests.fakes.venue import CountingVenue, close_key, count, deploy_counter, open_key, total
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei

TRADER = "0x" + "77" * 20
FIRST, SECOND = Usdc.of("50.000001"), Usdc.of("50.000002")


@pytest.fixture
def rpc() -> Iterator[Rpc]:
    with Rpc(os.environ["BASE_RPC_URL"]) as rpc:
        snapshot = rpc.call("evm_snapshot")
        yield rpc
        rpc.call("anvil_dropAllTransactions")
        rpc.call("evm_revert", snapshot)


def open_of(collateral: Usdc) -> OpenRequest:
    return OpenRequest(
        trader=TRADER,
        pair_index=1,
        direction=Direction.LONG,
        collateral=collateral,
        leverage=Leverage.of(3),
        price=Price.of(60_000),
        slippage=Percent.of(1),
        take_profit=None,
        stop_loss=None,
    )


def close_of(collateral: Usdc) -> CloseRequest:
    return CloseRequest(trader=TRADER, pair_index=1, venue_index=0, collateral=collateral, price=Price.of(60_000))


def calls(venue: CountingVenue, sender: str) -> list[Call]:
    """Two opens, the first one's close, and the first open by mistake again."""
    first = venue.open_call(open_of(FIRST), sender=sender)
    second = venue.open_call(open_of(SECOND), sender=sender)
    return [first, second, venue.close_call(close_of(FIRST), sender=sender), first]


def sent(signer: OpenSigner, wanted: list[Call], *, chain: Chain) -> list[SignedCall]:
    offer = Offer(fee_cap=Wei(100 * GWEI), tip_cap=Wei(GWEI))
    simulations = chain.simulate(wanted)
    assert [each.outcome for each in simulations] == [Outcome.OK] * len(wanted)
    signed = [
        signer.sign(
            UnsignedCall(
                chain_id=CHAIN_ID,
                nonce=nonce,
                target=call.target,
                data=call.data,
                value=call.value,
                gas_limit=simulation.gas,
                offer=offer,
            )
        )
        for nonce, (call, simulation) in enumerate(zip(wanted, simulations, strict=True))
    ]
    assert {answer.meaning for answer in chain.broadcast([each.raw for each in signed])} == {Meaning.ACCEPTED}
    return signed


KEYS = [open_key(FIRST), open_key(SECOND), close_key(FIRST), close_key(SECOND)]
COUNTED = {open_key(FIRST): 2, open_key(SECOND): 1, close_key(FIRST): 1}


def test_effects_are_counted_on_the_fake_chain() -> None:
    ledger, signer = Ledger(), OpenSigner()
    ledger.set_balance(signer.address, 10**20)
    sent(signer, calls(CountingVenue(COUNTER), signer.address), chain=FakeChain(ledger))
    ledger.mine()

    assert ledger.effects() == COUNTED


def test_effects_are_counted_on_a_real_node(rpc: Rpc) -> None:
    address, signer = deploy_counter(rpc), OpenSigner()
    rpc.call("anvil_setBalance", signer.address, hex(10**20))
    assert count(rpc, address, KEYS) == dict.fromkeys(KEYS, 0)
    sent(signer, calls(CountingVenue(address), signer.address), chain=RpcChain())
    rpc.call("evm_mine")

    assert count(rpc, address, KEYS) == {**dict.fromkeys(KEYS, 0), **COUNTED}
    assert total(rpc, address) == COUNTED


def test_two_counters_on_one_node_are_apart(rpc: Rpc) -> None:
    first, second, signer = deploy_counter(rpc), deploy_counter(rpc), OpenSigner()
    rpc.call("anvil_setBalance", signer.address, hex(10**20))
    sent(signer, calls(CountingVenue(first), signer.address), chain=RpcChain())
    rpc.call("evm_mine")

    assert (first == second, total(rpc, second), count(rpc, second, KEYS)) == (False, {}, dict.fromkeys(KEYS, 0))


def test_every_collateral_has_a_key_of_its_own_for_its_open_and_its_close() -> None:
    collaterals = [Usdc.from_raw(50_000_000 + number) for number in range(500)]

    assert len({key(each) for each in collaterals for key in (open_key, close_key)}) == 1_000
