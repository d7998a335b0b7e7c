"""A market day: traders who do all that the venue allows, prices that jump, blocks that vanish, an indexer that dies.

Nothing of it is replayed from a script: a seed draws it. At its end the books must be the venue's, to the last unit.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from eth_utils import to_checksum_address

from devnet.deploy import DEPLOYER, OPERATOR
from execution.services import indexing
from tests.scenario import way
from tests.scenario.hand import BTC, DEPOSIT, ETH, GAS_LIMIT, LIMIT, SOL, STOP_LIMIT, WITHDRAW, Hand
from tests.scenario.way import Doomed, Killed
from tests.scenario.world import World
from trading.domain.units import Usdc
from trading.models import Position, Trader

ONE = 10**10
FIRST_PRICES = {ETH: Decimal(3000), BTC: Decimal(60_000), SOL: Decimal(150)}
SYMBOLS = {ETH: "ETH-USD", BTC: "BTC-USD", SOL: "SOL-USD"}
PURSE = "20000"
# A node keeps the states of its last blocks only.
DEEPEST_FORK = 6
_ACTS = {"open": 34, "close": 22, "increase": 8, "margin": 8, "place": 8, "move": 3, "withdraw": 3, "levels": 6, "end": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a day holds. The chances are those of a round."""

    traders: int
    orders: int
    fork: float = 0.04
    death: float = 0.05


@dataclass(kw_only=True)
class Day:
    """One day in a world of its own."""

    world: World
    size: Size
    draw: random.Random
    hands: list[Hand] = field(default_factory=list)
    prices: dict[int, Decimal] = field(default_factory=lambda: dict(FIRST_PRICES))
    did: Counter[str] = field(default_factory=Counter)
    vault_at_first: Usdc = field(default_factory=Usdc.zero)

    def begin(self) -> None:
        """Traders with a purse, followed; and a rate of funding in each market."""
        for number in range(self.size.traders):
            address = str(to_checksum_address(f"0x{0xDA << 152 | number + 1:040x}"))
            hand = Hand(rpc=self.world.rpc, deployment=self.world.deployment, address=address)
            hand.fund(PURSE)
            Trader.objects.create(tg_user_id=90_000 + number, name=f"hand {number}", address=address)
            self.hands.append(hand)
        self.world._catch_up()
        self.vault_at_first = self.world.balance(self.world.deployment.vault)
        self._change_funding()
        # No reorganization takes a purse away.
        self.world.mine(DEEPEST_FORK + 1)

    def live(self) -> None:
        """Go on until enough was ordered, and then until the venue has answered."""
        while self.did["orders"] < self.size.orders:
            for _ in range(self.draw.randint(1, max(2, self.size.traders // 6))):
                self._act(self.draw.choice(self.hands))
            self._go_on()
        for _ in range(20):
            self._go_on(is_quiet=True)
        way.index(self.world)

    def _go_on(self, *, is_quiet: bool = False) -> None:
        self.world.mine()
        if not is_quiet and self.draw.random() < self.size.fork:
            self._fork()
        self.world.now += timedelta(seconds=self.draw.choice((0, 2, 30, 600)))
        self._move_prices()
        way.keep(self.world)
        if not is_quiet and self.draw.random() < self.size.death:
            self._die()
        if is_quiet or self.draw.random() < 0.8:
            way.index(self.world)

    def _act(self, hand: Hand) -> None:
        act = self.draw.choices(list(_ACTS), weights=list(_ACTS.values()))[0]
        held = list(Position.objects.open().filter(trader__address=hand.address).select_related("market"))
        if act in ("close", "increase", "margin", "levels", "end") and not held:
            act = "open"
        if act in ("open", "place"):
            self._open(hand, is_limit=act == "place")
        elif act in ("move", "withdraw"):
            self._move_limit(hand, is_end=act == "withdraw")
        else:
            self._change(hand, act, self.draw.choice(held))

    def _open(self, hand: Hand, *, is_limit: bool) -> None:
        pair, buy = self.draw.choice(list(self.prices)), self.draw.random() < 0.5
        kind = self.draw.choice((LIMIT, STOP_LIMIT)) if is_limit else 0
        price = self._price(pair) * (Decimal(self.draw.choice((98, 99, 101, 102))) / 100 if is_limit else 1)
        leverage = self.draw.choice(("2", "5.5", "13", "30", "60"))
        stop = price * (1 - Decimal("0.4") / Decimal(leverage)) if buy else price * (1 + Decimal("0.4") / Decimal(leverage))
        collateral = str(Decimal(self.draw.randint(8_000_000, 300_000_000)) / 10**6)
        sl = str(stop.quantize(Decimal("0.01"))) if self.draw.random() < 0.4 else "0"
        terms = {"pair": pair, "buy": buy, "kind": kind, "leverage": leverage, "collateral": collateral, "sl": sl}
        hand.open(price=f"{price:.2f}", slippage=self.draw.choice(("0.1", "1", "5")), **terms)
        self._count("limits" if is_limit else "opens")

    def _change(self, hand: Hand, act: str, position: Position) -> None:
        pair, index = position.market.pair_index, position.venue_index
        price, held = f"{self._price(pair):.2f}", position.collateral_usdc
        if act == "end":
            hand.close(amount=held, price=price, pair=pair, index=index)
            self._count("closes")
        elif act == "close":
            hand.close(amount=Usdc(max(held.raw * self.draw.randint(1, 99) // 100, 1)), price=price, pair=pair, index=index)
            self._count("closes")
        elif act == "increase":
            leverage = self.draw.choice(("3", "10", "25"))
            hand.increase(collateral="20.123457", leverage=leverage, price=price, pair=pair, index=index)
            self._count("increases")
        elif act == "margin":
            change = self.draw.choice((DEPOSIT, WITHDRAW))
            hand.margin(amount=f"{self.draw.randint(1_000_000, 9_000_000) / 10**6:.6f}", change=change, pair=pair, index=index)
            self.did["margins"] += 1
        else:
            self._set_levels(hand, position)

    def _move_limit(self, hand: Hand, *, is_end: bool) -> None:
        pair, index = self.draw.choice(list(self.prices)), self.draw.randint(0, 1)
        if is_end:
            hand.cancel_limit(pair=pair, index=index)
        else:
            hand.update_limit(price=f"{self._price(pair):.2f}", pair=pair, index=index)
        self.did["limits changed"] += 1

    def _set_levels(self, hand: Hand, position: Position) -> None:
        share = Decimal(self.draw.randint(1, 30)) / 1000
        up, down = (int(position.entry_price.raw * each) for each in (1 + share, 1 - share))
        target, stop = (up, down) if position.direction == "LONG" else (down, up)
        place = (hand.address, position.market.pair_index, position.venue_index)
        self._tell(OPERATOR, "TradingRouter", "updateTpSl", *place, target, stop)
        self.did["levels"] += 1

    def _move_prices(self) -> None:
        for pair, price in self.prices.items():
            step = self.draw.choice((1, 1, 3, 10, 60)) if self.draw.random() < 0.7 else 0
            self.prices[pair] = price * (1 + Decimal(self.draw.randint(-step, step)) / 1000)
            # The day goes around where it began.
            self.prices[pair] += (FIRST_PRICES[pair] - self.prices[pair]) / 20
            self.world.keeper.set_price(SYMBOLS[pair], self._price(pair))
        if self.draw.random() < 0.02:
            self._change_funding()

    def _change_funding(self) -> None:
        for pair in self.prices:
            self._tell(DEPLOYER, "PairStorage", "setFunding", pair, self.draw.randint(-(ONE // 20), ONE // 20))

    def _fork(self) -> None:
        depth = self.draw.randint(1, DEEPEST_FORK)
        self.world.rpc.call("anvil_dropAllTransactions")
        self.world.rpc.call("anvil_reorg", depth, [])
        # The keeper remembers what it tried on the other fork.
        self.world.keeper._tried_at_block.clear()
        self.did["reorganizations"] += 1

    def _die(self) -> None:
        sane = self.world.desk
        self.world.desk = replace(sane, chain=Doomed(sane.chain, self.draw.choice(("logs", "blocks")), is_after=True))
        try:
            indexing.drain(desk=self.world.desk, clock=self.world.clock)
        except Killed:
            self.did["indexer's deaths"] += 1
        self.world.desk = sane

    def _price(self, pair: int) -> Decimal:
        return self.prices[pair].quantize(Decimal("0.01"))

    def _count(self, what: str) -> None:
        self.did[what] += 1
        self.did["orders"] += 1

    def _tell(self, sender: str, contract: str, function: str, *arguments: object) -> None:
        call = self.world.deployment.contract(contract).transaction(function, *arguments)
        self.world.rpc.call("eth_sendTransaction", {**call, "from": sender, "gas": hex(GAS_LIMIT)})
