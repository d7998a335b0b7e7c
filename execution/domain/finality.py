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


def holders(testimonies: Sequence[Testimony], *, at: int, receipt: ReceiptFacts) -> list[Testimony]:
    """The nodes that hold the receipt at this place of what was asked, in the same block and with the same outcome."""
    same = _identity(receipt)
    return [said for said in testimonies if (found := said.receipts[at]) is not None and _identity(found) == same]


def vouched(testimonies: Sequence[Testimony], *, at: int, receipt: ReceiptFacts, depth: int) -> int:
    """How many of its holders call the receipt's block final themselves: one node's haste is nobody else's word."""
    held = holders(testimonies, at=at, receipt=receipt)
    return sum(receipt.block_number <= (said.head - depth if depth else said.finalized) for said in held)


def _identity(receipt: ReceiptFacts) -> tuple[str, str, bool]:
    return receipt.tx_hash, receipt.block_hash, receipt.is_success


def foreign_use(testimonies: Sequence[Testimony], *, places: Sequence[int], nonce: int, since: int, endpoints: int) -> int:
    """How many nodes have mined this nonce, and none of our transactions at these places for it.

    Only those count whose safe head (a single node's finalized one) has passed the block `since` which it was doubted:
    younger, what used the nonce could still be reorganized out. Nobody, if any node holds one of ours.
    """
    if any(said.receipts[at] is not None for said in testimonies for at in places):
        return 0
    heights = ((said, said.safe if endpoints >= WITNESSES else said.finalized) for said in testimonies)
    return sum(said.mined > nonce and height >= since for said, height in heights)


def is_proven(witnesses: int, *, endpoints: int, said_at: int | None, head: int) -> bool:
    """Whether so many nodes' word is enough. `said_at` is the head at which a single node said the same before; None: never."""
    if endpoints >= WITNESSES:
        return witnesses >= WITNESSES
    return witnesses == 1 and said_at is not None and head >= said_at + REPEAT_AFTER_BLOCKS
