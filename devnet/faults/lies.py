"""The faults of single requests: what is asked in place of the question, and told in place of the answer."""

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from devnet.faults import phrases
from devnet.faults.plan import Fault, Rule
from devnet.faults.transaction import decode, hash_of
from devnet.faults.upstream import Json, Upstream, first_parameter

_GAS = hex(21_000)
_GAS_PRICE = hex(10**9)


@dataclass(kw_only=True)
class Memory:
    """When each receipt was found first, by any client."""

    _found_at: dict[str, float] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def since_found(self, tx_hash: str, *, now: float) -> float:
        """The seconds since a receipt was found first, which may be now."""
        with self._lock:
            return now - self._found_at.setdefault(tx_hash, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a lie may look at."""

    rule: Rule
    request: Json
    upstream: Upstream
    memory: Memory
    now: float

    @property
    def first(self) -> str:
        """The request's first parameter."""
        return str(first_parameter(self.request))


def _finalized_early(request: Json) -> Json:
    if first_parameter(request) not in ("safe", "finalized"):
        return request
    return request | {"params": ["latest", *request["params"][1:]]}


def _refused(scene: Scene) -> Json:
    return {"error": {"code": scene.rule.code, "message": scene.rule.text}}


def _wrong_hash(scene: Scene) -> Json:
    return {"result": _made_up(scene.first)}


def _swallowed(scene: Scene) -> Json:
    return {"result": hash_of(scene.first)}


def _nonce_too_low(scene: Scene) -> Json:
    transaction = decode(scene.first)
    if transaction is None:
        return phrases.error("nonce too low")
    return phrases.nonce_too_low(transaction, next_nonce=transaction.nonce + 1)


def _already_known(_: Scene) -> Json:
    return phrases.error(phrases.ALREADY_KNOWN)


def _wrong_chain(_: Scene, answer: Json) -> Json:
    said = answer["result"]
    return {"result": hex(int(said, 16) + 1) if said.startswith("0x") else str(int(said) + 1)}


def _receipt_missing(scene: Scene, answer: Json) -> Json:
    if answer["result"] is None or scene.rule.seconds is None:
        return {"result": None}
    is_shown = scene.memory.since_found(scene.first, now=scene.now) >= scene.rule.seconds
    return answer if is_shown else {"result": None}


def _receipt_forged(scene: Scene, answer: Json) -> Json:
    if answer["result"] is not None:
        return answer
    (head,) = scene.upstream.ask(("eth_blockNumber", []))
    return {"result": _forged(scene.first, block_number=head)}


def _receipt_flipped(_: Scene, answer: Json) -> Json:
    receipt = answer["result"]
    if receipt is None:
        return answer
    is_success = receipt["status"] == "0x1"
    # A transaction that reverted has no logs: they would give the lie away.
    return {"result": receipt | ({"status": "0x0", "logs": []} if is_success else {"status": "0x1"})}


def _logs_empty(_: Scene, __: Json) -> Json:
    return {"result": []}


def _forged(tx_hash: str, *, block_number: str) -> Json:
    return {
        "type": "0x2",
        "status": "0x1",
        "transactionHash": tx_hash,
        "transactionIndex": "0x0",
        "blockHash": _made_up(tx_hash),
        "blockNumber": block_number,
        "from": "0x" + "00" * 20,
        "to": "0x" + "00" * 20,
        "contractAddress": None,
        "gasUsed": _GAS,
        "cumulativeGasUsed": _GAS,
        "effectiveGasPrice": _GAS_PRICE,
        "logs": [],
        "logsBloom": "0x" + "00" * 256,
    }


def _made_up(seed: str) -> str:
    return "0x" + hashlib.sha256(seed.encode()).hexdigest()


# Other questions; answers without a look at the chain's; the chain's own answers, changed.
_ASKED: Mapping[Fault, Callable[[Json], Json]] = {Fault.FINALIZED_EARLY: _finalized_early}
_INSTEAD: Mapping[Fault, Callable[[Scene], Json]] = {
    Fault.ITEM_REFUSED: _refused,
    Fault.WRONG_HASH: _wrong_hash,
    Fault.SWALLOWED: _swallowed,
    Fault.FALSE_NONCE_TOO_LOW: _nonce_too_low,
    Fault.FALSE_ALREADY_KNOWN: _already_known,
}
_CHANGED: Mapping[Fault, Callable[[Scene, Json], Json]] = {
    Fault.WRONG_CHAIN: _wrong_chain,
    Fault.RECEIPT_MISSING: _receipt_missing,
    Fault.RECEIPT_FORGED: _receipt_forged,
    Fault.RECEIPT_FLIPPED: _receipt_flipped,
    Fault.LOGS_EMPTY: _logs_empty,
}


def asked(scene: Scene, request: Json) -> Json:
    """The request that the chain is asked in place of another."""
    lie = _ASKED.get(scene.rule.fault)
    return lie(request) if lie else request


def instead(scene: Scene) -> Json | None:
    """The answer that needs no other; None where the chain's is needed."""
    lie = _INSTEAD.get(scene.rule.fault)
    return lie(scene) if lie else None


def told(scene: Scene, answer: Json) -> Json:
    """The chain's answer, as it is told. An error is told as it is."""
    lie = _CHANGED.get(scene.rule.fault)
    return lie(scene, answer) if lie and "result" in answer else answer
