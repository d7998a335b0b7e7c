"""A mempool as strict as those of real nodes, in front of anvil's, which is laxer and forgets."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address

from devnet.faults import phrases
from devnet.faults.pool import Account, Entry, Pool, State
from devnet.faults.transaction import Transaction
from devnet.faults.upstream import Json, Upstream

# As many blocks as anvil keeps: a transaction that lies deeper is never reorganized away.
WATCHED_BLOCKS = 128
_DELEGATION = "0xef0100"


@dataclass(kw_only=True)
class Mempool:
    """One node's pool. What it took stays until it is mined, replaced or dropped on purpose.

    It knows what came through it; what others gave anvil directly, only anvil judges.
    """

    upstream: Upstream
    pool: Pool = field(default_factory=Pool)
    returns_reorged: bool = True
    _head: tuple[int, str] | None = field(default=None, init=False)
    # One offer at a time, and never beside a tending: rules are checked against what anvil has now.
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    @property
    def is_holding(self) -> bool:
        """Whether it answers for any unmined transaction."""
        return bool(self.pool.unmined)

    def offer(self, transaction: Transaction) -> Json:
        """The node's answer to signed bytes: a `result` or an `error`."""
        with self._lock:
            account = self._account(transaction.sender)
            return self.pool.refusal(transaction, account) or self._taken(transaction)

    def entries(self) -> list[tuple[Transaction, State]]:
        """What the node answers for, unmined ones first, in the order of sender and nonce."""
        with self._lock:
            unmined = sorted(self.pool.unmined.values(), key=lambda entry: entry.transaction.place)
            return [(entry.transaction, entry.state) for entry in (*unmined, *self.pool.mined.values())]

    def corrected(self, request: Json, answer: Json) -> Json:
        """Anvil's answer about transactions, with those that only we hold."""
        match request:
            case {"method": "eth_getTransactionByHash", "params": [tx_hash]} if answer.get("result", "") is None:
                return {"result": self._shown(tx_hash)}
            case {"method": "eth_getTransactionCount", "params": [sender, "pending"]} if "result" in answer:
                return {"result": self._pending_count(sender, answer["result"])}
        return answer

    def drop(self, tx_hash: str) -> None:
        """Forget a transaction on purpose, as a node does that is full or was started again."""
        with self._lock:
            found = self.pool.find(tx_hash)
            if found is not None:
                self.pool.forget(found.transaction)
            self.upstream.ask(("anvil_dropTransaction", [tx_hash]))
            self.tend()

    def forget_all(self) -> None:
        """Forget every transaction, mined ones too, without a word to anvil."""
        with self._lock:
            self.pool.unmined.clear()
            self.pool.mined.clear()

    def tend(self) -> None:
        """Look what became of everything, and give anvil again what it lost and would take now."""
        with self._lock:
            self._undo_if_reorged()
            self._follow(list(self.pool.unmined.values()))
            self._inject()

    def glance(self) -> None:
        """The same, but cheap while no block came: only what we hold is offered."""
        with self._lock:
            if self._head is None or not self.pool:
                return
            (latest,) = self.upstream.ask(("eth_getBlockByNumber", ["latest", False]))
            if latest["hash"] == self._head[1]:
                self._inject()
            else:
                self.tend()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self.upstream.close()

    def _account(self, sender: str) -> Account:
        count, code, latest = self.upstream.ask(
            ("eth_getTransactionCount", [sender, "latest"]),
            ("eth_getCode", [sender, "latest"]),
            ("eth_getBlockByNumber", ["latest", False]),
        )
        # The first head that we know: what is mined after it can be seen to vanish.
        self._head = self._head or _name(latest)
        return Account(next_nonce=int(count, 16), is_delegated=code.startswith(_DELEGATION))

    def _taken(self, transaction: Transaction) -> Json:
        answer = self._given(transaction)
        if "result" in answer:
            self.pool.keep(transaction, State.POOLED)
            return answer
        if phrases.is_held(answer):
            return self._held(transaction)
        if phrases.is_known(answer):
            self.pool.keep(transaction, State.POOLED)
            return phrases.error(phrases.ALREADY_KNOWN)
        if phrases.is_too_low(answer):
            return phrases.nonce_too_low(transaction, next_nonce=self._account(transaction.sender).next_nonce)
        return phrases.of_geth(answer)

    def _given(self, transaction: Transaction) -> Json:
        (answer,) = self.upstream.answers([_send(transaction)])
        return answer

    def _held(self, transaction: Transaction) -> Json:
        replaced = self.pool.keep(transaction, State.HELD)
        if replaced is not None:
            # Else anvil would mine the old one, should the base fee fall before its next block. It
            # drops the later nonces with it: tending gives those back.
            self.upstream.ask(("anvil_dropTransaction", [replaced.hash]))
            self.tend()
        return {"result": transaction.hash}

    def _shown(self, tx_hash: str) -> Json | None:
        with self._lock:
            found = self.pool.find(tx_hash)
            return None if found is None else _as_pending(found.transaction)

    def _pending_count(self, sender: str, counted: str) -> str:
        with self._lock:
            more = self.pool.executable(to_checksum_address(sender), next_nonce=int(counted, 16))
            return hex(int(counted, 16) + more)

    def _undo_if_reorged(self) -> None:
        if self._head is None:
            return
        latest, same = self.upstream.ask(*(("eth_getBlockByNumber", [each, False]) for each in ("latest", hex(self._head[0]))))
        is_reorged = same is None or same["hash"] != self._head[1]
        self._head = _name(latest)
        self.pool.forget_mined_before(self._head[0] - WATCHED_BLOCKS)
        if is_reorged:
            self._follow(list(self.pool.mined.values()))

    def _follow(self, entries: Sequence[Entry]) -> None:
        """Learn where each is now: in a block, in anvil's pool, or nowhere."""
        senders = list({entry.transaction.sender for entry in entries})
        counts = self.upstream.ask(*(("eth_getTransactionCount", [sender, "latest"]) for sender in senders))
        found = self.upstream.ask(*(("eth_getTransactionByHash", [entry.transaction.hash]) for entry in entries))
        next_nonces = {sender: int(count, 16) for sender, count in zip(senders, counts, strict=True)}
        for entry, seen in zip(entries, found, strict=True):
            self._place(entry, seen, next_nonce=next_nonces[entry.transaction.sender])

    def _place(self, entry: Entry, seen: Any, *, next_nonce: int) -> None:
        transaction = entry.transaction
        if seen is not None and seen["blockNumber"] is not None:
            self.pool.settle(entry, block=int(seen["blockNumber"], 16))
            return
        is_lost = entry.state is State.MINED and not self.returns_reorged
        self.pool.forget(transaction)
        if transaction.nonce >= next_nonce and transaction.place not in self.pool.unmined and not is_lost:
            self.pool.keep(transaction, State.HELD if seen is None else State.POOLED)

    def _inject(self) -> None:
        held = self.pool.held()
        answers = self.upstream.answers([_send(entry.transaction) for entry in held])
        for entry, answer in zip(held, answers, strict=True):
            if "result" in answer or phrases.is_known(answer):
                entry.state = State.POOLED


def _send(transaction: Transaction) -> Json:
    return {"method": "eth_sendRawTransaction", "params": [transaction.raw]}


def _name(block: Any) -> tuple[int, str]:
    return int(block["number"], 16), block["hash"]


def _as_pending(transaction: Transaction) -> Json:
    return {
        "hash": transaction.hash,
        "type": "0x2",
        "chainId": hex(transaction.chain_id),
        "from": transaction.sender.lower(),
        "nonce": hex(transaction.nonce),
        "maxFeePerGas": hex(transaction.fee_cap),
        "maxPriorityFeePerGas": hex(transaction.tip_cap),
        **dict.fromkeys(("blockHash", "blockNumber", "transactionIndex")),
    }
