"""Blocks of the fake chain: filled one transaction at a time, sealed with a hash of all that they say."""

import hashlib
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from execution.domain.chain import Block, Log, ReceiptFacts
from tests.fakes.counter import BUMPED, Counter, Reverted
from tests.fakes.transaction import Transaction
from trading.domain.units import Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the chain made of an address: transactions mined, and wei paid (less what was received)."""

    nonce: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """A transaction in a block. `effect` is the key that it counted, None if it counted none."""

    transaction: Transaction
    receipt: ReceiptFacts
    effect: str | None
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedBlock:
    """A sealed block, and every account after it."""

    header: Block
    inclusions: tuple[Inclusion, ...]
    accounts: Mapping[str, Account]

    def account(self, address: str) -> Account:
        """An address after this block."""
        return self.accounts.get(address.lower(), Account())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A transaction that ran: its gas, whether it went through, what it counted, and its event's place in the block."""

    transaction: Transaction
    gas_used: int
    is_success: bool
    effect: str | None
    count: int
    log_index: int


class Draft:
    """A block that is being filled. `counts` is how often each key is counted before it."""

    def __init__(
        self,
        parent: MinedBlock,
        *,
        base_fee: int,
        gas_limit: int,
        counter: Counter,
        counts: Mapping[str, int],
        funds: Mapping[str, int],
    ) -> None:
        self._parent = parent
        self.base_fee = base_fee
        self._gas_left = gas_limit
        self._counter = counter
        self._counts = counts
        self._funds = funds
        self._accounts = dict(parent.accounts)
        self._runs: list[_Run] = []
        self._fresh: Tally[str] = Tally()
        self._events = 0

    def nonce(self, address: str) -> int:
        """An address's next nonce, after what is in the block so far."""
        return self._account(address).nonce

    def takes(self, transaction: Transaction) -> bool:
        """Whether a transaction can be the block's next one."""
        account = self._account(transaction.sender)
        return (
            transaction.nonce == account.nonce
            and transaction.fee_cap >= self.base_fee
            and transaction.gas_limit <= self._gas_left
            and transaction.cost <= self._funds.get(transaction.sender, 0) - account.spent
        )

    def add(self, transaction: Transaction) -> None:
        """Run a transaction as the block's next one."""
        run = self._run(transaction)
        self._runs.append(run)
        self._gas_left -= run.gas_used
        if run.effect is not None:
            self._fresh[run.effect] += 1
            self._events += 1
        self._pay(transaction, run)

    def seal(self, *, mined_at: datetime, fork: int) -> MinedBlock:
        """The finished block. Blocks of different forks differ, even if they hold the same."""
        header = self._header(mined_at, fork)
        inclusions = tuple(self._inclusion(run, header) for run in self._runs)
        return MinedBlock(header=header, inclusions=inclusions, accounts=self._accounts if self._runs else self._parent.accounts)

    def _account(self, address: str) -> Account:
        return self._accounts.get(address, Account())

    def _run(self, transaction: Transaction) -> _Run:
        gas = self._counter.gas(transaction.target, transaction.data)
        is_success, effect = self._outcome(transaction) if gas <= transaction.gas_limit else (False, None)
        return _Run(
            transaction=transaction,
            gas_used=min(gas, transaction.gas_limit),
            is_success=is_success,
            effect=effect,
            count=self._counts.get(effect, 0) + self._fresh[effect] + 1 if effect is not None else 0,
            log_index=self._events,
        )

    def _outcome(self, transaction: Transaction) -> tuple[bool, str | None]:
        try:
            return True, self._counter.effect(transaction.target, transaction.data)
        except Reverted:
            return False, None

    def _pay(self, transaction: Transaction, run: _Run) -> None:
        sender, value = transaction.sender, transaction.value if run.is_success else 0
        paid = run.gas_used * self._price(transaction) + value
        account = self._account(sender)
        self._accounts[sender] = Account(nonce=account.nonce + 1, spent=account.spent + paid)
        if value:
            receiver = self._account(transaction.target)
            self._accounts[transaction.target] = Account(nonce=receiver.nonce, spent=receiver.spent - value)

    def _price(self, transaction: Transaction) -> int:
        return self.base_fee + transaction.tip_at(self.base_fee)

    def _header(self, mined_at: datetime, fork: int) -> Block:
        parent = self._parent.header
        said = [parent.number + 1, parent.hash, self.base_fee, int(mined_at.timestamp()), fork]
        content = "|".join(map(str, [*said, *(run.transaction.tx_hash for run in self._runs)]))
        return Block(
            number=parent.number + 1,
            hash="0x" + hashlib.sha256(content.encode()).hexdigest(),
            parent_hash=parent.hash,
            mined_at=mined_at.replace(microsecond=0),
            base_fee=Wei(self.base_fee),
        )

    def _inclusion(self, run: _Run, header: Block) -> Inclusion:
        receipt = ReceiptFacts(
            tx_hash=run.transaction.tx_hash,
            block_number=header.number,
            block_hash=header.hash,
            is_success=run.is_success,
            gas_used=run.gas_used,
            gas_price=Wei(self._price(run.transaction)),
            l1_fee=Wei.zero(),
        )
        return Inclusion(transaction=run.transaction, receipt=receipt, effect=run.effect, logs=self._logs(run, header))

    def _logs(self, run: _Run, header: Block) -> tuple[Log, ...]:
        if run.effect is None:
            return ()
        log = Log(
            address=self._counter.address,
            topics=(BUMPED, run.effect),
            data=f"0x{run.count:064x}",
            block_number=header.number,
            block_hash=header.hash,
            tx_hash=run.transaction.tx_hash,
            log_index=run.log_index,
        )
        return (log,)


class View:
    """The chain as one node has it: its blocks from the first up to its head."""

    def __init__(self, blocks: Sequence[MinedBlock], *, height: int, inclusions: Mapping[str, Sequence[Inclusion]]) -> None:
        self._blocks = blocks
        self._height = height
        self._inclusions = inclusions

    @property
    def head(self) -> MinedBlock:
        """Its newest block."""
        return self._blocks[self._height]

    def block(self, number: int) -> MinedBlock | None:
        """The block of a number, None if it has none."""
        return self._blocks[number] if 0 <= number <= self._height else None

    def find(self, block_hash: str) -> MinedBlock | None:
        """The block of a hash, None if it has none."""
        # From the newest: what is asked for is nearly always near the head.
        return next((block for block in self._down() if block.header.hash == block_hash), None)

    def has(self, *, number: int, block_hash: str) -> bool:
        """Whether the block of a number has this hash."""
        block = self.block(number)
        return block is not None and block.header.hash == block_hash

    def receipt(self, tx_hash: str) -> ReceiptFacts | None:
        """A transaction's receipt, None if it isn't in a block."""
        receipts = (inclusion.receipt for inclusion in self._inclusions.get(tx_hash, ()))
        return next((found for found in receipts if self.has(number=found.block_number, block_hash=found.block_hash)), None)

    def count(self, key: str) -> int:
        """How often a key is counted."""
        return sum(inclusion.effect == key for block in self._down() for inclusion in block.inclusions)

    def _down(self) -> Iterator[MinedBlock]:
        return (self._blocks[number] for number in range(self._height, -1, -1))
