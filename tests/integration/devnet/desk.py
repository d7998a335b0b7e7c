"""A trader's and the keeper's hands on the local venue, one block at a time."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from devnet.contract import Contract, error_name
from devnet.deploy import DEPLOYER, OPERATOR, Deployment
from devnet.keeper import Keeper
from devnet.markets import ONE, USDC
from devnet.rpc import Rpc

ALICE = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
BOB = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
ETH, BTC, SOL = 0, 1, 2
MARKET, STOP_LIMIT, LIMIT, MARKET_PNL = 0, 1, 2, 3
TAKE_PROFIT, STOP_LOSS, LIQUIDATION, OPENING = 0, 1, 2, 3
BLOCK_SECONDS = 2
GAS_LIMIT = 3_000_000
LARGEST = 2**256 - 1


def usdc(amount: str) -> int:
    """An amount of USDC at its six decimals."""
    return int(Decimal(amount) * USDC)


def tens(value: str) -> int:
    """A price, leverage or percent at its ten decimals."""
    return int(Decimal(value) * ONE)


class Refused(Exception):
    """The transaction was mined and reverted; the argument is the custom error's name."""


def refused(error: str) -> AbstractContextManager[object]:
    """Expect the transactions inside to be mined and to revert with one error."""
    return pytest.raises(Refused, match=f"^{error}$")


@dataclass(kw_only=True)
class Desk:
    """Every write is one mined block, two seconds after the last."""

    rpc: Rpc
    deployment: Deployment
    keeper: Keeper

    def contract(self, name: str) -> Contract:
        return self.deployment.contract(name)

    def read(self, name: str, function: str, *arguments: Any) -> Any:
        return self.contract(name).read(self.rpc, function, *arguments)

    def mine(self, blocks: int = 1, *, seconds: int = BLOCK_SECONDS) -> None:
        for _ in range(blocks):
            self.rpc.call("evm_setNextBlockTimestamp", self.now() + seconds)
            self.rpc.call("evm_mine")

    def now(self) -> int:
        return int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def head(self) -> int:
        return int(self.rpc.call("eth_blockNumber"), 16)

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        receipt: dict[str, Any] = self.rpc.call("eth_getTransactionReceipt", transaction_hash)
        return receipt

    def send(self, sender: str, call: Mapping[str, str], *, value: int = 0) -> dict[str, Any]:
        """One transaction in a block of its own; raises Refused if it reverts."""
        sending = {**call, "from": sender, "gas": hex(GAS_LIMIT), "value": hex(value)}
        transaction_hash = self.rpc.call("eth_sendTransaction", sending)
        self.mine()
        return self.settled(transaction_hash)

    def settled(self, transaction_hash: str) -> dict[str, Any]:
        receipt = self.receipt(transaction_hash)
        if receipt["status"] != "0x1":
            raise Refused(self._reason(transaction_hash))
        return receipt

    def _reason(self, transaction_hash: str) -> str:
        trace = self.rpc.call("debug_traceTransaction", transaction_hash, {"tracer": "callTracer"})
        return error_name(trace.get("output", "0x"))

    def on(self, name: str, function: str, *arguments: Any, sender: str, value: int = 0) -> dict[str, Any]:
        return self.send(sender, self.contract(name).transaction(function, *arguments), value=value)

    # The owner and the oracle.

    def owner(self, name: str, function: str, *arguments: Any) -> dict[str, Any]:
        return self.on(name, function, *arguments, sender=DEPLOYER)

    def price(self, symbol: str, price: str) -> None:
        call = self.deployment.feed(symbol).transaction("setAnswer", int(Decimal(price) * 10**8))
        self.send(OPERATOR, call)

    def change_pair(self, pair_index: int, **changes: Any) -> None:
        pair = self.read("PairStorage", "pair", pair_index)
        self.owner("PairStorage", "setPair", pair_index, tuple((pair | changes).values()))

    # The trader.

    def wish(self, **changes: Any) -> tuple[Any, ...]:
        """100 USDC long on ETH at 10x, wanted at 3000, unless said otherwise."""
        wish: dict[str, Any] = {
            "trader": ALICE,
            "pairIndex": ETH,
            "index": 0,
            "initialPosToken": 0,
            "positionSizeUSDC": usdc("100"),
            "openPrice": tens("3000"),
            "buy": True,
            "leverage": tens("10"),
            "tp": 0,
            "sl": 0,
            "timestamp": 0,
        }
        return tuple((wish | changes).values())

    def submit(self, *, kind: int = MARKET, slippage: str = "1", value: int = 0, **changes: Any) -> dict[str, Any]:
        """Submit an opening; the answer is its receipt."""
        wish = self.wish(**changes)
        return self.on("TradingRouter", "openTrade", wish, kind, tens(slippage), sender=wish[0], value=value)

    def open(self, **changes: Any) -> dict[str, Any]:
        """Submit and fill an opening; the answer is its MarketExecuted event."""
        self.submit(**changes)
        return self.fill()

    def submit_close(
        self, *, amount: int, price: str = "3000", index: int = 0, trader: str = ALICE, pair: int = ETH
    ) -> dict[str, Any]:
        return self.on("TradingRouter", "closeTradeMarket", pair, index, amount, tens(price), sender=trader)

    def close(self, **arguments: Any) -> dict[str, Any]:
        """Submit and fill a closing; the answer is its MarketExecuted event."""
        self.submit_close(**arguments)
        return self.fill()

    # The operator.

    def last_order_id(self) -> int:
        ids, _ = self.read("TradingStorage", "pendingOrders", 0, 1000)
        return int(max(ids))

    def execute(self, order_id: int) -> dict[str, Any]:
        return self.on("TradingRouter", "executeMarketOrder", order_id, sender=OPERATOR)

    def fill(self) -> dict[str, Any]:
        """Execute the newest order; the answer is its MarketExecuted event."""
        receipt = self.execute(self.last_order_id())
        (event,) = self.contract("TradingCallbacks").events(receipt["logs"], "MarketExecuted")
        return event

    def cancel(self, order_id: int) -> dict[str, Any]:
        return self.on("TradingRouter", "cancelPendingMarketOrder", order_id, sender=OPERATOR)

    def trigger(self, kind: int, *, trader: str = ALICE, pair: int = ETH, index: int = 0) -> dict[str, Any]:
        """Execute a limit order; the answer is its LimitExecuted event."""
        receipt = self.on("TradingRouter", "executeLimitOrder", kind, trader, pair, index, sender=OPERATOR)
        (event,) = self.contract("TradingCallbacks").events(receipt["logs"], "LimitExecuted")
        return event

    def tick(self, *, now: float = 0.0) -> list[dict[str, Any]]:
        """One pass of the keeper, mined; the answers are the receipts of all but the prices."""
        tick = self.keeper.tick(now=now)
        self.mine()
        return [self.receipt(each) for each in (*tick.fills, *tick.cancellations, *tick.triggers)]

    # What is so.

    def balance(self, holder: str) -> int:
        amount: int = self.read("Usdc", "balanceOf", holder)
        return amount

    def balances(self) -> tuple[int, int, int]:
        """Alice's, the escrow's and the vault's USDC."""
        return self.balance(ALICE), self.balance(self.deployment.storage), self.balance(self.deployment.vault)

    def trade(self, *, trader: str = ALICE, pair: int = ETH, index: int = 0) -> dict[str, Any]:
        trade: dict[str, Any] = self.read("TradingStorage", "openTrade", trader, pair, index)
        return trade

    def pending(self, trader: str = ALICE) -> list[int]:
        ids: list[int] = self.read("TradingStorage", "getPendingOrderIds", trader)
        return ids
