"""What arrived, when, and whether it got through: the outside view of every send."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from time import monotonic, time

from devnet.faults.transaction import Transaction

LIMIT = 100_000


@dataclass(slots=True, kw_only=True)
class Sight:
    """One transaction's hash, as it came by.

    `seen_at` is Unix time and `seen_monotonic` the system's monotonic clock, both of the first
    arrival, before any fault; `forwarded` counts how often the node behind the faults was given it.
    """

    hash: str
    chain_id: int
    sender: str
    nonce: int
    fee_cap: int
    tip_cap: int
    seen_at: float
    seen_monotonic: float
    seen: int = 0
    forwarded: int = 0


@dataclass(kw_only=True)
class Record:
    """Every hash in the order of its first arrival. Beyond the limit the oldest are let go and counted."""

    limit: int = LIMIT
    forgotten: int = field(default=0, init=False)
    _sights: dict[str, Sight] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def arrived(self, transaction: Transaction) -> None:
        """Note an arrival, whatever becomes of it."""
        with self._lock:
            sight = self._sights.get(transaction.hash) or self._first(transaction)
            sight.seen += 1

    def forwarded(self, transaction: Transaction) -> None:
        """Note that the node gets it."""
        with self._lock:
            if transaction.hash in self._sights:
                self._sights[transaction.hash].forwarded += 1

    def sends(self, wanted: Callable[[Sight], bool] = lambda _: True) -> list[Sight]:
        """What arrived, oldest first."""
        with self._lock:
            return [replace(sight) for sight in self._sights.values() if wanted(sight)]

    def lines(self) -> Iterator[str]:
        """What arrived, a JSON object each."""
        return (json.dumps(asdict(sight)) for sight in self.sends())

    def _first(self, transaction: Transaction) -> Sight:
        if len(self._sights) >= self.limit:
            del self._sights[next(iter(self._sights))]
            self.forgotten += 1
        sight = Sight(
            hash=transaction.hash,
            chain_id=transaction.chain_id,
            sender=transaction.sender,
            nonce=transaction.nonce,
            fee_cap=transaction.fee_cap,
            tip_cap=transaction.tip_cap,
            seen_at=time(),
            seen_monotonic=monotonic(),
        )
        self._sights[transaction.hash] = sight
        return sight
