"""A trader's own hand at the venue, beside the desk: each act is one transaction, sent and not yet mined."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from devnet.deploy import Deployment
from devnet.markets import ONE, USDC
from devnet.rpc import Rpc
from trading.domain.units import Leverage, Price, Usdc

MARKET, STOP_LIMIT, LIMIT = 0, 1, 2
DEPOSIT, WITHDRAW = 0, 1
GAS_LIMIT = 3_000_000
ETH, BTC, SOL = 0, 1, 2
_ALL = 2**256 - 1


def raw(amount: str | Usdc | Price | Leverage, *, scale: int = USDC) -> int:
    """The chain's integer for a human's number, or for ours."""
    return int(Decimal(amount) * scale) if isinstance(amount, str) else amount.raw


@dataclass(frozen=True, kw_only=True)
class Hand:
    """One address that the local chain signs for."""

    rpc: Rpc
    deployment: Deployment
    address: str

    def fund(self, usdc: str) -> None:
        """Gas, play money, and the venue's leave to take it; mined at once."""
        self.rpc.call("anvil_setBalance", self.address, hex(10**20))
        self.rpc.call("anvil_impersonateAccount", self.address)
        for call in (
            self.deployment.contract("Usdc").transaction("mint", self.address, raw(usdc)),
            self.deployment.contract("Usdc").transaction("approve", self.deployment.storage, _ALL),
        ):
            self._send(call)
        self.rpc.call("evm_mine")

    def open(
        self,
        *,
        collateral: str,
        leverage: str = "3",
        price: str = "60000",
        pair: int = BTC,
        buy: bool = True,
        kind: int = MARKET,
        slippage: str = "1",
        tp: str = "0",
        sl: str = "0",
    ) -> str:
        """A market order, or a limit that waits for its price."""
        levels = (raw(tp, scale=ONE), raw(sl, scale=ONE))
        terms = (raw(collateral), raw(price, scale=ONE), buy, raw(leverage, scale=ONE), *levels, 0)
        return self._call("openTrade", (self.address, pair, 0, 0, *terms), kind, raw(slippage, scale=ONE))

    def close(self, *, amount: str | Usdc, price: str = "60000", pair: int = BTC, index: int = 0) -> str:
        """Close so much of a position's collateral."""
        return self._call("closeTradeMarket", pair, index, raw(amount), raw(price, scale=ONE))

    def increase(
        self, *, collateral: str, leverage: str = "3", price: str = "60000", pair: int = BTC, index: int = 0, slippage: str = "1"
    ) -> str:
        """Add collateral and notional to a position."""
        update = (self.address, pair, index, raw(price, scale=ONE), raw(collateral), raw(leverage, scale=ONE))
        return self._call("increasePositionSize", update, raw(slippage, scale=ONE))

    def margin(self, *, amount: str, change: int = DEPOSIT, pair: int = BTC, index: int = 0) -> str:
        """Add collateral to a position, or take some out."""
        return self._call("updateMargin", pair, index, change, raw(amount), [], 0)

    def update_limit(self, *, price: str, pair: int = BTC, index: int = 0, slippage: str = "1") -> str:
        """Let a limit wait for another price."""
        return self._call("updateOpenLimitOrder", pair, index, raw(price, scale=ONE), raw(slippage, scale=ONE), 0, 0)

    def cancel_limit(self, *, pair: int = BTC, index: int = 0) -> str:
        """Withdraw a limit."""
        return self._call("cancelOpenLimitOrder", pair, index)

    def _call(self, function: str, *arguments: Any) -> str:
        return self._send(self.deployment.contract("TradingRouter").transaction(function, *arguments))

    def _send(self, call: dict[str, str]) -> str:
        # A limit of our own: the node doesn't simulate, and what reverts does so on the chain.
        return str(self.rpc.call("eth_sendTransaction", {**call, "from": self.address, "gas": hex(GAS_LIMIT)}))


__all__ = ["BTC", "DEPOSIT", "ETH", "LIMIT", "SOL", "STOP_LIMIT", "WITHDRAW", "Hand", "raw"]
