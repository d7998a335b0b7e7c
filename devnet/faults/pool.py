"""What a strict node holds and refuses: the rules of its mempool, without the chain."""

from dataclasses import dataclass, field
from enum import StrEnum

from devnet.faults import phrases
from devnet.faults.transaction import Transaction
from devnet.faults.upstream import Json

ACCOUNT_SLOTS = 16
# A replacement offers at least so much of the old one, in both fields (geth's `--txpool.pricebump`).
REPLACEMENT_PERCENT = 110


class State(StrEnum):
    """Where bytes that the node took are."""

    POOLED = "pooled"  # in anvil's pool
    HELD = "held"  # with us only: anvil wouldn't take them now
    MINED = "mined"  # in a block, which a reorganization may undo


@dataclass(slots=True, kw_only=True)
class Entry:
    """Bytes that the node answers for; `block` is their block's number once they are mined."""

    transaction: Transaction
    state: State
    block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the chain says of a sender now."""

    next_nonce: int
    is_delegated: bool


@dataclass(kw_only=True)
class Pool:
    """Unmined transactions by their place, and mined ones as long as they may come back."""

    account_slots: int = ACCOUNT_SLOTS
    unmined: dict[tuple[str, int], Entry] = field(default_factory=dict)
    mined: dict[str, Entry] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.unmined or self.mined)

    def refusal(self, offer: Transaction, account: Account) -> Json | None:
        """Why an offer isn't taken, in geth's words; None if nothing speaks against it."""
        # Before the look at what is known: a block may have taken it since the pool was tended.
        if offer.nonce < account.next_nonce:
            return phrases.nonce_too_low(offer, next_nonce=account.next_nonce)
        sibling = self.unmined.get(offer.place)
        if sibling is not None and sibling.transaction.hash == offer.hash:
            return phrases.error(phrases.ALREADY_KNOWN)
        if sibling is None:
            return self._no_slot(offer, account)
        return None if outbids(offer, sibling.transaction) else phrases.error(phrases.REPLACEMENT_UNDERPRICED)

    def executable(self, sender: str, *, next_nonce: int) -> int:
        """How many transactions of a sender follow each other without a gap."""
        count = 0
        while (sender, next_nonce + count) in self.unmined:
            count += 1
        return count

    def keep(self, transaction: Transaction, state: State) -> Transaction | None:
        """Take a transaction. The answer is the one that it replaces."""
        replaced = self.unmined.get(transaction.place)
        self.unmined[transaction.place] = Entry(transaction=transaction, state=state)
        return replaced.transaction if replaced else None

    def settle(self, entry: Entry, *, block: int) -> None:
        """Note that a transaction is mined."""
        self.unmined.pop(entry.transaction.place, None)
        entry.state, entry.block = State.MINED, block
        self.mined[entry.transaction.hash] = entry

    def forget(self, transaction: Transaction) -> None:
        """Let a transaction go, and no other in its place."""
        self.mined.pop(transaction.hash, None)
        kept = self.unmined.get(transaction.place)
        if kept is not None and kept.transaction.hash == transaction.hash:
            del self.unmined[transaction.place]

    def find(self, tx_hash: str) -> Entry | None:
        """What is known under a hash and not mined."""
        return next((entry for entry in self.unmined.values() if entry.transaction.hash == tx_hash), None)

    def forget_mined_before(self, block: int) -> None:
        """Let go of what lies too deep to come back."""
        self.mined = {tx_hash: entry for tx_hash, entry in self.mined.items() if entry.block >= block}

    def held(self) -> list[Entry]:
        """What only we have, in the order in which it must be offered."""
        found = [entry for entry in self.unmined.values() if entry.state is State.HELD]
        return sorted(found, key=lambda entry: entry.transaction.place)

    def _no_slot(self, offer: Transaction, account: Account) -> Json | None:
        pending = self.executable(offer.sender, next_nonce=account.next_nonce)
        if account.is_delegated and pending:
            return phrases.error(phrases.DELEGATED_LIMIT)
        is_gapped = offer.nonce > account.next_nonce + pending
        if is_gapped:
            return phrases.error(phrases.DELEGATED_GAP) if account.is_delegated else None
        return phrases.error(phrases.POOL_FULL) if pending >= self.account_slots else None


def outbids(offer: Transaction, old: Transaction) -> bool:
    """Whether an offer may replace another: in both fields more, and at least a tenth more."""
    pairs = ((offer.fee_cap, old.fee_cap), (offer.tip_cap, old.tip_cap))
    return all(new > before and new * 100 >= before * REPLACEMENT_PERCENT for new, before in pairs)
