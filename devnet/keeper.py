"""The local venue's operator: it posts prices, fills orders, and closes what the price has reached.

python -m devnet.keeper --rpc-url http://127.0.0.1:8545 --seed 1
"""

import argparse
import logging
import signal
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from devnet import deploy
from devnet.markets import MARKETS, to_feed
from devnet.prices import AT_ONCE, FillDelay, PriceWalk
from devnet.rpc import Call, Rpc, RpcError, RpcUnavailable

logger = logging.getLogger("devnet.keeper")

ORDER_LIFETIME_BLOCKS = 15
GAS_LIMIT = 3_000_000
# Far above any base fee of a local chain: an order must be filled in a fee spike too.
FEE_CAP_WEI = 1_000 * 10**9
TIP_WEI = 10**9
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one pass sent: transaction hashes, to be mined by whoever runs the chain."""

    prices: tuple[str, ...]
    fills: tuple[str, ...]
    cancellations: tuple[str, ...]
    triggers: tuple[str, ...]


@dataclass(kw_only=True)
class Keeper:
    """One pass at a time, on any clock. It remembers nothing that it couldn't learn again from the chain."""

    rpc: Rpc
    deployment: deploy.Deployment
    walk: PriceWalk | None = None
    delay: FillDelay = AT_ONCE
    page: int = 500  # of a list of the contracts': a whole one may cost more gas than a call has
    _pinned: dict[str, int] = field(default_factory=dict, init=False)
    _first_seen: dict[int, float] = field(default_factory=dict, init=False)
    _tried_at_block: dict[int, int] = field(default_factory=dict, init=False)

    def set_price(self, symbol: str, price: Decimal | str) -> None:
        """Hold a market at a price from the next tick on."""
        self._pinned[symbol] = to_feed(Decimal(price))

    def tick(self, *, now: float = 0.0) -> Tick:
        """Post the prices, then fill, cancel and trigger what is due at `now` (seconds, of any clock).

        Orders and triggers are those of the last mined block: a price that this tick posts
        sets off its triggers one tick after it was mined.
        """
        head = int(self.rpc.call("eth_blockNumber"), 16)
        prices = self._price_calls(head)
        fills, cancellations = self._order_calls(head, now)
        triggers = self._trigger_calls()
        # One sequence of nonces in this order: a fill sees the prices of its own tick.
        sent = iter(self._send([*prices, *fills, *cancellations, *triggers]))
        return Tick(
            prices=tuple(next(sent) for _ in prices),
            fills=tuple(next(sent) for _ in fills),
            cancellations=tuple(next(sent) for _ in cancellations),
            triggers=tuple(next(sent) for _ in triggers),
        )

    def _price_calls(self, head: int) -> list[dict[str, str]]:
        prices = {market.symbol: self._answer(market.symbol) for market in MARKETS}
        moved = prices if self.walk is None else self.walk.after(prices, step=head)
        posted = moved | self._pinned
        return [self.deployment.feed(symbol).transaction("setAnswer", posted[symbol]) for symbol in prices]

    def _answer(self, symbol: str) -> int:
        return int(self.deployment.feed(symbol).read(self.rpc, "latestRoundData")[1])

    def _order_calls(self, head: int, now: float) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        pending = self._pending_orders()
        self._forget_all_but(pending)
        untried = [each for each in pending if self._tried_at_block.get(each, -1) < head]
        # What we send is mined in the next block at the earliest.
        late = {each for each in untried if head + 1 > pending[each] + ORDER_LIFETIME_BLOCKS}
        due = [each for each in untried if each not in late and self._is_due(each, now)]
        self._tried_at_block |= dict.fromkeys([*late, *due], head)
        router = self.deployment.contract("TradingRouter")
        fills = [router.transaction("executeMarketOrder", each) for each in due]
        return fills, [router.transaction("cancelPendingMarketOrder", each) for each in sorted(late)]

    def _is_due(self, order_id: int, now: float) -> bool:
        return now - self._first_seen.setdefault(order_id, now) >= self.delay.of(order_id)

    def _pending_orders(self) -> dict[int, int]:
        """Every pending order with the block that it was initiated in."""
        storage = self.deployment.contract("TradingStorage")
        orders: dict[int, int] = {}
        while True:
            ids, blocks = storage.read(self.rpc, "pendingOrders", len(orders), self.page)
            orders |= dict(zip(ids, blocks, strict=True))
            if len(ids) < self.page:
                return orders

    def _forget_all_but(self, pending: dict[int, int]) -> None:
        self._first_seen = {each: at for each, at in self._first_seen.items() if each in pending}
        self._tried_at_block = {each: at for each, at in self._tried_at_block.items() if each in pending}

    def _trigger_calls(self) -> list[dict[str, str]]:
        router = self.deployment.contract("TradingRouter")
        due = [*self._due_triggers("ofTrades"), *self._due_triggers("ofLimits")]
        return [
            router.transaction("executeLimitOrder", each["kind"], each["trader"], each["pairIndex"], each["index"])
            for each in due
        ]

    def _due_triggers(self, listing: str) -> list[dict[str, Any]]:
        triggers = self.deployment.contract("DueTriggers")
        found: list[dict[str, Any]] = []
        offset = 0
        while True:
            listed, due = triggers.read(self.rpc, listing, offset, self.page)
            found += due
            offset += listed
            if listed < self.page:
                return found

    def _send(self, calls: list[dict[str, str]]) -> list[str]:
        """Send from the operator's account and return the hashes; a refused one is logged, its hash empty."""
        first = int(self.rpc.call("eth_getTransactionCount", deploy.OPERATOR, "pending"), 16)
        return [self._hash(answer) for answer in self.rpc.batch([_sending(call, first + i) for i, call in enumerate(calls)])]

    def _hash(self, answer: Any) -> str:
        if isinstance(answer, RpcError):
            logger.warning("keeper.refused reason=%s", answer)
            return ""
        return str(answer)


def _sending(call: dict[str, str], nonce: int) -> Call:
    # With a gas limit of ours the node doesn't simulate: a fill that reverts does so on the chain, as the real one's.
    terms = {"from": deploy.OPERATOR, "nonce": hex(nonce), "gas": hex(GAS_LIMIT)}
    fees = {"maxFeePerGas": hex(FEE_CAP_WEI), "maxPriorityFeePerGas": hex(TIP_WEI)}
    return "eth_sendTransaction", ({**call, **terms, **fees},)


@dataclass(kw_only=True)
class Rhythm:
    """Runs a keeper once a block until told to stop. A node that is away costs one line, not the process."""

    keeper: Keeper
    stopped: threading.Event
    _last_block: int = field(default=-1, init=False)
    _is_away: bool = field(default=False, init=False)

    def run(self) -> None:
        """Work until `stopped` is set."""
        while not self.stopped.is_set():
            self.beat(now=time.monotonic())
            self.stopped.wait(POLL_SECONDS)

    def beat(self, *, now: float) -> None:
        """One look at the chain, and one tick if it has a new block."""
        try:
            self._tick_on_a_new_block(now)
        except (RpcUnavailable, RpcError) as error:
            self._say_once(f"keeper.node_away reason={error}", is_away=True)
        else:
            self._say_once("keeper.node_back", is_away=False)

    def _tick_on_a_new_block(self, now: float) -> None:
        head = int(self.keeper.rpc.call("eth_blockNumber"), 16)
        if head == self._last_block or not deploy.is_wired(self.keeper.rpc):
            return
        self._last_block = head
        tick = self.keeper.tick(now=now)
        if tick.fills or tick.cancellations or tick.triggers:
            logger.info(
                "keeper.worked block=%d fills=%d cancellations=%d triggers=%d",
                *(head, len(tick.fills), len(tick.cancellations), len(tick.triggers)),
            )

    def _say_once(self, line: str, *, is_away: bool) -> None:
        if is_away != self._is_away:
            logger.warning(line)
        self._is_away = is_away


def main() -> None:
    """Run until SIGTERM or SIGINT. This will stop at once: an unfilled order waits for the next keeper."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    with Rpc(arguments.rpc_url) as rpc:
        Rhythm(keeper=_keeper(arguments, rpc), stopped=stopped).run()


def _keeper(arguments: argparse.Namespace, rpc: Rpc) -> Keeper:
    seed: int = arguments.seed
    delay = FillDelay(seed=seed, median_seconds=arguments.median_delay, p99_seconds=arguments.p99_delay)
    return Keeper(rpc=rpc, deployment=deploy.expected(), walk=PriceWalk(seed=seed), delay=delay)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devnet.keeper", description="The local venue's operator.")
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--median-delay", type=float, default=2.0, help="seconds until an order is filled; 0: at once")
    parser.add_argument("--p99-delay", type=float, default=15.0, help="seconds that one order in a hundred waits longer than")
    return parser.parse_args()


if __name__ == "__main__":
    main()
