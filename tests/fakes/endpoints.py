"""Nodes over the one ledger, each with troubles that a test gives it. Nothing happens that nobody scripted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from execution.domain.broadcast import Answer, Meaning, meaning_of
from execution.domain.chain import Heads, Log, ReceiptFacts, Testimony
from tests.fakes.blocks import View
from tests.fakes.ledger import Ledger
from tests.fakes.pool import Refused
from trading.domain.errors import Unavailable
from trading.domain.units import Wei


class Fault(StrEnum):
    """What a node's answer can suffer."""

    DEAF = "the request never arrives"
    LOST = "the request arrives and is worked, its answer never comes"
    TOO_MANY = "429, and nothing is worked"
    OTHER_HASH = "takes the bytes and names another hash"
    NONCE_TOO_LOW = "takes nothing and says that the nonce is used"
    NO_RECEIPTS = "has no receipt of anything"
    FORGED_RECEIPTS = "has a receipt of everything, successful, in its newest block"
    STRAY_RECEIPTS = "has a receipt of everything, in a block that nobody has"
    NO_LOGS = "has no events in any block"
    HIGH_COUNT = "counts one transaction more than an address has mined"
    FALSE_FINALITY = "calls its newest block finalized"


SILENT = frozenset((Fault.DEAF, Fault.LOST, Fault.TOO_MANY))
_STRAY_HASH = "0x" + "5b" * 32
_FORGED_GAS = 21_000


@dataclass(slots=True)
class _Trouble:
    fault: Fault
    on: str
    calls: int | None


class Endpoint:
    """One node. `behind` is how many blocks its head lags."""

    def __init__(self, ledger: Ledger, *, number: int = 0) -> None:
        self.ledger = ledger
        self.number = number
        self.behind = 0
        self._picture: View | None = None
        self._troubles: list[_Trouble] = []

    def suffer(self, fault: Fault, *, on: str = "", calls: int | None = None) -> None:
        """Let the next calls suffer a fault, or all until `mend`: those of one method of the port, or any.

        Each transaction of a broadcast is a call of its own.
        """
        self._troubles.append(_Trouble(fault, on, calls))

    def freeze(self) -> None:
        """Keep the chain as it is now, whatever becomes of it; what it is offered still goes on to the others."""
        self._picture = self.ledger.picture()

    def mend(self) -> None:
        """Forget every trouble, and be at the head again."""
        self._troubles.clear()
        self._picture, self.behind = None, 0

    def hear(self, method: str) -> Fault | None:
        """The fault that a read suffers.

        Raises:
            Unavailable: if no answer comes.
        """
        fault = self._next_fault(method)
        if fault in SILENT:
            raise Unavailable("an endpoint doesn't answer", error=fault.value)
        return fault

    def offer(self, raw: str) -> Answer:
        """What it answers to signed bytes."""
        fault = self._next_fault("broadcast")
        match fault:
            case Fault.DEAF:
                return Answer(meaning=Meaning.UNKNOWN, text="no answer")
            case Fault.TOO_MANY:
                return _words("429 too many requests")
            case Fault.NONCE_TOO_LOW:
                return _words("nonce too low")
        answer = self._take(raw)
        match fault:
            case Fault.LOST:
                return Answer(meaning=Meaning.UNKNOWN, text="no answer")
            case Fault.OTHER_HASH:
                return Answer(meaning=Meaning.UNKNOWN, text="another hash")
        return answer

    @property
    def view(self) -> View:
        """The chain as it has it."""
        return self._picture or self.ledger.view(behind=self.behind)

    def heads(self, fault: Fault | None) -> Heads:
        """How far it has the chain."""
        latest = self.view.head.header
        depth = 0 if fault is Fault.FALSE_FINALITY else self.ledger.final_depth
        safe, finalized = latest.number - min(self.ledger.safe_depth, depth), latest.number - depth
        return Heads(latest=latest, safe=max(safe, 0), finalized=max(finalized, 0))

    def receipts(self, tx_hashes: Sequence[str], fault: Fault | None) -> list[ReceiptFacts | None]:
        """The receipts that it shows."""
        if fault is Fault.NO_RECEIPTS:
            return [None] * len(tx_hashes)
        if fault in (Fault.FORGED_RECEIPTS, Fault.STRAY_RECEIPTS):
            return [self._forged(tx_hash, fault) for tx_hash in tx_hashes]
        return [self.view.receipt(tx_hash) for tx_hash in tx_hashes]

    def logs(self, block_hash: str, *, emitters: Sequence[str], fault: Fault | None) -> list[Log]:
        """The emitters' events in a block.

        Raises:
            Unavailable: if it doesn't have the block.
        """
        block = self.view.find(block_hash)
        if block is None:
            raise Unavailable("the node refused a read", error="unknown block")
        if fault is Fault.NO_LOGS:
            return []
        wanted = {emitter.lower() for emitter in emitters}
        return [log for inclusion in block.inclusions for log in inclusion.logs if log.address in wanted]

    def mined(self, address: str, fault: Fault | None) -> int:
        """How many transactions of an address it counts."""
        return self.view.head.account(address).nonce + (fault is Fault.HIGH_COUNT)

    def testimony(self, tx_hashes: Sequence[str], *, address: str, fault: Fault | None) -> Testimony:
        """What it says by itself."""
        found = self.receipts(tx_hashes, fault)
        heads = self.heads(fault)
        return Testimony(
            endpoint=self.number,
            head=heads.latest.number,
            safe=heads.safe,
            finalized=heads.finalized,
            mined=self.mined(address, fault),
            receipts=tuple(receipt if receipt is not None and self._has_block_of(receipt) else None for receipt in found),
        )

    def _next_fault(self, method: str) -> Fault | None:
        trouble = next((each for each in self._troubles if each.on in ("", method)), None)
        if trouble is None:
            return None
        if trouble.calls is not None:
            trouble.calls -= 1
            if trouble.calls <= 0:
                self._troubles.remove(trouble)
        return trouble.fault

    def _take(self, raw: str) -> Answer:
        try:
            self.ledger.take(raw)
        except Refused as refusal:
            return _words(str(refusal))
        return Answer(meaning=Meaning.ACCEPTED)

    def _forged(self, tx_hash: str, fault: Fault) -> ReceiptFacts:
        head = self.view.head.header
        return ReceiptFacts(
            tx_hash=tx_hash,
            block_number=head.number,
            block_hash=head.hash if fault is Fault.FORGED_RECEIPTS else _STRAY_HASH,
            is_success=True,
            gas_used=_FORGED_GAS,
            gas_price=head.base_fee,
            l1_fee=Wei.zero(),
        )

    def _has_block_of(self, receipt: ReceiptFacts) -> bool:
        return self.view.has(number=receipt.block_number, block_hash=receipt.block_hash)


def _words(text: str) -> Answer:
    return Answer(meaning=meaning_of(text), text=text)
