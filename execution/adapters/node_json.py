"""What a node's JSON says, in our words. Nothing that it may contain raises but `Unavailable`."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from eth_utils import keccak

from execution.adapters.transport import Response
from execution.adapters.trouble import Refused, Throttled
from execution.domain.broadcast import Answer, Meaning, meaning_of
from execution.domain.chain import Block, Log, Outcome, ReceiptFacts, Simulation
from execution.domain.fees import FeeQuote
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

Parsed = TypeVar("Parsed")

# What nodes call a call that the contract refused (geth, anvil: 3).
_REVERTED = 3
_ANSWER_LENGTH = 200
# No number of a chain is longer than a word of 256 bits; no height or position longer than PostgreSQL's integers.
_WORD = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_BLOOM = re.compile(r"0x[0-9a-fA-F]{512}")
_COUNT_LIMIT = 2**63


def read(parse: Callable[[Any], Parsed], raw: Any) -> Parsed:
    """What a node's JSON says.

    Raises:
        Unavailable: if it makes no sense.
    """
    try:
        return parse(raw)
    # OSError is datetime's, for an instant that the system's calendar doesn't have.
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise Unavailable("an endpoint answers nonsense", error=type(error).__name__) from None


def results(responses: Sequence[Response]) -> list[Any]:
    """The results of a batch.

    Raises:
        Refused: if a question was answered with an error.
        Throttled: if that error means too many requests.
    """
    for response in responses:
        if _is_error(response):
            words = text(response["error"])
            meaning = meaning_of(words, code=_code(response["error"]))
            trouble = Throttled if meaning is Meaning.BACKPRESSURE else Refused
            raise trouble("the node refused a read", error=words)
    return [response.get("result") for response in responses]


def _is_error(response: Response) -> bool:
    return response.get("error") is not None


def simulation(response: Response) -> Simulation:
    """How `eth_estimateGas` ended."""
    if not _is_error(response):
        return _estimate(response.get("result"))
    error = response["error"]
    if _code(error) == _REVERTED or "revert" in text(error):
        return Simulation(outcome=Outcome.REVERTED, reason=_revert_data(error))
    return Simulation(outcome=Outcome.UNKNOWN, reason=text(error))


def _estimate(raw: Any) -> Simulation:
    try:
        return Simulation(outcome=Outcome.OK, gas=read(count, raw))
    except Unavailable as error:
        return Simulation(outcome=Outcome.UNKNOWN, reason=error.message)


def refuse_unknown(found: Sequence[Simulation]) -> None:
    """Pass if every simulation came to an end.

    Raises:
        Refused: if one didn't.
    """
    for each in found:
        if each.outcome is Outcome.UNKNOWN:
            raise Refused("the node couldn't simulate", error=each.reason)


def _code(error: Any) -> int | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int else None


def _revert_data(error: Any) -> str:
    data = error.get("data") if isinstance(error, dict) else None
    return data if isinstance(data, str) and data.startswith("0x") and len(data) > 2 else text(error)


def answer(response: Response, raw: str) -> Answer:
    """What a node says to bytes that it was offered."""
    if _is_error(response):
        words = text(response["error"])
        return Answer(meaning=meaning_of(words, code=_code(response["error"])), text=words)
    # A hash that isn't ours is some other transaction's: about our bytes it says nothing.
    if response.get("result") != "0x" + keccak(hexstr=raw).hex():
        return Answer(meaning=Meaning.UNKNOWN, text="another hash")
    return Answer(meaning=Meaning.ACCEPTED)


def has_unknown_words(response: Response) -> bool:
    """Whether a node refused bytes in words that our table doesn't have."""
    if not _is_error(response):
        return False
    return meaning_of(text(response["error"]), code=_code(response["error"])) is Meaning.UNKNOWN


def text(error: Any) -> str:
    """An error's own words, shortened."""
    return str(error.get("message", "") if isinstance(error, dict) else error)[:_ANSWER_LENGTH]


def whole(raw: Any) -> int:
    """A number written as 0x-hex, of at most 256 bits."""
    return int(_of_form(_WORD, raw), 16)


def count(raw: Any) -> int:
    """A height, a place or an amount of gas."""
    number = whole(raw)
    if number >= _COUNT_LIMIT:
        raise ValueError("too large")
    return number


def hex_text(raw: Any) -> str:
    """Bytes, left as 0x-hex."""
    return _of_form(_HEX, raw)


def hash_text(raw: Any) -> str:
    """A hash, in lower case."""
    return _of_form(_HASH, raw).lower()


def _of_form(form: re.Pattern[str], raw: Any) -> str:
    if not isinstance(raw, str) or not form.fullmatch(raw):
        raise ValueError("not of its form")
    return raw


def wei_or_none(raw: Any) -> Wei:
    """A view's amount of wei; none where no contract answers."""
    return Wei.zero() if raw == "0x" else Wei(whole(raw))


def quote(raw: Any) -> FeeQuote:
    """A fee history with two percentiles, as what the next block asks: the median block's of each."""
    rewards = raw.get("reward") or []
    tips, urgent_tips = (sorted(whole(reward[place]) for reward in rewards) for place in (0, 1))
    return FeeQuote(
        base_fee=Wei(whole(raw["baseFeePerGas"][-1])),
        tip=Wei(tips[len(tips) // 2] if tips else 0),
        urgent_tip=Wei(urgent_tips[len(urgent_tips) // 2] if urgent_tips else 0),
    )


def block(raw: Any) -> Block:
    """A header."""
    return Block(
        number=count(raw["number"]),
        hash=hash_text(raw["hash"]),
        parent_hash=hash_text(raw["parentHash"]),
        mined_at=datetime.fromtimestamp(count(raw["timestamp"]), tz=UTC),
        base_fee=Wei(whole(raw.get("baseFeePerGas") or "0x0")),
    )


def blocks(raws: Sequence[Any], *, numbers: Sequence[int]) -> dict[int, Block]:
    """Headers by the numbers that were asked for; None is a block to come."""
    found = {number: block(raw) for number, raw in zip(numbers, raws, strict=True) if raw is not None}
    if any(header.number != number for number, header in found.items()):
        raise ValueError("other blocks")
    return found


def receipts(raws: Sequence[Any], *, tx_hashes: Sequence[str]) -> list[ReceiptFacts | None]:
    """The receipts of the transactions that were asked for."""
    found = [receipt(raw) for raw in raws]
    pairs = zip(found, tx_hashes, strict=True)
    if any(facts is not None and facts.tx_hash != tx_hash.lower() for facts, tx_hash in pairs):
        raise ValueError("other receipts")
    return found


def receipt(raw: Any) -> ReceiptFacts | None:
    """A receipt. None if there is none, or if its block isn't sealed: flashblocks show those."""
    if raw is None:
        return None
    tx_hash = hash_text(raw["transactionHash"])
    if raw.get("blockHash") is None:
        return None
    return ReceiptFacts(
        tx_hash=tx_hash,
        block_number=count(raw["blockNumber"]),
        block_hash=hash_text(raw["blockHash"]),
        is_success={"0x1": True, "0x0": False}[raw["status"]],
        gas_used=count(raw["gasUsed"]),
        gas_price=Wei(whole(raw["effectiveGasPrice"])),
        l1_fee=Wei(whole(raw.get("l1Fee") or "0x0")),
    )


def logs(raw: Any, *, block_hash: str, emitters: Collection[str]) -> list[Log]:
    """The emitters' events in a block, in the order given."""
    found = [_log(entry) for entry in _a_list(raw)]
    wanted = {emitter.lower() for emitter in emitters}
    if any(log.block_hash != block_hash.lower() or log.address.lower() not in wanted for log in found):
        raise ValueError("other events")
    return found


def logs_of_receipts(raw: Any, *, block_hash: str, emitters: Collection[str]) -> list[Log]:
    """The same, picked from all receipts of the block."""
    wanted = {emitter.lower() for emitter in emitters}
    entries = [entry for each in _a_list(raw) for entry in _a_list(each["logs"]) if entry["address"].lower() in wanted]
    return logs(entries, block_hash=block_hash, emitters=emitters)


def searched(raws: Sequence[Any], *, emitter: str, last: int) -> list[Log]:
    """What a node found in a range of blocks; one that hasn't the last of them makes no sense here."""
    if whole(raws[0]) < last:
        raise ValueError("a node that is behind")
    found = [_log(raw) for raw in _a_list(raws[1])]
    if any(each.address.lower() != emitter.lower() for each in found):
        raise ValueError("an event of somebody else")
    return found


def bloom(raw: Any, *, block_hash: str) -> str:
    """The bloom filter of the block that was asked for.

    Raises:
        Refused: if the node doesn't have it.
    """
    if raw is None:
        raise Refused("the node doesn't have a block", error="unknown block")
    if hash_text(raw["hash"]) != block_hash.lower():
        raise ValueError("another block")
    return _of_form(_BLOOM, raw["logsBloom"])


def _a_list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError("not a list")
    return raw


def _log(raw: Any) -> Log:
    return Log(
        address=_of_form(_ADDRESS, raw["address"]),
        topics=tuple(hash_text(topic) for topic in _a_list(raw["topics"])),
        data=hex_text(raw["data"]),
        block_number=count(raw["blockNumber"]),
        block_hash=hash_text(raw["blockHash"]),
        tx_hash=hash_text(raw["transactionHash"]),
        log_index=count(raw["logIndex"]),
    )
