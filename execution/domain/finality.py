"""What may be concluded for good: never on one node's word.

Mined moves business on and can be taken back. Final, reverted, canceled and "used by something foreign"
can't: two nodes must say the same, or, where only one is configured, the chain must be finalized there and
the same be seen twice, two blocks apart.
"""

from collections.abc import Sequence

from execution.domain.chain import Heads, ReceiptFacts, Testimony

WITNESSES = 2
# A single node is believed when it repeats itself this many blocks later.
REPEAT_AFTER_BLOCKS = 2


def final_height(heads: Heads, *, depth: int) -> int:
    """The highest block that counts as final: by the chain's own tag, or `depth` blocks below the head if that isn't zero."""
    return heads.latest.number - depth if depth else heads.finalized


def vouched(testimonies: Sequence[Testimony], *, at: int, receipt: ReceiptFacts) -> int:
    """How many nodes hold the receipt at this place of what was asked, in the same block and with the same outcome."""
    same = (receipt.tx_hash, receipt.block_hash, receipt.is_success)
    said = (testimony.receipts[at] for testimony in testimonies)
    return sum((found.tx_hash, found.block_hash, found.is_success) == same for found in said if found is not None)


def foreign_use(testimonies: Sequence[Testimony], *, places: Sequence[int], nonce: int) -> int:
    """How many nodes have mined this nonce, and none of our transactions at these places for it.

    Nobody, if any node holds one of them.
    """
    if any(testimony.receipts[at] is not None for testimony in testimonies for at in places):
        return 0
    return sum(testimony.mined > nonce for testimony in testimonies)


def is_proven(witnesses: int, *, endpoints: int, said_at: int | None, head: int) -> bool:
    """Whether so many nodes' word is enough. `said_at` is the head at which a single node said the same before; None: never."""
    if endpoints >= WITNESSES:
        return witnesses >= WITNESSES
    return witnesses == 1 and said_at is not None and head >= said_at + REPEAT_AFTER_BLOCKS
