"""What waits to be mined, by geth's rules and in geth's words."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.fakes.transaction import Transaction, intrinsic_gas

# What a node keeps of one account: executable ones (reth refuses the next, geth drops from here when it is full),
# those behind a gap, and those of an account that carries EIP-7702 code.
EXECUTABLE_SLOTS = 16
QUEUED_SLOTS = 64
# The chain's cap for one transaction (EIP-7825: 2^24).
TRANSACTION_GAS_CAP = 16_777_216
# A replacement offers a tenth more on both fields.
BUMP_PERCENT = 110


class Refused(Exception):
    """A node doesn't take a transaction; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What the newest block says of a sender."""

    nonce: int
    balance: int
    is_delegated: bool


def check_content(transaction: Transaction, *, chain_id: int, block_gas_limit: int) -> None:
    """Pass what could be mined by some account at some time.

    Raises:
        Refused: for anything else.
    """
    needed = intrinsic_gas(transaction.data)
    if transaction.chain_id != chain_id:
        raise Refused(f"invalid sender: invalid chain id for signer: have {transaction.chain_id} want {chain_id}")
    if transaction.gas_limit > block_gas_limit:
        raise Refused("exceeds block gas limit")
    if transaction.gas_limit > TRANSACTION_GAS_CAP:
        raise Refused(f"transaction gas limit too high (cap: {TRANSACTION_GAS_CAP}, tx: {transaction.gas_limit})")
    if transaction.tip_cap > transaction.fee_cap:
        raise Refused("max priority fee per gas higher than max fee per gas")
    if transaction.gas_limit < needed:
        raise Refused(f"intrinsic gas too low: gas {transaction.gas_limit}, minimum needed {needed}")


class Pool:
    """One transaction for each nonce of a sender, executable or behind a gap."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, Transaction]] = {}
        self._turns: dict[str, int] = {}
        self._arrived = 0

    def __iter__(self) -> Iterator[Transaction]:
        for waiting in self._waiting.values():
            yield from waiting.values()

    def __contains__(self, tx_hash: str) -> bool:
        return tx_hash in self._turns

    def senders(self) -> list[str]:
        """Everybody of whom something waits."""
        return [sender for sender, waiting in self._waiting.items() if waiting]

    def at(self, sender: str, nonce: int) -> Transaction | None:
        """What waits on a nonce."""
        return self._waiting.get(sender, {}).get(nonce)

    def executable(self, sender: str, *, nonce: int) -> list[Transaction]:
        """A sender's transactions without a gap, from its next nonce on."""
        found: list[Transaction] = []
        while (transaction := self.at(sender, nonce + len(found))) is not None:
            found.append(transaction)
        return found

    def turn(self, transaction: Transaction) -> int:
        """Its place among all that came; the earlier one goes first at the same tip."""
        return self._turns[transaction.tx_hash]

    def admit(self, transaction: Transaction, *, sender: Sender) -> None:
        """Take a transaction that came over the wire.

        Raises:
            Refused: if geth would refuse it.
        """
        sibling = self.at(transaction.sender, transaction.nonce)
        if transaction.tx_hash in self:
            raise Refused("already known")
        if transaction.nonce < sender.nonce:
            raise Refused(f"nonce too low: next nonce {sender.nonce}, tx nonce {transaction.nonce}")
        self._check_funds(transaction, sibling, sender)
        if sibling is None:
            self._check_room(transaction, sender)
        elif not _outbids(transaction, sibling):
            raise Refused("replacement transaction underpriced")
        self._put(transaction)

    def restore(self, transaction: Transaction) -> None:
        """Take back what was in a block that is gone; what waits on its nonce stays, unless it is outbid."""
        sibling = self.at(transaction.sender, transaction.nonce)
        if sibling is None or _outbids(transaction, sibling):
            self._put(transaction)

    def drop(self, tx_hash: str) -> None:
        """Forget one, as a full pool or a restart does. What comes after it waits behind the gap."""
        found = next((transaction for transaction in self if transaction.tx_hash == tx_hash), None)
        if found is not None:
            self._remove(found)

    def advance(self, sender: str, *, nonce: int) -> None:
        """Forget what stands on nonces that are used up."""
        for used in [each for each in self._waiting.get(sender, {}) if each < nonce]:
            self._remove(self._waiting[sender][used])

    def _check_funds(self, transaction: Transaction, sibling: Transaction | None, sender: Sender) -> None:
        others = sum(each.cost for each in self.executable(transaction.sender, nonce=sender.nonce) if each is not sibling)
        overshot = others + transaction.cost - sender.balance
        if overshot > 0:
            raise Refused(
                f"insufficient funds for gas * price + value: balance {sender.balance}, "
                f"queued cost {others}, tx cost {transaction.cost}, overshot {overshot}"
            )

    def _check_room(self, transaction: Transaction, sender: Sender) -> None:
        executable = len(self.executable(transaction.sender, nonce=sender.nonce))
        is_gapped = transaction.nonce > sender.nonce + executable
        if sender.is_delegated and executable:
            raise Refused("in-flight transaction limit reached for delegated accounts")
        if sender.is_delegated and is_gapped:
            raise Refused("gapped-nonce tx from delegated accounts")
        queued = len(self._waiting.get(transaction.sender, {})) - executable
        if (queued >= QUEUED_SLOTS) if is_gapped else (executable >= EXECUTABLE_SLOTS):
            raise Refused("txpool is full")

    def _put(self, transaction: Transaction) -> None:
        waiting = self._waiting.setdefault(transaction.sender, {})
        if transaction.nonce in waiting:
            self._remove(waiting[transaction.nonce])
        waiting[transaction.nonce] = transaction
        self._arrived += 1
        self._turns[transaction.tx_hash] = self._arrived

    def _remove(self, transaction: Transaction) -> None:
        del self._waiting[transaction.sender][transaction.nonce]
        del self._turns[transaction.tx_hash]


def _outbids(transaction: Transaction, sibling: Transaction) -> bool:
    return _is_raised(transaction.fee_cap, sibling.fee_cap) and _is_raised(transaction.tip_cap, sibling.tip_cap)


def _is_raised(offered: int, before: int) -> bool:
    return offered > before and offered >= before * BUMP_PERCENT // 100
