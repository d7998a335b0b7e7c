"""What a chain tells us, in our words: blocks, calls, receipts, logs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trading.domain.units import Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block's header. `base_fee` is wei a gas."""

    number: int
    hash: str
    parent_hash: str
    mined_at: datetime
    base_fee: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A question to a contract that changes nothing: calldata as 0x-hex."""

    target: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What views answered (0x-hex) and addresses had for gas, in their order, no earlier than a block."""

    block_number: int
    answers: tuple[str, ...]
    balances: tuple[Wei, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """How far one node has the chain: its newest block, and the numbers of those that it calls safe and finalized."""

    latest: Block
    safe: int
    finalized: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to a contract, by an address. `data` is 0x-hex, `value` wei."""

    sender: str
    target: str
    data: str
    value: Wei


class Outcome(StrEnum):
    """How a simulation ended."""

    OK = "ok"
    REVERTED = "reverted"
    UNKNOWN = "unknown"  # the node had trouble; it says nothing about the call


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A simulated call: its gas if it went through, the contract's reason if it reverted."""

    outcome: Outcome
    gas: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts:
    """A transaction in a block."""

    tx_hash: str
    block_number: int
    block_hash: str
    is_success: bool
    gas_used: int
    gas_price: Wei
    l1_fee: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one node says by itself: how far it is, how many transactions of an address it has mined, the receipts asked for.

    A receipt whose block isn't the one that the same node has at its number is None.
    """

    endpoint: int
    head: int
    safe: int
    finalized: int
    mined: int
    receipts: tuple[ReceiptFacts | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """An event as the chain holds it: topics and data are 0x-hex."""

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
