"""A small world for scenarios: the real database, the real chain, our own venue, and a clock that tests hold.

Nothing of ours is replaced: signals go through the door, and each stage is the service that its task calls.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.test import Client

from devnet.deploy import Deployment
from devnet.keeper import Keeper
from devnet.rpc import Rpc
from execution.adapters.accounts import DeskAccounts
from execution.adapters.local_signer import LocalSigner
from execution.adapters.local_wallet import LocalWallet
from execution.adapters.rpc import RpcChain
from execution.adapters.veranta.venue import VerantaVenue
from execution.desk import Desk
from execution.models import Sender
from execution.services import catalogue, indexing, onboarding, orders, senders
from risk.models import Leg, Policy
from risk.services import copies, copying, decisions, policies
from tests.fakes.switch import Switch
from trading import clock as database_clock
from trading.adapters.chainlink import ChainlinkFeeds
from trading.domain.proof import signature_of
from trading.domain.units import Usdc
from trading.models import Market, Signal, Trader
from trading.ports import PriceSource
from trading.services import prices

BLOCK_SPAN = timedelta(seconds=2)


@dataclass(kw_only=True)
class World:
    """The desk with its surroundings. `now` is the time that every service is told."""

    rpc: Rpc
    deployment: Deployment
    keeper: Keeper
    switch: Switch
    desk: Desk
    now: datetime
    # Who is asked for prices.
    sources: tuple[PriceSource, ...] = field(default_factory=lambda: (_feeds(),))
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        """The world's time."""
        return self.now

    def admit(self, tg_user_id: int, *, usdc: str = "10000") -> Trader:
        """A trader with play money, a delegation and an allowance."""
        amount = Usdc.of(usdc)
        wallet = LocalWallet(tg_user_id=tg_user_id, funds=amount)
        trader, _ = onboarding.admit(
            tg_user_id=tg_user_id,
            name=f"trader {tg_user_id}",
            wallet=wallet,
            allowance=amount,
            desk=self.desk,
            actor="test",
            at=self.now,
        )
        self._catch_up()
        return trader

    def allow(self, tg_user_id: int, *, usdc: str) -> None:
        """Let the venue take so much of a trader's dollars from now on, and no more."""
        wallet = LocalWallet(tg_user_id=tg_user_id, funds=Usdc.zero())
        until = self.now + timedelta(days=90)
        wallet.grant(delegate=self.desk.signer.address, until=until, allowance=Usdc.of(usdc))
        self._catch_up()

    def send(self, client: Client, **changes: Any) -> Any:
        """Post one signed signal; an open of BTC by user 123 where nothing else is said."""
        body = {"source": "test", "signal_id": f"s{next(self.numbers)}", "tg_user_id": 123, "symbol": "BTC-USD", "side": "LONG"}
        if changes.get("side") != "CLOSE":
            body |= {"collateral_usdc": "50", "leverage_x": "3"}
        return self.post(client, json.dumps(body | changes).encode())

    def post(self, client: Client, raw: bytes) -> Any:
        """Post a body as it is, signed."""
        signature = signature_of(raw, secret=settings.WEBHOOK_HMAC_SECRET)
        return client.post("/signals", data=raw, content_type="application/json", headers={"X-Signature": signature})

    def work(self) -> None:
        """Run every stage once, as the workers would."""
        prices.refresh(sources=self.sources, at=self.now)
        for following_id in list(copies.due(before=self.now)):
            copying.work(following_id=following_id, at=self.now)
        for trader_id in Signal.objects.filter(next_action_at__lte=self.now).values_list("trader_id", flat=True).distinct():
            decisions.drain(trader_id=trader_id, switch=self.switch, accounts=DeskAccounts(self.desk), clock=self.clock)
        for trader_id in Leg.objects.due(at=self.now).order_by().values_list("trader_id", flat=True).distinct():
            orders.take_in(trader_id=trader_id, at=self.now)
        for sender in Sender.objects.all():
            senders.drain(sender_id=sender.pk, desk=self.desk, clock=self.clock)
        indexing.drain(desk=self.desk, clock=self.clock)

    def mine(self, blocks: int = 1) -> None:
        """Make blocks, two seconds each, as on Base."""
        for _ in range(blocks):
            self.now += BLOCK_SPAN
            self.rpc.call("evm_mine", hex(int(self.now.timestamp())))

    def run(self, rounds: int = 12) -> None:
        """Let the world go on: work, a block, the keeper, a block."""
        for _ in range(rounds):
            self.work()
            self.mine()
            self.keeper.tick(now=self.now.timestamp())
            self.mine()
        self.work()

    def set_price(self, symbol: str, price: str) -> None:
        """Move a market and let the feed say so."""
        self.keeper.set_price(symbol, price)
        self.keeper.tick(now=self.now.timestamp())
        self.mine()

    def balance(self, address: str) -> Usdc:
        """An address's dollars on the chain."""
        return Usdc.from_raw(self.deployment.contract("Usdc").read(self.rpc, "balanceOf", address))

    def chain_nonce(self) -> int:
        """How many transactions of our sender the chain has mined."""
        return int(self.rpc.call("eth_getTransactionCount", self.desk.signer.address, "latest"), 16)

    def _catch_up(self) -> None:
        head = self.rpc.call("eth_getBlockByNumber", "latest", False)
        ahead = datetime.fromtimestamp(int(head["timestamp"], 16), tz=self.now.tzinfo)
        self.now = max(self.now, ahead)


def make(rpc: Rpc, deployment: Deployment) -> World:
    """A world with markets, the global policy, an enlisted and funded sender, and prices."""
    switch = Switch()
    desk = Desk(chain=_chain(), venue=VerantaVenue(), signer=LocalSigner(), switch=switch)
    world = World(
        rpc=rpc,
        deployment=deployment,
        keeper=Keeper(rpc=rpc, deployment=deployment),
        switch=switch,
        desk=desk,
        now=database_clock.now(),
    )
    world._catch_up()
    rpc.call("anvil_setBalance", desk.signer.address, hex(10**20))
    # A revert to a snapshot doesn't take the price of gas back.
    rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    # Two: anvil keeps the states of the last blocks only, and a reorganization needs that of the block before the first of ours.
    world.mine(2)
    _markets(world)
    policies.seed(at=world.now)
    # A world's traders are as busy as their test wants them.
    Policy.objects.update(max_opens_per_minute=None, max_trades_per_day=None, max_collateral_per_hour_usdc=None)
    senders.enlist(desk=desk, at=world.now)
    indexing.start(desk=desk)
    world.keeper.tick(now=world.now.timestamp())
    world.mine()
    prices.refresh(sources=world.sources, at=world.now)
    return world


# One each for the whole session: their connections are theirs to keep.
@cache
def _feeds() -> ChainlinkFeeds:
    return ChainlinkFeeds()


@cache
def _chain() -> RpcChain:
    return RpcChain()


def _markets(world: World) -> None:
    for listing in LISTINGS:
        Market.objects.update_or_create(symbol=listing["symbol"], defaults=listing | {"synced_at": world.now})


_TERMS: dict[str, Any] = {
    "min_notional_usdc": "10",
    "min_leverage_x": "1",
    "max_leverage_x": "75",
    "open_fee_pct": "0.045",
    "close_fee_pct": "0.045",
    "spread_pct": "0.01",
    "max_gain_pct": "2500",
}
LISTINGS: tuple[dict[str, Any], ...] = tuple(
    {"symbol": symbol, "pair_index": index, **_TERMS} for index, symbol in enumerate(("ETH-USD", "BTC-USD", "SOL-USD"))
)

__all__ = ["World", "catalogue", "make"]
