"""What a node's answer to a broadcast means: one closed table, unknown by default.

A text that isn't in the table proves nothing: the transaction may be live for ever.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What an answer proves."""

    ACCEPTED = "accepted"  # the node has it
    CONSUMED = "consumed"  # its nonce is used: by us, or by something foreign; only receipts tell
    SIBLING_LIVE = "sibling live"  # another send of the same nonce is in the pool
    UNKNOWN = "unknown"  # nothing: possibly live
    UNDERPRICED = "underpriced"  # surely refused: a new offer for the same nonce
    BACKPRESSURE = "backpressure"  # surely refused: later
    FUNDS = "funds"  # surely refused: the sender can't pay
    FATAL = "fatal content"  # surely refused: what it says can never be taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One endpoint's answer to one send, classified; `text` is the node's own, shortened."""

    meaning: Meaning
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """A node's words, what they mean, and who says them."""

    pattern: re.Pattern[str]
    meaning: Meaning
    clients: str


def _phrase(words: str, meaning: Meaning, clients: str) -> Phrase:
    return Phrase(pattern=re.compile(words, re.IGNORECASE), meaning=meaning, clients=clients)


# First match wins. geth and op-geth agree in their words; reth and anvil have their own.
PHRASES: tuple[Phrase, ...] = (
    _phrase(r"\balready known\b", Meaning.ACCEPTED, "geth, reth"),
    _phrase(r"\btransaction already imported\b", Meaning.ACCEPTED, "anvil, openethereum"),
    _phrase(r"\bknown transaction\b", Meaning.ACCEPTED, "older geth, besu"),
    _phrase(r"\bnonce too low\b|\bOldNonce\b", Meaning.CONSUMED, "geth, reth, anvil, nethermind"),
    _phrase(r"\breplacement transaction underpriced\b", Meaning.SIBLING_LIVE, "geth, reth, anvil"),
    _phrase(r"\bmax fee per gas less than block base fee\b", Meaning.UNDERPRICED, "geth, reth, anvil"),
    _phrase(r"\btransaction underpriced\b|\bFeeTooLow\b", Meaning.UNDERPRICED, "geth, nethermind"),
    _phrase(r"\binsufficient funds\b", Meaning.FUNDS, "geth, reth, anvil"),
    _phrase(r"\bnonce too high\b", Meaning.BACKPRESSURE, "geth"),
    _phrase(r"\btxpool is full\b|\btransaction pool is full\b", Meaning.BACKPRESSURE, "geth, reth"),
    _phrase(r"\bin-flight transaction limit reached\b", Meaning.BACKPRESSURE, "geth, for delegated accounts"),
    _phrase(r"\btoo many requests\b|\brate limit", Meaning.BACKPRESSURE, "providers"),
    _phrase(r"\bintrinsic gas too low\b", Meaning.FATAL, "geth, reth, anvil"),
    _phrase(r"\bexceeds block gas limit\b|\bgas limit too high\b", Meaning.FATAL, "geth, anvil"),
    _phrase(r"\binvalid chain id\b|\binvalid sender\b|\binvalid signature\b", Meaning.FATAL, "geth, reth, anvil"),
    _phrase(r"\boversized data\b|\btransaction too large\b", Meaning.FATAL, "geth, reth"),
)

# If several endpoints answer, the strongest counts.
STRENGTH: tuple[Meaning, ...] = (
    Meaning.ACCEPTED,
    Meaning.CONSUMED,
    Meaning.SIBLING_LIVE,
    Meaning.UNKNOWN,
    Meaning.UNDERPRICED,
    Meaning.BACKPRESSURE,
    Meaning.FUNDS,
    Meaning.FATAL,
)


def meaning_of(text: str) -> Meaning:
    """What a node's error text proves."""
    return next((phrase.meaning for phrase in PHRASES if phrase.pattern.search(text)), Meaning.UNKNOWN)


def strongest(answers: Iterable[Answer]) -> Answer:
    """The answer that counts among those of several endpoints; no answer at all is unknown."""
    return min(answers, key=lambda answer: STRENGTH.index(answer.meaning), default=Answer(meaning=Meaning.UNKNOWN))
