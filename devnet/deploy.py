"""The venue's contracts, put on a local chain once, always at the same addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from devnet.contract import CallReverted, Contract, artifact
from devnet.markets import MARKETS, USDC, pair_terms, to_feed
from devnet.rpc import Rpc, RpcError

# The first two accounts of anvil's default mnemonic. The node holds their keys; nobody else should use them.
DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OPERATOR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
VAULT_FUNDS = 100_000_000 * USDC
GAS_LIMIT = 8_000_000
# The place in the deployer's nonces. The router comes first: its address is then the one
# for which the venue's published signing vectors were made.
ORDER = (
    *("TradingRouter", "Usdc", "PairStorage", "TradingStorage", "Vault", "TradingCallbacks"),
    *("DueTriggers", "SequencerFeed", "Counter", "PriceFeed", "PriceFeed", "PriceFeed"),
)


class DeploymentMismatch(Exception):
    """The chain holds something else where the venue's contracts belong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where everything lies."""

    router: str
    usdc: str
    pair_storage: str
    storage: str
    vault: str
    callbacks: str
    due_triggers: str
    sequencer_feed: str
    counter: str
    feeds: Mapping[str, str]

    def as_environment(self) -> dict[str, str]:
        """The settings by which the application finds the venue."""
        return {
            "VERANTA_ROUTER_ADDRESS": self.router,
            "VERANTA_STORAGE_ADDRESS": self.storage,
            "VERANTA_CALLBACKS_ADDRESS": self.callbacks,
            "VERANTA_PAIR_STORAGE_ADDRESS": self.pair_storage,
            "VERANTA_USDC_ADDRESS": self.usdc,
            "CHAINLINK_FEEDS": ",".join(f"{symbol}={self.feeds[symbol]}" for symbol in sorted(self.feeds)),
            "CHAINLINK_SEQUENCER_FEED": self.sequencer_feed,
        }

    def contract(self, name: str) -> Contract:
        """One contract by its compiled name. PriceFeed is three: see `feed`."""
        addresses = {
            "TradingRouter": self.router,
            "Usdc": self.usdc,
            "PairStorage": self.pair_storage,
            "TradingStorage": self.storage,
            "Vault": self.vault,
            "TradingCallbacks": self.callbacks,
            "DueTriggers": self.due_triggers,
            "SequencerFeed": self.sequencer_feed,
            "Counter": self.counter,
        }
        return Contract(addresses[name], artifact(name))

    def feed(self, symbol: str) -> Contract:
        """A market's price feed."""
        return Contract(self.feeds[symbol], artifact("PriceFeed"))


def expected() -> Deployment:
    """The addresses that every local chain gives the venue."""
    places = [_address_at(nonce) for nonce in range(len(ORDER))]
    router, usdc, pair_storage, storage, vault, callbacks, due_triggers, sequencer_feed, counter, *feeds = places
    return Deployment(
        router=router,
        usdc=usdc,
        pair_storage=pair_storage,
        storage=storage,
        vault=vault,
        callbacks=callbacks,
        due_triggers=due_triggers,
        sequencer_feed=sequencer_feed,
        counter=counter,
        feeds={market.symbol: feed for market, feed in zip(MARKETS, feeds, strict=True)},
    )


def deploy(rpc_url: str) -> Deployment:
    """Put the contracts on the chain and return where they lie. This will only look, if they are there already.

    Raises:
        DeploymentMismatch: if the chain was used for something else.
    """
    deployment = expected()
    with Rpc(rpc_url) as rpc:
        if is_deployed(rpc):
            return deployment
        if int(rpc.call("eth_getTransactionCount", DEPLOYER, "latest"), 16) != 0:
            raise DeploymentMismatch(f"the chain at {rpc_url} holds other contracts than this version's: start from an empty one")
        _send_all(rpc, [*_creations(deployment), *_wiring(deployment)])
    return deployment


def is_deployed(rpc: Rpc) -> bool:
    """Whether the contracts of this version are on the chain, wired."""
    codes = rpc.batch([("eth_getCode", (_address_at(nonce), "latest")) for nonce in range(len(ORDER))])
    return all(artifact(name).is_code(_bytes(code)) for name, code in zip(ORDER, codes, strict=True)) and is_wired(rpc)


def is_wired(rpc: Rpc) -> bool:
    """Whether a venue is ready at our addresses. The router is wired by the last transaction: if it is, so is all."""
    deployment = expected()
    try:
        return bool(deployment.contract("TradingRouter").read(rpc, "callbacks") == deployment.callbacks)
    except CallReverted:
        return False


def _bytes(code: Any) -> bytes:
    if isinstance(code, RpcError):
        raise code
    return bytes.fromhex(code[2:])


def _address_at(nonce: int) -> str:
    # The RLP of (address, nonce), which is this short for nonces below 128.
    item = bytes([nonce]) if nonce else b"\x80"
    return to_checksum_address(keccak(b"\xd6\x94" + bytes.fromhex(DEPLOYER[2:]) + item)[12:])


def _creations(at: Deployment) -> list[dict[str, str]]:
    arguments: dict[str, tuple[object, ...]] = {
        "TradingStorage": (at.usdc,),
        "Vault": (at.usdc,),
        "TradingCallbacks": (at.storage, at.pair_storage, at.vault),
        "DueTriggers": (at.storage, at.callbacks),
        "SequencerFeed": (OPERATOR,),
    }
    plain = [{"data": artifact(name).creation(*arguments.get(name, ()))} for name in ORDER if name != "PriceFeed"]
    feeds = [{"data": artifact("PriceFeed").creation(f"{m.base} / {m.quote}", to_feed(m.first_price), OPERATOR)} for m in MARKETS]
    return [*plain, *feeds]


def _wiring(at: Deployment) -> list[dict[str, str]]:
    pairs = at.contract("PairStorage")
    return [
        *(pairs.transaction("addPair", pair_terms(market, at.feeds[market.symbol])) for market in MARKETS),
        pairs.transaction("wire", at.callbacks),
        at.contract("TradingStorage").transaction("wire", at.router, at.callbacks, at.vault),
        at.contract("Vault").transaction("wire", at.callbacks),
        at.contract("TradingCallbacks").transaction("wire", at.router),
        at.contract("Usdc").transaction("mint", at.vault, VAULT_FUNDS),
        at.contract("TradingRouter").transaction("wire", at.storage, at.pair_storage, at.callbacks, OPERATOR),
    ]


def _send_all(rpc: Rpc, transactions: list[dict[str, str]]) -> None:
    """Send in the order of nonces, mine, and look at each receipt."""
    hashes = [
        rpc.call("eth_sendTransaction", {**each, "from": DEPLOYER, "nonce": hex(nonce), "gas": hex(GAS_LIMIT)})
        for nonce, each in enumerate(transactions)
    ]
    # Whatever the chain's own rhythm, one block more holds them all.
    rpc.call("evm_mine")
    receipts = rpc.batch([("eth_getTransactionReceipt", (each,)) for each in hashes])
    if not all(isinstance(receipt, dict) and receipt["status"] == "0x1" for receipt in receipts):
        raise DeploymentMismatch("a contract could not be deployed: the chain refused or didn't mine a transaction")
