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


# A phrase begins its text or follows punctuation ("INTERNAL_ERROR: nonce too low"), and ends with a word: inside
# another sentence the same words may say something else. "Not x", "unknown x" and "maybe x" are no x.
_BEGIN = r"(?:^|[:;,.\[\](){}\"])\s*"
_END = r"(?!\w)"


def _phrase(words: str, meaning: Meaning, clients: str) -> Phrase:
    return Phrase(pattern=re.compile(f"{_BEGIN}(?:{words}){_END}", re.IGNORECASE), meaning=meaning, clients=clients)


# First match wins. The words are those of the clients' own sources; Base runs op-geth, op-reth and base-reth,
# which say what geth says. Left out on purpose, so unknown: "gas limit reached" (Nethermind: content; geth: a full
# block), "sender not an eoa" and everything about blobs and authorizations, which we never send.
PHRASES: tuple[Phrase, ...] = (
    # It is there.
    _phrase(r"already known|AlreadyKnown", Meaning.ACCEPTED, "geth, reth, erigon, nethermind"),
    _phrase(r"(?:transaction )?already imported", Meaning.ACCEPTED, "anvil, reth, openethereum"),
    _phrase(r"known transaction", Meaning.ACCEPTED, "older geth, besu"),
    _phrase(r"existing txn? with same hash", Meaning.ACCEPTED, "erigon"),
    # Its nonce is used.
    _phrase(r"nonce too low|OldNonce", Meaning.CONSUMED, "geth, reth, erigon, anvil, besu, nethermind"),
    # Another one with its nonce is there.
    _phrase(
        r"replacement transaction underpriced|ReplacementNotAllowed", Meaning.SIBLING_LIVE, "geth, reth, anvil, besu, nethermind"
    ),
    _phrase(r"insufficient gas price to replace existing transaction", Meaning.SIBLING_LIVE, "reth, anvil"),
    _phrase(r"could not replace existing tx", Meaning.SIBLING_LIVE, "erigon"),
    # It offers too little.
    _phrase(r"max fee per gas less than block base fee", Meaning.UNDERPRICED, "geth, reth, anvil"),
    _phrase(r"transaction underpriced|FeeTooLow(?:ToCompete)?", Meaning.UNDERPRICED, "geth, reth, nethermind"),
    _phrase(r"transaction gas price below minimum", Meaning.UNDERPRICED, "geth since 1.16"),
    _phrase(r"transaction priority fee below minimum required priority fee", Meaning.UNDERPRICED, "reth"),
    _phrase(r"transaction feeCap \d+ below chain minimum", Meaning.UNDERPRICED, "reth"),
    _phrase(r"FEE_TOO_LOW: (?:underpriced|fee too low)", Meaning.UNDERPRICED, "erigon"),
    _phrase(r"gas price below (?:configured minimum gas price|current base fee)", Meaning.UNDERPRICED, "besu"),
    # Its sender can't pay.
    _phrase(r"insufficient funds|InsufficientFunds", Meaning.FUNDS, "geth, reth, erigon, anvil, nethermind"),
    _phrase(r"transaction overdraws from account", Meaning.FUNDS, "older reth"),
    _phrase(r"upfront cost exceeds account balance", Meaning.FUNDS, "besu"),
    # Not now.
    _phrase(r"nonce too high|NonceGap|nonce too far in future", Meaning.BACKPRESSURE, "geth, nethermind, besu"),
    _phrase(r"transaction nonce is too distant from current sender nonce", Meaning.BACKPRESSURE, "besu"),
    _phrase(r"gapped-nonce tx from delegated accounts|delegation nonce gap", Meaning.BACKPRESSURE, "geth, nethermind"),
    _phrase(r"in-flight transaction limit reached", Meaning.BACKPRESSURE, "geth, for delegated accounts"),
    _phrase(r"delegation authority has pending transaction", Meaning.BACKPRESSURE, "nethermind"),
    _phrase(r"address already reserved|account limit exceeded", Meaning.BACKPRESSURE, "geth, reth"),
    _phrase(r"future transaction tries to replace pending", Meaning.BACKPRESSURE, "geth"),
    _phrase(r"(?:txpool|transaction pool) is full", Meaning.BACKPRESSURE, "geth, reth"),
    _phrase(r"(?:pending|baseFee|queued) sub-pool is full|spammer", Meaning.BACKPRESSURE, "erigon"),
    _phrase(r"transaction discarded outright due to pool size constraints", Meaning.BACKPRESSURE, "reth"),
    _phrase(r"(?:429 )?too many requests|rate limit (?:exceeded|reached)", Meaning.BACKPRESSURE, "providers"),
    _phrase(r"(?:sender is )?over rate limit", Meaning.BACKPRESSURE, "proxyd, in front of Base's sequencer"),
    _phrase(r"daily request count exceeded|(?:project id )?request rate exceeded", Meaning.BACKPRESSURE, "infura"),
    _phrase(r"\d+/second request limit reached", Meaning.BACKPRESSURE, "quicknode"),
    _phrase(r"your app has exceeded its (?:compute units|throughput)", Meaning.BACKPRESSURE, "alchemy"),
    _phrase(r"limit exceeded", Meaning.BACKPRESSURE, "EIP-1474"),
    # Never.
    _phrase(r"intrinsic gas too (?:low|high)|IntrinsicGas", Meaning.FATAL, "geth, reth, anvil, erigon, nethermind"),
    _phrase(r"intrinsic gas exceeds gas limit", Meaning.FATAL, "besu"),
    _phrase(r"insufficient gas for floor data gas cost", Meaning.FATAL, "geth, EIP-7623"),
    _phrase(r"(?:transaction gas limit )?exceeds block gas limit", Meaning.FATAL, "geth, reth, besu"),
    _phrase(r"transaction's gas limit \d+ exceeds block's gas limit", Meaning.FATAL, "older reth"),
    _phrase(r"transaction gas limit is greater than the block gas limit", Meaning.FATAL, "anvil"),
    _phrase(
        r"(?:transaction )?gas limit (?:is )?too high|exceeds max transaction gas limit",
        Meaning.FATAL,
        "geth, reth, erigon, EIP-7825",
    ),
    _phrase(r"TxGasLimitCapExceeded", Meaning.FATAL, "nethermind, EIP-7825"),
    _phrase(r"gas uint64 overflow|GasUintOverflow", Meaning.FATAL, "geth, reth, anvil, erigon"),
    # A node's own ceiling for a fee. A higher offer can't pass it; a cancellation costs a fraction and does.
    _phrase(r"tx fee \([\d.]+ (?:ether|wei)\) exceeds the configured cap", Meaning.FATAL, "geth, reth"),
    _phrase(r"transaction fee cap exceeded", Meaning.FATAL, "besu"),
    _phrase(r"max priority fee per gas (?:higher than|exceeds) max fee per gas", Meaning.FATAL, "geth, reth, anvil, besu"),
    _phrase(r"InvalidMaxPriorityFeePerGas", Meaning.FATAL, "nethermind"),
    _phrase(r"max (?:priority )?fee per gas higher than 2\^256-1", Meaning.FATAL, "geth, reth"),
    _phrase(r"invalid chain id|InvalidTxChainId|wrong chainId", Meaning.FATAL, "geth, reth, anvil, nethermind, besu"),
    _phrase(
        r"invalid sender|invalid (?:transaction )?signature|InvalidTxSignature", Meaning.FATAL, "geth, reth, nethermind, besu"
    ),
    _phrase(r"failed to recover sender", Meaning.FATAL, "nethermind"),
    _phrase(r"failed to decode (?:signed )?transaction|RLPTooLong", Meaning.FATAL, "reth, anvil, erigon"),
    _phrase(r"transaction type not supported", Meaning.FATAL, "geth, reth"),
    _phrase(r"oversized data|transaction too large|MaxTxSizeExceeded", Meaning.FATAL, "geth, reth, erigon, nethermind"),
    _phrase(r"max initcode size exceeded|initcode too large", Meaning.FATAL, "geth, reth, anvil, erigon"),
    _phrase(r"nonce has max value|negative value", Meaning.FATAL, "geth, reth, anvil, erigon"),
)

# Codes that mean the same whoever gives them, for words that the table doesn't have. Words come first:
# besu's -32005 is also "exceeds block gas limit". None of them is given to a transaction that was taken.
CODES: dict[int, Meaning] = {
    429: Meaning.BACKPRESSURE,  # alchemy, for a part of a batch
    -32005: Meaning.BACKPRESSURE,  # EIP-1474: a limit of requests is exceeded
    -32016: Meaning.BACKPRESSURE,  # proxyd: over rate limit
    -32017: Meaning.BACKPRESSURE,  # proxyd: the sender is over rate limit
}

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


def meaning_of(text: str, *, code: int | None = None) -> Meaning:
    """What a node's error proves, by its text or else by its code."""
    said = next((phrase.meaning for phrase in PHRASES if phrase.pattern.search(text)), None)
    return said or CODES.get(code or 0, Meaning.UNKNOWN)


def strongest(answers: Iterable[Answer]) -> Answer:
    """The answer that counts among those of several endpoints; no answer at all is unknown."""
    return min(answers, key=lambda answer: STRENGTH.index(answer.meaning), default=Answer(meaning=Meaning.UNKNOWN))
