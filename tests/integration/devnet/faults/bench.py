"""A chain, a node in front of it that can be made to suffer, and a sender: one of each for every test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount

from devnet import chain, faults, ports
from devnet.faults import Proxy, transaction
from devnet.rpc import Rpc

GWEI = 10**9
SENDER: LocalAccount = Account.from_key("0x" + "22" * 32)
FIRST_PORT, LAST_PORT = 20_800, 21_199


def free_port() -> int:
    (port,) = ports.pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    return port


def raw(
    nonce: int = 0, *, cap: float = 5, tip: float = 1, signer: LocalAccount = SENDER, chain_id: int = 31337, **more: Any
) -> str:
    """Signed bytes with caps in gwei: a transfer of nothing to oneself."""
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxFeePerGas": round(cap * GWEI),
        "maxPriorityFeePerGas": round(tip * GWEI),
        "gas": 21_000,
        "to": signer.address,
        "value": 0,
        "data": b"",
    }
    return "0x" + bytes(signer.sign_transaction({**fields, **more}).raw_transaction).hex()


def hash_of(signed: str) -> str:
    return transaction.hash_of(signed)


def request(method: str, *params: Any, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


@dataclass(kw_only=True)
class Bench:
    """`chain` speaks to anvil, everything else to the node in front of it."""

    anvil: chain.Anvil
    chain: Rpc
    node: Proxy
    http: httpx.Client

    def post(self, body: Any) -> httpx.Response:
        return self.http.post(self.node.url, json=body)

    def ask(self, method: str, *params: Any) -> Any:
        """A result, or the words of an error."""
        answer = self.post(request(method, *params)).json()
        return answer["error"]["message"] if "error" in answer else answer["result"]

    def send(self, nonce: int = 0, **terms: Any) -> Any:
        return self.ask("eth_sendRawTransaction", raw(nonce, **terms))

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.chain.call("evm_mine")

    def base_fee(self, gwei: float) -> None:
        """What the next block asks, and those after it about as much."""
        self.chain.call("anvil_setNextBlockBaseFeePerGas", hex(round(gwei * GWEI)))

    def pooled(self, signed: str) -> bool:
        """Whether anvil itself has a transaction, mined or not."""
        return self.chain.call("eth_getTransactionByHash", hash_of(signed)) is not None

    def mined(self, sender: str = SENDER.address) -> int:
        return int(self.chain.call("eth_getTransactionCount", sender, "latest"), 16)

    def states(self) -> dict[int, str]:
        """Where the node has each of the sender's nonces."""
        return {each.nonce: state.value for each, state in self.node.mempool.entries()}


@contextmanager
def bench(anvil: chain.Anvil, **terms: Any) -> Iterator[Bench]:
    """A node with its own terms in front of a chain."""
    with (
        Rpc(anvil.url) as direct,
        faults.proxy(upstream=anvil.url, port=free_port(), **{"seed": 7, **terms}) as node,
        httpx.Client(trust_env=False, timeout=10) as http,
    ):
        yield Bench(anvil=anvil, chain=direct, node=node, http=http)


@contextmanager
def fresh_chain(folder: Path) -> Iterator[chain.Anvil]:
    """A chain without a past, where the sender can pay."""
    with chain.Anvil(port=free_port(), home=folder) as anvil, Rpc(anvil.url) as rpc:
        rpc.call("anvil_setBalance", SENDER.address, hex(10**20))
        yield anvil
