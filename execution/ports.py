"""What `execution` asks of the outside, in our words. No port is asked with a transaction open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from execution.domain.broadcast import Answer
from execution.domain.chain import Block, Call, Heads, Log, ReceiptFacts, Simulation, Snapshot, Testimony, View
from execution.domain.endpoint import EndpointState
from execution.domain.events import VenueEvent
from execution.domain.fees import FeeQuote, Offer
from execution.domain.levels import LevelsIntent
from execution.domain.reconciliation import VenueAccount
from risk.ports import AccountReading
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc, Wei


class Chain(Protocol):
    """An EVM chain behind its endpoints. Every method raises Unavailable when no endpoint answers, unless it says otherwise."""

    chain_id: int
    # How many independent nodes are configured: what can't be taken back needs two of them.
    endpoints: int

    def head(self) -> Block:
        """The newest block."""
        ...

    def heads(self) -> Heads:
        """The newest block, and how far the chain is safe and finalized."""
        ...

    def blocks(self, numbers: Iterable[int]) -> dict[int, Block]:
        """Headers by number; a number that the chain doesn't have yet is left out."""
        ...

    def fees(self) -> FeeQuote:
        """What the next block asks."""
        ...

    def simulate(self, calls: Sequence[Call]) -> list[Simulation]:
        """Each call against the newest state, in their order. Never raises: trouble is `Outcome.UNKNOWN`."""
        ...

    def broadcast(self, raws: Sequence[str]) -> list[Answer]:
        """Offer signed bytes to every endpoint at once, in their order; for each the strongest answer heard.

        Returns as soon as one endpoint accepted all of them; the others are told all the same.
        Never raises: silence is `Meaning.UNKNOWN`.
        """
        ...

    def receipts(self, tx_hashes: Sequence[str]) -> list[ReceiptFacts | None]:
        """The receipt of each transaction, None where the chain has none now."""
        ...

    def logs(self, block_hashes: Sequence[str], *, emitters: Sequence[str]) -> list[list[Log]]:
        """The events of the emitters in each block, by the block's hash; a block that is gone raises Unavailable."""
        ...

    def testimonies(self, tx_hashes: Sequence[str], *, address: str) -> list[Testimony]:
        """What each endpoint says by itself about some transactions and an address.

        Never raises: one that doesn't answer, or is more than 3 blocks behind the highest head seen, is left out.
        """
        ...

    def l1_fees(self, sizes: Sequence[int]) -> list[Wei]:
        """The most that the rollup charges now for the data of a transaction of each size (bytes, unsigned).

        From Base's GasPriceOracle predeploy; zero on a chain without one.
        """
        ...

    def code(self, address: str) -> str:
        """An account's code as 0x-hex: `0x` for a plain one, `0xef0100…` for one that carries EIP-7702's delegation."""
        ...

    def nonce(self, address: str) -> tuple[int, int]:
        """How many transactions of an address are mined, and how many with those in the pool."""
        ...

    def balance(self, address: str) -> Wei:
        """What an address has for gas."""
        ...

    def call(self, target: str, data: str) -> str:
        """A view's answer as 0x-hex."""
        ...

    def answers_at(self, views: Sequence[View], *, block_hash: str) -> list[str]:
        """What views answered at one block (0x-hex), in their order, in one exchange; a block that is gone raises Unavailable."""
        ...

    def search(self, emitter: str, *, topics: Sequence[str | None], first: int, last: int) -> list[Log]:
        """A contract's events with such topics (None: any) in a range of blocks, by a node that has the last of them."""
        ...

    def snapshot(self, views: Sequence[View], *, addresses: Sequence[str]) -> Snapshot:
        """What views answer and addresses have, in one exchange with one endpoint."""
        ...

    def snapshots(self, views: Sequence[View], *, addresses: Sequence[str]) -> list[Snapshot]:
        """The same from every endpoint by itself.

        Never raises: one that doesn't answer, or is more than 3 blocks behind the highest head seen, is left out.
        """
        ...

    def states(self) -> list[EndpointState]:
        """How each endpoint is, as far as this process knows; asks nobody."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedCall:
    """Everything that a signature covers."""

    chain_id: int
    nonce: int
    target: str
    data: str
    value: Wei
    gas_limit: int
    offer: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """Bytes for the wire (0x-hex) and their hash."""

    raw: str = field(repr=False)
    tx_hash: str


class Signer(Protocol):
    """Holds a sender's key. `reference` says which key of which signer, as `senders.signer` has it."""

    reference: str

    @property
    def address(self) -> str:
        """The key's account, checksummed.

        Raises:
            Unavailable: if the key's keeper doesn't answer, the first time it is asked.
        """
        ...

    def check(self, call: UnsignedCall) -> None:
        """Pass if this signer would sign such a call; the key itself isn't asked.

        Raises:
            SigningDenied: if its policy refuses the call.
        """
        ...

    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signed bytes of a call.

        Raises:
            SigningDenied: if the signer's own policy doesn't know such a call. Nothing was signed.
            SignerBroken: if the signature isn't this address's, now or once before. It signs nothing any more.
            Unavailable: if the key's keeper doesn't answer in time.
        """
        ...

    def sign_levels(self, intent: LevelsIntent) -> str:
        """The signature of new levels for a position, as 65 bytes in 0x-hex.

        Raises:
            SigningDenied: if the signer's own policy refuses them. Nothing was signed.
            SignerBroken: as `sign`.
            Unavailable: as `sign`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """An open as the venue needs to know it."""

    trader: str
    pair_index: int
    direction: Direction
    collateral: Usdc
    leverage: Leverage
    price: Price
    slippage: Percent
    take_profit: Price | None
    stop_loss: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequest:
    """A close as the venue needs to know it."""

    trader: str
    pair_index: int
    venue_index: int
    collateral: Usdc
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketListing:
    """A market in the venue's catalogue. `group` names those that move together; positive funding: longs pay shorts."""

    symbol: str
    group: str
    pair_index: int
    is_listed: bool
    is_open: bool
    is_close_only: bool
    min_notional: Usdc
    min_leverage: Leverage
    max_leverage: Leverage
    open_fee: Percent
    close_fee: Percent
    spread: Percent
    rollover_hourly: Percent
    funding_hourly: Percent
    max_gain: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Whether a delegate may act for a trader, and until when (None: not at all)."""

    is_enabled: bool
    expires_at: datetime | None


class Venue(Protocol):
    """The protocol that trades: encodes what we ask, decodes what it says."""

    emitters: tuple[str, ...]

    def open_call(self, request: OpenRequest, *, sender: str) -> Call:
        """The delegate's call that opens a position."""
        ...

    def close_call(self, request: CloseRequest, *, sender: str) -> Call:
        """The delegate's call that closes a part of a position, or all of it."""
        ...

    def decode(self, log: Log) -> VenueEvent | None:
        """What an event says; None for one that changes neither an order nor a position.

        Raises:
            UnknownEvent: for a topic of an emitter that we don't know.
        """
        ...

    def reason(self, revert: str) -> str:
        """A revert's data or text in the venue's own words."""
        ...

    def funds(self, trader: str, *, chain: Chain) -> tuple[Usdc, Usdc]:
        """A trader's balance, and how much of it the venue may take."""
        ...

    def account_views(self, trader: str, *, delegates: Sequence[str]) -> list[View]:
        """What to ask the chain, beside what the delegates have for gas, to know a trader's money and permissions."""
        ...

    def account(self, seen: Snapshot) -> AccountReading:
        """What the answers to `account_views` say."""
        ...

    def permission(self, trader: str, *, delegate: str, chain: Chain) -> Permission:
        """Whether a delegate may act for a trader now."""
        ...

    def accounts_at(self, traders: Sequence[str], *, pairs: Sequence[int], block_hash: str, chain: Chain) -> list[VenueAccount]:
        """What the venue holds of each trader at one block: positions, orders that wait, balance and allowance.

        Raises:
            Unavailable: if no node has the block, or what it says makes no sense.
        """
        ...

    def refunded(self, trader: str, *, block_number: int, tx_hash: str, chain: Chain) -> Usdc:
        """What a transaction gave back to a trader out of the venue's escrow.

        Raises:
            Unavailable: if no node has the block.
        """
        ...

    def transferred(self, trader: str, *, first: int, last: int, chain: Chain) -> Usdc:
        """What came to a trader, less what went, in a range of blocks by transactions that aren't the venue's.

        Raises:
            Unavailable: if no node has the range.
        """
        ...

    def markets(self) -> list[MarketListing]:
        """The catalogue.

        Raises:
            Unavailable: if the venue doesn't answer, or makes no sense.
        """
        ...

    def set_levels(self, intent: LevelsIntent, *, signature: str) -> None:
        """Hand the venue new levels for a position, signed by its trader's delegate; its event tells when they are set.

        Raises:
            LevelsRefused: if the venue won't.
            Unavailable: if it doesn't answer; what it does then is unknown, and harmless.
        """
        ...


class Wallet(Protocol):
    """A trader's own account, as far as he lets us ask it."""

    address: str

    def grant(self, *, delegate: str, until: datetime, allowance: Usdc) -> None:
        """Let a delegate trade until an instant, and the venue take up to an allowance. Nothing else: never a withdrawal.

        Raises:
            Unavailable: if the wallet or the chain doesn't answer.
        """
        ...
