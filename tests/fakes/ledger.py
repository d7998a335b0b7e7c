"""The chain that all fake endpoints look at: accounts, a pool, blocks, reorganizations, effects.

One process, no threads, nothing random: the same calls make the same hashes. Its time moves only by
`mine` and `wait`.
"""

import heapq
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from eth_utils import to_checksum_address

from execution.domain.chain import Block
from execution.domain.fees import FeeQuote
from tests.fakes import transaction as transactions
from tests.fakes.blocks import Draft, Inclusion, MinedBlock, View
from tests.fakes.counter import CODE, Counter
from tests.fakes.pool import Pool, Refused, Sender, check_content
from tests.fakes.transaction import Malformed, Transaction
from trading.domain.units import Wei

CHAIN_ID = 31_337
COUNTER = str(to_checksum_address("0x" + "c0" * 20))
STARTED_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
GWEI = 10**9

Arrival = Callable[[str, str], None]


class Ledger:
    """What really is, whatever endpoints say of it. Tests hold it in their hands; the desk never does.

    `on_arrival` is told the bytes and the hash of everything that reaches a node, before the node reads it;
    what it raises stops the test. `arrivals` is when each hash came first.
    """

    def __init__(self, *, chain_id: int = CHAIN_ID, on_arrival: Arrival | None = None) -> None:
        self.chain_id = chain_id
        self.time = STARTED_AT
        self.block_span = timedelta(seconds=2)
        self.base_fee = GWEI
        self.tip = GWEI // 100
        self.block_gas_limit = 60_000_000
        self.safe_depth, self.final_depth = 32, 64
        self.counter = Counter(address=COUNTER.lower())
        self.on_arrival = on_arrival
        self.arrivals: dict[str, datetime] = {}
        self.pool = Pool()
        self._seen: dict[str, Transaction] = {}
        self._funds: Tally[str] = Tally()
        self._codes: dict[str, str] = {COUNTER.lower(): CODE}
        self._counts: Tally[str] = Tally()
        self._inclusions: defaultdict[str, list[Inclusion]] = defaultdict(list)
        self._fork = 0
        self._blocks = [_genesis(self.time, base_fee=self.base_fee)]

    def wait(self, seconds: float) -> None:
        """Let time go by without a block."""
        self.time += timedelta(seconds=seconds)

    def mine(self, blocks: int = 1) -> None:
        """Make blocks of what waits: the best tip first, each sender in the order of its nonces."""
        for _ in range(blocks):
            self.time += self.block_span
            draft = self._draft(base_fee=self.base_fee)
            self._fill(draft)
            self._append(draft, mined_at=self.time)

    def mine_only(self, tx_hashes: Sequence[str]) -> list[str]:
        """Make one block of these, as far as they fit, and return them.

        Whatever a node once took can be mined, also what was replaced or dropped: some other node may have kept it.
        """
        self.time += self.block_span
        draft = self._draft(base_fee=self.base_fee)
        mined = self._add_seen(draft, tx_hashes)
        self._append(draft, mined_at=self.time)
        return mined

    def reorg(self, depth: int, *, returns: bool, moves: Sequence[tuple[str, int]] = ()) -> None:
        """Replace the newest blocks by as many others.

        `moves` says what is mined in them: the hash of something that a node once took, and in which one (0 is the lowest).
        The rest goes back to the pool if it `returns`; else no node has it anymore.
        """
        if not 0 < depth <= self.head.number:
            raise ValueError(f"{self.head.number} blocks can be replaced, not {depth}")
        gone = self._cut(depth)
        self._fork += 1
        for place, old in enumerate(gone):
            draft = self._draft(base_fee=old.header.base_fee.raw)
            self._add_seen(draft, [tx_hash for tx_hash, offset in moves if offset == place])
            self._append(draft, mined_at=old.header.mined_at)
        if returns:
            self._restore(gone)

    def set_balance(self, address: str, wei: int) -> None:
        """Let an address have so much now; no reorganization takes it away."""
        self._funds[address.lower()] = wei + self._blocks[-1].account(address).spent

    def set_code(self, address: str, code: str) -> None:
        """Let an address carry code."""
        self._codes[address.lower()] = code

    def drop(self, tx_hash: str) -> None:
        """Let every node forget what waits."""
        self.pool.drop(tx_hash)

    def take(self, raw: str) -> Transaction:
        """Bytes reach a node.

        Raises:
            Refused: if it doesn't take them.
        """
        tx_hash = transactions.hash_of(raw)
        if self.on_arrival is not None:
            self.on_arrival(raw, tx_hash)
        self.arrivals.setdefault(tx_hash, self.time)
        transaction = _read(raw)
        check_content(transaction, chain_id=self.chain_id, block_gas_limit=self.block_gas_limit)
        self.pool.admit(transaction, sender=self._sender(transaction.sender))
        self._seen[tx_hash] = transaction
        return transaction

    def now(self) -> datetime:
        """The chain's time, as a clock."""
        return self.time

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._blocks[-1].header

    def effects(self) -> Tally[str]:
        """How often each key is counted on the canonical chain."""
        return Tally({key: count for key, count in self._counts.items() if count})

    def mined(self) -> Iterator[Inclusion]:
        """Every transaction of the canonical chain, in its order."""
        return (inclusion for block in self._blocks for inclusion in block.inclusions)

    def nonce(self, address: str) -> int:
        """How many transactions of an address are mined."""
        return self._blocks[-1].account(address).nonce

    def view(self, *, behind: int = 0) -> View:
        """The chain up to some blocks below its head, until the next block."""
        return View(self._blocks, height=max(len(self._blocks) - 1 - behind, 0), inclusions=self._inclusions)

    def picture(self) -> View:
        """The chain as it is now, for ever."""
        blocks = tuple(self._blocks)
        return View(blocks, height=len(blocks) - 1, inclusions=self._inclusions)

    def balance(self, address: str, *, view: View) -> int:
        """What an address has."""
        return self._funds[address.lower()] - view.head.account(address).spent

    def code(self, address: str) -> str:
        """An address's code."""
        return self._codes.get(address.lower(), "0x")

    def quote(self, view: View) -> FeeQuote:
        """What the block after a view's head asks, or asked."""
        following = self.view().block(view.head.header.number + 1)
        base_fee = following.header.base_fee if following else Wei(self.base_fee)
        return FeeQuote(base_fee=base_fee, tip=Wei(self.tip))

    def _sender(self, address: str) -> Sender:
        return Sender(
            nonce=self.nonce(address),
            balance=self.balance(address, view=self.view()),
            is_delegated=self.code(address).startswith("0xef0100"),
        )

    def _draft(self, *, base_fee: int) -> Draft:
        return Draft(
            self._blocks[-1],
            base_fee=base_fee,
            gas_limit=self.block_gas_limit,
            counter=self.counter,
            counts=self._counts,
            funds=self._funds,
        )

    def _fill(self, draft: Draft) -> None:
        firsts = (self.pool.at(sender, draft.nonce(sender)) for sender in self.pool.senders())
        ranked = [self._rank(first, draft) for first in firsts if first is not None]
        heapq.heapify(ranked)
        while ranked:
            *_, transaction = heapq.heappop(ranked)
            # One that doesn't fit keeps its sender's later ones waiting too.
            if not draft.takes(transaction):
                continue
            draft.add(transaction)
            following = self.pool.at(transaction.sender, transaction.nonce + 1)
            if following is not None:
                heapq.heappush(ranked, self._rank(following, draft))

    def _rank(self, transaction: Transaction, draft: Draft) -> tuple[int, int, Transaction]:
        return -transaction.tip_at(draft.base_fee), self.pool.turn(transaction), transaction

    def _add_seen(self, draft: Draft, tx_hashes: Sequence[str]) -> list[str]:
        mined = []
        for tx_hash in tx_hashes:
            transaction = self._seen.get(tx_hash)
            if transaction is not None and draft.takes(transaction):
                draft.add(transaction)
                mined.append(tx_hash)
        return mined

    def _append(self, draft: Draft, *, mined_at: datetime) -> None:
        block = draft.seal(mined_at=mined_at, fork=self._fork)
        self._blocks.append(block)
        for inclusion in block.inclusions:
            self._inclusions[inclusion.transaction.tx_hash].append(inclusion)
            self._count(inclusion, 1)
            self.pool.advance(inclusion.transaction.sender, nonce=self.nonce(inclusion.transaction.sender))

    def _cut(self, depth: int) -> list[MinedBlock]:
        gone = self._blocks[-depth:]
        del self._blocks[-depth:]
        for inclusion in (inclusion for block in gone for inclusion in block.inclusions):
            self._count(inclusion, -1)
        return gone

    def _count(self, inclusion: Inclusion, change: int) -> None:
        if inclusion.effect is not None:
            self._counts[inclusion.effect] += change

    def _restore(self, gone: Sequence[MinedBlock]) -> None:
        for transaction in (inclusion.transaction for block in gone for inclusion in block.inclusions):
            if transaction.nonce >= self.nonce(transaction.sender):
                self.pool.restore(transaction)


def _genesis(at: datetime, *, base_fee: int) -> MinedBlock:
    header = Block(number=0, hash="0x" + "9e" * 32, parent_hash="0x" + "00" * 32, mined_at=at, base_fee=Wei(base_fee))
    return MinedBlock(header=header, inclusions=(), accounts={})


def _read(raw: str) -> Transaction:
    try:
        return transactions.read(raw)
    except Malformed as error:
        raise Refused(str(error)) from None
