"""A ledger, two endpoints on it, and somebody with money."""

from dataclasses import dataclass, field
from typing import Any

from execution.domain.broadcast import Answer, Meaning
from execution.domain.fees import Offer
from execution.ports import SignedCall, UnsignedCall
from tests.fakes import counter
from tests.fakes.chain import FakeChain
from tests.fakes.ledger import CHAIN_ID, COUNTER, GWEI, Ledger
from tests.fakes.signer import OpenSigner
from trading.domain.units import Wei

FUNDS = 10**20


def key(number: int) -> str:
    """A key of the counter."""
    return f"0x{number:064x}"


@dataclass(kw_only=True)
class Bench:
    """What the tests of the fake chain hold in their hands."""

    ledger: Ledger = field(default_factory=Ledger)
    signer: OpenSigner = field(default_factory=OpenSigner)
    chain: FakeChain = field(init=False)

    def __post_init__(self) -> None:
        self.chain = FakeChain(self.ledger, endpoints=2)
        self.ledger.set_balance(self.signer.address, FUNDS)

    @property
    def sender(self) -> str:
        """Who has money."""
        return self.signer.address

    def call(
        self, nonce: int = 0, *, counts: int | None = None, cap: int = 10 * GWEI, tip: int = GWEI, **changes: Any
    ) -> SignedCall:
        """A signed call that counts a key: the nonce's, unless told otherwise."""
        usual: dict[str, Any] = {
            "chain_id": CHAIN_ID,
            "nonce": nonce,
            "target": COUNTER,
            "data": counter.bump(key(nonce if counts is None else counts)),
            "value": Wei(0),
            "gas_limit": 60_000,
            "offer": Offer(fee_cap=Wei(cap), tip_cap=Wei(tip)),
        }
        return self.signer.sign(UnsignedCall(**usual | changes))

    def offer(self, *signed: SignedCall) -> list[Answer]:
        """The answers to a broadcast."""
        return self.chain.broadcast([each.raw for each in signed])

    def send(self, *signed: SignedCall) -> list[Meaning]:
        """What the answers to a broadcast mean."""
        return [answer.meaning for answer in self.offer(*signed)]

    def words(self, signed: SignedCall) -> str:
        """What a node says."""
        return self.offer(signed)[0].text

    def mined(self) -> list[str]:
        """The hashes of the canonical chain, in its order."""
        return [inclusion.transaction.tx_hash for inclusion in self.ledger.mined()]

    def waiting(self) -> set[str]:
        """The hashes in the pool."""
        return {transaction.tx_hash for transaction in self.ledger.pool}
