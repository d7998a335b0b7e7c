"""How many of a sender's transactions may be in flight: found out, as TCP finds a line's width.

A node takes only so many of one account (geth: 16 that are executable, 1 if the account carries
EIP-7702 code), and says so by refusing. The window doubles until a first refusal, then grows by one.
"""

from dataclasses import dataclass

FIRST_SIZE = 16
# A node keeps one transaction in flight for an account with delegated code.
DELEGATED_SIZE = 1
# What the code of such an account begins with (EIP-7702).
DELEGATED_CODE = "0xef0100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`size` may be in flight; below `threshold` the size doubles, above it grows by one."""

    size: int
    threshold: int


def first(code: str, *, limit: int) -> Window:
    """A new sender's window, by the code of its account."""
    size = DELEGATED_SIZE if code.lower().startswith(DELEGATED_CODE) else FIRST_SIZE
    return Window(size=min(size, limit), threshold=limit)


def widened(window: Window, *, limit: int) -> Window:
    """After a block in which nothing was refused."""
    grown = window.size * 2 if window.size < window.threshold else window.size + 1
    return Window(size=min(grown, limit), threshold=window.threshold)


def narrowed(window: Window) -> Window:
    """After a refusal: half of it, and from there in single steps."""
    half = max(window.size // 2, 1)
    return Window(size=half, threshold=half)
