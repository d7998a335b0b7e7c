"""A chain behind its port, and the hands that move it: the fake one, and a real node's."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from devnet.rpc import Rpc
from execution.adapters.rpc import RpcChain
from execution.domain.broadcast import Meaning
from execution.domain.chain import ReceiptFacts
from execution.domain.fees import Offer
from execution.ports import Chain, SignedCall, UnsignedCall
from tests.fakes import counter
from tests.fakes.chain import FakeChain
from tests.fakes.ledger import COUNTER, GWEI, Ledger
from tests.fakes.signer import OpenSigner
from tests.fakes.venue import deploy_counter
from trading.domain.units import Wei

FUNDS = 10**20
KEY, OTHER_KEY = "0x" + "0a" * 32, "0x" + "0b" * 32
STRANGER = "0x" + "77" * 20
NOBODYS_HASH = "0x" + "99" * 32
OFFER = Offer(fee_cap=Wei(100 * GWEI), tip_cap=Wei(GWEI))


@dataclass(kw_only=True)
class Stand:
    """A chain and the hands that move what is behind it."""

    chain: Chain
    counter: str
    mine: Callable[[int], object]
    lose: Callable[[int], object]
    set_base_fee: Callable[[int], object]
    set_balance: Callable[[str, int], object]
    set_code: Callable[[str, str], object]
    signer: OpenSigner

    @property
    def sender(self) -> str:
        """Whose transactions the tests send."""
        return self.signer.address

    def transfer(self, **changes: Any) -> SignedCall:
        """A signed empty call to its own sender."""
        usual: dict[str, Any] = {"nonce": 0, "target": self.sender, "data": "0x", "value": Wei(0), "gas_limit": 21_000}
        fields = usual | {"chain_id": settings.CHAIN_ID, "offer": OFFER} | changes
        return self.signer.sign(UnsignedCall(**fields))

    def bump(self, key: str = KEY, **changes: Any) -> SignedCall:
        """A signed call that counts a key."""
        return self.transfer(**{"target": self.counter, "data": counter.bump(key), "gas_limit": 100_000} | changes)

    def send(self, *signed: SignedCall) -> list[Meaning]:
        """What the answers to a broadcast mean."""
        return [answer.meaning for answer in self.chain.broadcast([each.raw for each in signed])]

    def receipt(self, signed: SignedCall) -> ReceiptFacts:
        """The receipt of what is mined."""
        (found,) = self.chain.receipts([signed.tx_hash])
        assert found is not None
        return found

    def counted(self, key: str = KEY) -> int:
        """How often the contract counted a key."""
        return int(self.chain.call(self.counter, counter.counts(key)), 16)


def fake() -> Iterator[Stand]:
    """The chain in one process."""
    ledger = Ledger()

    def set_base_fee(wei: int) -> None:
        ledger.base_fee = wei

    yield Stand(
        chain=FakeChain(ledger),
        counter=COUNTER,
        mine=ledger.mine,
        lose=lambda depth: ledger.reorg(depth, returns=False),
        set_base_fee=set_base_fee,
        set_balance=ledger.set_balance,
        set_code=ledger.set_code,
        signer=OpenSigner(),
    )


def real() -> Iterator[Stand]:
    """The session's node, which is put back to where it was."""
    with Rpc(os.environ["BASE_RPC_URL"]) as rpc:
        snapshot = rpc.call("evm_snapshot")
        yield Stand(
            chain=RpcChain(),
            counter=deploy_counter(rpc),
            mine=lambda blocks: rpc.call("anvil_mine", hex(blocks), hex(2)),
            lose=lambda depth: rpc.call("anvil_reorg", depth, []),
            set_base_fee=lambda wei: rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei)),
            set_balance=lambda address, wei: rpc.call("anvil_setBalance", address, hex(wei)),
            set_code=lambda address, code: rpc.call("anvil_setCode", address, code),
            signer=OpenSigner(),
        )
        # What is still in the pool would be mined in the next test's chain.
        rpc.call("anvil_dropAllTransactions")
        rpc.call("evm_revert", snapshot)


def ready(stands: Iterator[Stand]) -> Iterator[Stand]:
    """Each with money for its sender, and two blocks."""
    for stand in stands:
        stand.set_balance(stand.sender, FUNDS)
        stand.mine(2)
        yield stand
