"""A venue in which an open or a close counts one key: for tests in which effects are counted, not traded.

It works on the fake chain, and with the real contract on a real node: `deploy_counter`, `count`, `total`.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from eth_utils import to_checksum_address

from devnet.contract import artifact
from devnet.rpc import Rpc
from execution.domain.chain import Call, Log, Snapshot, View
from execution.domain.events import VenueEvent
from execution.domain.reconciliation import VenueAccount
from execution.ports import Chain, CloseRequest, MarketListing, OpenRequest, Permission
from risk.ports import AccountReading
from tests.fakes import counter
from trading.domain.units import Usdc, Wei
from trading.kinds import ask

RICH = Usdc.of(1_000_000_000)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
_OPEN, _CLOSE = 0x01, 0x02
_DEPLOYMENT_GAS = 1_000_000
_OWN_ACCOUNTS = 10


class CountingVenue:
    """Every call bumps the counter. A test gives each signal a collateral of its own, and so a key of its own."""

    emitters: tuple[str, ...] = ()

    def __init__(self, counter_address: str) -> None:
        self.address = counter_address

    def open_call(self, request: OpenRequest, *, sender: str) -> Call:
        """The call that counts an open."""
        return self._bump(open_key(request.collateral), sender=sender)

    def close_call(self, request: CloseRequest, *, sender: str) -> Call:
        """The call that counts a close."""
        return self._bump(close_key(request.collateral), sender=sender)

    def decode(self, log: Log) -> VenueEvent | None:
        """Nothing: no event changes an order."""
        return None

    def reason(self, revert: str) -> str:
        """The node's own words."""
        return revert

    def funds(self, trader: str, *, chain: Chain) -> tuple[Usdc, Usdc]:
        """More than any test spends."""
        return RICH, RICH

    def account_views(self, trader: str, *, delegates: Sequence[str]) -> list[View]:
        """Nothing: everybody is rich, and open to everybody."""
        return []

    def account(self, seen: Snapshot) -> AccountReading:
        """Rich; what the delegates have for gas is the chain's to say."""
        gas = max(seen.balances, default=Wei.zero())
        return AccountReading(balance=RICH, allowance=RICH, delegated_until=FOR_EVER, gas=gas, block_number=seen.block_number)

    def permission(self, trader: str, *, delegate: str, chain: Chain) -> Permission:
        """Everybody may act for everybody."""
        return Permission(is_enabled=True, expires_at=FOR_EVER)

    def accounts_at(self, traders: Sequence[str], *, pairs: Sequence[int], block_hash: str, chain: Chain) -> list[VenueAccount]:
        """Nobody holds anything: effects are counted here."""
        return [VenueAccount(trader=each, balance=RICH, allowance=RICH, positions=(), orders=()) for each in traders]

    def refunded(self, trader: str, *, block_number: int, tx_hash: str, chain: Chain) -> Usdc:
        """Nothing."""
        return Usdc.zero()

    def transferred(self, trader: str, *, first: int, last: int, chain: Chain) -> Usdc:
        """Nothing."""
        return Usdc.zero()

    @ask
    def markets(self) -> list[MarketListing]:
        """No catalogue: tests make their own markets."""
        return []

    def _bump(self, key: str, *, sender: str) -> Call:
        return Call(sender=sender, target=self.address, data=counter.bump(key), value=Wei.zero())


def open_key(collateral: Usdc) -> str:
    """What the open of a signal with this collateral counts."""
    return _key(_OPEN, collateral)


def close_key(collateral: Usdc) -> str:
    """What a close of this collateral counts."""
    return _key(_CLOSE, collateral)


def _key(kind: int, collateral: Usdc) -> str:
    return f"0x{kind:02x}{collateral.raw:062x}"


def deploy_counter(rpc: Rpc) -> str:
    """Put a counter on a local node and mine it; its address. The node's last own account pays: others deploy the venue."""
    # Those that somebody impersonated are listed after them.
    deployer = rpc.call("eth_accounts")[_OWN_ACCOUNTS - 1]
    creation = {"from": deployer, "data": artifact("Counter").creation(), "gas": hex(_DEPLOYMENT_GAS)}
    tx_hash = rpc.call("eth_sendTransaction", creation)
    rpc.call("evm_mine")
    return str(to_checksum_address(rpc.call("eth_getTransactionReceipt", tx_hash)["contractAddress"]))


def count(rpc: Rpc, address: str, keys: Iterable[str]) -> dict[str, int]:
    """How often each key is counted now."""
    asked = list(keys)
    answers = rpc.batch([("eth_call", ({"to": address, "data": counter.counts(key)}, "latest")) for key in asked])
    return {key: int(answer, 16) for key, answer in zip(asked, answers, strict=True)}


def total(rpc: Rpc, address: str, *, since: int = 0) -> Tally[str]:
    """How often every key was counted from a block on, by the events: also keys that nobody expects."""
    wanted = {"address": address, "topics": [counter.BUMPED], "fromBlock": hex(since), "toBlock": "latest"}
    return Tally(log["topics"][1] for log in rpc.call("eth_getLogs", wanted))
