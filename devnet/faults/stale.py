"""The chain as a node sees it that is some blocks behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devnet.faults import phrases
from devnet.faults.upstream import Json, Upstream

# Where each method has its block.
_POSITIONS: Mapping[str, int] = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getCode": 1,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}
# Asked for a block that it doesn't have, a node finds nothing here; elsewhere it says that there is no such block.
_NULLABLE = frozenset({"eth_getBlockByNumber", "eth_getBlockReceipts", "eth_getBlockTransactionCountByNumber"})
_BLOCKS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})
_NEWEST = ("latest", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What such a node answers: the chain's answers, as of its last block."""

    last: int
    upstream: Upstream

    def asked(self, request: Json) -> Json:
        """The request as it must be put to the chain: the newest block is the last that the node has."""
        method, params = request["method"], list(request.get("params") or [])
        if method == "eth_getLogs" and params:
            return request | {"params": [self._clipped(params[0])]}
        position = _POSITIONS.get(method)
        if position is None or len(params) < position:
            return request
        block = params[position] if len(params) > position else "latest"
        named = hex(self.last) if block in _NEWEST else block
        return request | {"params": [*params[:position], named, *params[position + 1 :]]}

    def instead(self, request: Json) -> Json | None:
        """The answer where the chain needn't be asked, or would know too much."""
        method, params = request["method"], request.get("params") or []
        if method == "eth_blockNumber":
            return {"result": hex(self.last)}
        if method == "eth_getLogs" and params:
            return self._no_logs(params[0])
        position = _POSITIONS.get(method)
        if position is None or len(params) <= position or not self._is_younger(params[position]):
            return None
        return {"result": None} if method in _NULLABLE else phrases.error("header not found")

    def told(self, request: Json, answer: Json) -> Json:
        """The chain's answer, without what lies in younger blocks."""
        method, found = request["method"], answer.get("result")
        if not isinstance(found, dict):
            return answer
        if method in _BLOCKS and self._is_younger(found["number"]):
            return {"result": None}
        if method == "eth_getTransactionReceipt" and self._is_younger(found["blockNumber"]):
            return {"result": None}
        if method == "eth_getTransactionByHash" and self._is_younger(found["blockNumber"]):
            return {"result": found | dict.fromkeys(("blockHash", "blockNumber", "transactionIndex"))}
        return answer

    def _no_logs(self, wanted: Json) -> Json | None:
        if "blockHash" not in wanted:
            # A node that lags says "nothing" to a range that it hasn't reached, without an error.
            return {"result": []} if self._is_younger(wanted.get("fromBlock")) else None
        (block,) = self.upstream.ask(("eth_getBlockByHash", [wanted["blockHash"], False]))
        is_known = block is not None and not self._is_younger(block["number"])
        return None if is_known else phrases.error("unknown block")

    def _clipped(self, wanted: Json) -> Json:
        if "blockHash" in wanted:
            return wanted
        ends = {name: wanted.get(name) or "latest" for name in ("fromBlock", "toBlock")}
        is_beyond = {name: end in _NEWEST or self._is_younger(end) for name, end in ends.items()}
        return wanted | {name: hex(self.last) if is_beyond[name] else end for name, end in ends.items()}

    def _is_younger(self, block: Any) -> bool:
        return isinstance(block, str) and block.startswith("0x") and len(block) < 66 and int(block, 16) > self.last


def behind(upstream: Upstream, *, blocks: int) -> View:
    """The view of a node so many blocks behind."""
    (head,) = upstream.ask(("eth_blockNumber", []))
    return View(last=max(int(head, 16) - blocks, 0), upstream=upstream)
