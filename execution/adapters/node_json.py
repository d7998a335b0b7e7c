"""What a node's JSON says, in our words. Nothing that it may contain raises but `Unavailable`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from eth_utils import keccak

from execution.domain.broadcast import Answer, Meaning, meaning_of
from execution.domain.chain import Block, Log, Outcome, ReceiptFacts, Simulation
from execution.domain.fees import FeeQuote
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

Response = dict[str, Any]
Parsed = TypeVar("Parsed")

# What nodes call a call that the contract refused (geth, anvil: 3).
_REVERTED = 3
_ANSWER_LENGTH = 200


def read(parse: Callable[[Any], Parsed], raw: Any) -> Parsed:
    """What a node's JSON says.

    Raises:
        Unavailable: if it makes no sense.
    """
    try:
        return parse(raw)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise Unavailable("an endpoint answers nonsense", error=type(error).__name__) from None


def simulation(response: Response) -> Simulation:
    """How `eth_estimateGas` ended."""
    if "error" not in response:
        return _estimate(response.get("result"))
    error = response["error"]
    if _code(error) == _REVERTED or "revert" in text(error):
        return Simulation(outcome=Outcome.REVERTED, reason=_revert_data(error))
    return Simulation(outcome=Outcome.UNKNOWN, reason=text(error))


def _estimate(raw: Any) -> Simulation:
    try:
        return Simulation(outcome=Outcome.OK, gas=read(whole, raw))
    except Unavailable as error:
        return Simulation(outcome=Outcome.UNKNOWN, reason=error.message)


def _code(error: Any) -> object:
    return error.get("code") if isinstance(error, dict) else None


def _revert_data(error: Any) -> str:
    data = error.get("data") if isinstance(error, dict) else None
    return data if isinstance(data, str) and data.startswith("0x") and len(data) > 2 else text(error)


def answer(response: Response, raw: str) -> Answer:
    """What a node says to bytes that it was offered."""
    if "error" in response:
        words = text(response["error"])
        return Answer(meaning=meaning_of(words), text=words)
    # A hash that isn't ours is some other transaction's: about our bytes it says nothing.
    if response.get("result") != "0x" + keccak(hexstr=raw).hex():
        return Answer(meaning=Meaning.UNKNOWN, text="another hash")
    return Answer(meaning=Meaning.ACCEPTED)


def text(error: Any) -> str:
    """An error's own words, shortened."""
    return str(error.get("message", "") if isinstance(error, dict) else error)[:_ANSWER_LENGTH]


def whole(raw: Any) -> int:
    """A number written as 0x-hex."""
    return int(raw, 16)


def hex_text(raw: Any) -> str:
    """Bytes, left as 0x-hex."""
    if not isinstance(raw, str):
        raise TypeError("not 0x-hex")
    return raw


def quote(raw: Any) -> FeeQuote:
    """A fee history, as what the next block asks."""
    tips = sorted(whole(reward[0]) for reward in raw.get("reward") or [])
    tip = tips[len(tips) // 2] if tips else 0
    return FeeQuote(base_fee=Wei(whole(raw["baseFeePerGas"][-1])), tip=Wei(tip))


def block(raw: Any) -> Block:
    """A header."""
    return Block(
        number=int(raw["number"], 16),
        hash=raw["hash"],
        parent_hash=raw["parentHash"],
        mined_at=datetime.fromtimestamp(int(raw["timestamp"], 16), tz=UTC),
        base_fee=Wei(int(raw.get("baseFeePerGas") or "0x0", 16)),
    )


def receipt(raw: Any) -> ReceiptFacts:
    """A receipt."""
    return ReceiptFacts(
        tx_hash=raw["transactionHash"],
        block_number=int(raw["blockNumber"], 16),
        block_hash=raw["blockHash"],
        is_success=raw["status"] == "0x1",
        gas_used=int(raw["gasUsed"], 16),
        gas_price=Wei(int(raw["effectiveGasPrice"], 16)),
        l1_fee=Wei(int(raw.get("l1Fee") or "0x0", 16)),
    )


def logs(raw: Any) -> list[Log]:
    """Events, in the order given."""
    return [_log(entry) for entry in raw]


def _log(raw: Any) -> Log:
    return Log(
        address=raw["address"],
        topics=tuple(raw["topics"]),
        data=raw["data"],
        block_number=int(raw["blockNumber"], 16),
        block_hash=raw["blockHash"],
        tx_hash=raw["transactionHash"],
        log_index=int(raw["logIndex"], 16),
    )
