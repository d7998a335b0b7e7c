"""The machine's desk: the services and the rows are the real ones, the chain, the keys, the switch and the time are in its hands.

stand = Stand(nodes=2, senders=3)
stand.tell(trader=0)
stand.work()
stand.mine()
stand.mend()
stand.come_to_rest()
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Min
from django.test import override_settings

from execution.adapters.accounts import DeskAccounts
from execution.desk import Desk
from execution.domain.intent import LIFECYCLE, IntentStatus
from execution.models import Cursor, Delegation, Sender, TxIntent, TxSend
from execution.models.sender import SenderStatus
from execution.services import indexing, orders, senders
from risk.models import Leg, Policy
from risk.services import decisions, policies
from tests.fakes.chain import FakeChain
from tests.fakes.ledger import COUNTER, GWEI, Ledger
from tests.fakes.signer import OpenSigner
from tests.fakes.switch import Switch
from tests.fakes.venue import CountingVenue
from tests.machine import fates
from tests.machine.fates import Fate, Killed
from tests.scenario.world import LISTINGS
from trading.domain import signal_form, strict_json
from trading.domain.errors import Unavailable
from trading.domain.mode import Book, Mode
from trading.domain.position import Direction
from trading.domain.price import Quote
from trading.domain.signal import SignalStatus
from trading.domain.units import Leverage, Price, Usdc, Wei
from trading.models import Market, ModeState, Position, Signal, Source, Trader
from trading.services import mode, prices, signals
from trading.services.signals import Acceptance

TRADERS = 3
LEASE = timedelta(seconds=10)
PURSE = 10**21
# The deepest reorganization that the machine makes.
DEEPEST = 6
# Few in flight, so that the edge is met with few signals; final below every reorganization.
SETTINGS = {"MAX_IN_FLIGHT": 4, "FINALITY_BLOCKS": DEEPEST, "VENUE_MAX_PENDING_ORDERS": 1_000, "ENABLE_RBF": True}
ENDED = [str(status) for status in IntentStatus if status in LIFECYCLE.terminal]


class Broken(AssertionError):
    """The desk broke one of its promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One call of a worker: which, and for whose lane."""

    name: str
    lane: int = 0


class Stand:
    """One example's world. `close` gives the settings back."""

    def __init__(self, *, nodes: int, senders: int) -> None:
        self._settings = override_settings(**SETTINGS)
        self._settings.enable()
        _empty()
        self.ledger = Ledger(on_arrival=_must_be_stored)
        self.chain = FakeChain(self.ledger, endpoints=nodes)
        self.switch = Switch()
        signers = [OpenSigner(f"0x{number:064x}") for number in range(1, senders + 1)]
        venue = CountingVenue(COUNTER)
        self.desk = Desk(chain=self.chain, venue=venue, signer=signers[0], others=tuple(signers[1:]), switch=self.switch)
        self.signers = signers
        self._told: list[dict[str, object]] = []
        self._lapses_at = self.ledger.time
        self._furnish()
        self.sender_ids = list(Sender.objects.order_by("pk").values_list("pk", flat=True))
        self.traders = list(Trader.objects.order_by("pk"))

    def close(self) -> None:
        """Give the settings back."""
        self._settings.disable()

    # What comes in.

    def tell(self, *, trader: int, symbol: str = "BTC-USD", side: str = "LONG") -> Acceptance:
        """A new signal; each entry has a collateral, and so a key on the chain, of its own."""
        number = len(self._told) + 1
        body: dict[str, object] = {"source": "test", "signal_id": f"s{number}", "symbol": symbol, "side": side}
        body["tg_user_id"] = self.traders[trader % TRADERS].tg_user_id
        if side != "CLOSE":
            body |= {"collateral_usdc": f"50.{number:06d}", "leverage_x": "3"}
        self._told.append(body)
        return self._accept(body)

    def tell_again(self, number: int, **changes: object) -> Acceptance | None:
        """One of the signals so far once more, word for word or changed; None if there is none."""
        return self._accept(self._told[number % len(self._told)] | changes) if self._told else None

    def _accept(self, body: dict[str, object]) -> Acceptance:
        raw = json.dumps(body).encode()
        request = signal_form.read(strict_json.parse(raw))
        source = Source.objects.get(name=Source.DEFAULT)
        return signals.accept(request=request, raw=raw, source=source, at=self.ledger.time)

    # Who works.

    @property
    def tasks(self) -> list[Task]:
        """Every task there is."""
        of_traders = [Task(name=name, lane=trader.pk) for trader in self.traders for name in ("decide", "order")]
        return [*of_traders, *(Task(name="drain", lane=pk) for pk in self.sender_ids), Task(name="index")]

    def do(self, task: Task) -> None:
        """One call of one task, as a worker makes it."""
        clock = self.ledger.now
        match task.name:
            case "decide":
                decisions.drain(trader_id=task.lane, switch=self.switch, accounts=DeskAccounts(self.desk), clock=clock)
            case "order":
                orders.take_in(trader_id=task.lane, at=clock())
            case "drain":
                senders.drain(sender_id=task.lane, desk=self.desk, clock=clock)
            case "index":
                indexing.drain(desk=self.desk, clock=clock)

    def do_with(self, task: Task, fate: Fate, *, at: int) -> None:
        """The same, while something happens to the worker at one of its failpoints, if it comes so far."""
        if fate is Fate.DIES:
            with suppress(Killed), fates.dying_at(at):
                self.do(task)
            # Its lease goes on without it.
            self._lapses_at = self.ledger.time + LEASE
            return
        with fates.interrupted_at(at, lambda: self.do(task) if fate is Fate.IS_RUNG else self._succeed(task)):
            self.do(task)

    def _succeed(self, task: Task) -> None:
        self.ledger.wait(LEASE.total_seconds())
        self._end_leases()
        self.do(task)

    def work(self) -> None:
        """Every task that has something to do, once."""
        due = {"next_action_at__lte": self.ledger.time}
        for trader_id in Signal.objects.filter(**due).values_list("trader_id", flat=True).distinct().order_by("trader_id"):
            self.do(Task(name="decide", lane=trader_id))
        for trader_id in Leg.objects.filter(**due).values_list("trader_id", flat=True).distinct().order_by("trader_id"):
            self.do(Task(name="order", lane=trader_id))
        for sender_id in TxIntent.objects.filter(**due).values_list("sender_id", flat=True).distinct().order_by("sender_id"):
            self.do(Task(name="drain", lane=sender_id))
        self.do(Task(name="index"))

    # How time goes by.

    def mine(self, blocks: int = 1) -> None:
        """Blocks of what waits."""
        self.ledger.mine(blocks)
        self._pass()

    def wait(self, seconds: int) -> None:
        """Time without a block."""
        self.ledger.wait(seconds)
        self._pass()

    def _pass(self) -> None:
        if self.ledger.time >= self._lapses_at:
            self._end_leases()

    def _end_leases(self) -> None:
        with connection.cursor() as cursor:
            for table in ("senders", "traders", "cursors"):
                cursor.execute(
                    f"UPDATE {table} SET leased_until = clock_timestamp() - interval '1 second' WHERE leased_until IS NOT NULL"
                )

    # How the desk is set.

    def set_mode(self, wanted: Mode) -> None:
        """A person chooses; a switch that is down keeps the wish in the database."""
        with suppress(Unavailable):
            mode.switch_to(mode=wanted, switch=self.switch, actor="test", reason="", at=self.ledger.time)

    def set_stop(self, *, is_up: bool) -> None:
        """A person stops everything, or lifts the stop."""
        if is_up:
            mode.stop_everything(switch=self.switch, actor="test", origin="console", reason="", at=self.ledger.time)
        else:
            mode.lift_stop(switch=self.switch, actor="test", reason="", at=self.ledger.time)

    def set_sender(self, number: int, **changes: object) -> None:
        """An operator changes a sender's row; one in quarantine stays there."""
        pk = self.sender_ids[number % len(self.sender_ids)]
        Sender.objects.filter(pk=pk).exclude(status=SenderStatus.QUARANTINED).update(**changes)

    def set_purse(self, number: int, wei: int) -> None:
        """What a sender has for gas."""
        self.ledger.set_balance(self.signers[number % len(self.signers)].address, wei)

    @property
    def may_sign(self) -> bool:
        """Whether nobody objects to a new call being signed."""
        state = ModeState.objects.get(pk=1)
        is_stopped = state.emergency_stop or self.switch.stop is True
        return not is_stopped and not self.switch.is_down and self.switch.mode is Mode.LIVE

    # How it ends.

    def mend(self) -> None:
        """No fault is left, the market is cheap, and the desk is LIVE."""
        for node in self.chain.nodes:
            node.mend()
        self.ledger.base_fee, self.ledger.block_gas_limit = GWEI, 60_000_000
        self.ledger.counter.reverting.clear()
        self.switch.is_down = False
        self.set_stop(is_up=False)
        self.set_mode(Mode.LIVE)
        settings.ENABLE_RBF = True
        for number in range(len(self.sender_ids)):
            self.set_purse(number, PURSE)
            self.set_sender(number, status=SenderStatus.ACTIVE, status_reason="", fee_ceiling_wei=Wei(100_000 * GWEI))
        self._end_leases()

    def come_to_rest(self, *, rounds: int = 120) -> None:
        """Go on until nothing is left to do; the faults are mended before.

        Raises:
            Broken: if that takes too long.
        """
        for _ in range(rounds):
            self.work()
            if self.is_idle:
                return
            self._mine_until_due()
        raise Broken(f"L1: after {rounds} rounds without a fault this is still open: {list(self._open())}")

    @property
    def is_idle(self) -> bool:
        """Whether nothing is owed to anybody, and every block was read."""
        return not any(self._open()) and Cursor.objects.get().hash == self.ledger.head.hash

    def _open(self) -> Iterator[object]:
        yield from Signal.objects.filter(status=SignalStatus.RECEIVED).values("signal_id", "status")
        yield from Leg.objects.exclude(next_action_at=None).values("pk", "trader")
        waiting = TxIntent.objects.exclude(status__in=ENDED)
        yield from waiting.values("intent_key", "status", "nonce", "blocked_reason", "sender__status", "next_action_at")

    def _mine_until_due(self) -> None:
        nexts = [rows.aggregate(first=Min("next_action_at"))["first"] for rows in (TxIntent.objects, Signal.objects, Leg.objects)]
        due = min((each for each in nexts if each is not None), default=self.ledger.time)
        self.mine()
        while self.ledger.time < due:
            self.mine()

    # How it begins.

    def _furnish(self) -> None:
        at = self.ledger.time
        Source.objects.create(name=Source.DEFAULT)
        ModeState.objects.create(pk=1, configured=Mode.LIVE, is_chosen=True, updated_at=at)
        Market.objects.bulk_create(Market(**listing, synced_at=at) for listing in LISTINGS)
        policies.seed(at=at)
        # The machine is as busy as Hypothesis wants it.
        Policy.objects.update(max_opens_per_minute=None, max_trades_per_day=None, max_collateral_per_hour_usdc=None)
        for signer in self.signers:
            self.ledger.set_balance(signer.address, PURSE)
        self.ledger.mine(2)
        senders.enlist(desk=self.desk, at=at)
        indexing.start(desk=self.desk)
        # The stream begins here: no reorganization of ours goes below.
        self.ledger.mine(DEEPEST)
        indexing.drain(desk=self.desk, clock=self.ledger.now)
        self._admit(list(Sender.objects.order_by("pk")))
        prices.refresh(sources=[_Feed(self.ledger)], at=self.ledger.time)

    def _admit(self, homes: Sequence[Sender]) -> None:
        """Traders, each with a home and something to close in every market."""
        at = self.ledger.time
        for number in range(TRADERS):
            trader = Trader.objects.create(tg_user_id=100 + number, name=f"trader {number}", address=f"0x{number + 1:040x}")
            home = homes[number % len(homes)]
            Delegation.objects.create(trader=trader, sender=home, expires_at=at + timedelta(days=9), checked_at=at)
            Position.objects.bulk_create(
                Position(
                    trader=trader,
                    market=market,
                    book=Book.LIVE,
                    direction=Direction.LONG,
                    venue_index=0,
                    opened_at=at,
                    collateral_usdc=Usdc.of(1_000 + 10 * number + place),
                    leverage_x=Leverage.of(3),
                    entry_price=Price.of(60_000),
                    realised_pnl_usdc=Usdc.zero(),
                )
                for place, market in enumerate(Market.objects.order_by("pair_index"))
            )


@dataclass(frozen=True, slots=True)
class _Feed:
    """Prices that stay fresh through the longest run."""

    ledger: Ledger
    name: str = "fake"
    weight: Decimal = Decimal(1)
    rhythm: timedelta = timedelta(0)

    def covers(self, _symbol: str, /) -> bool:
        return True

    def quotes(self, markets: Mapping[str, int]) -> list[Quote]:
        return [
            Quote(
                symbol=symbol,
                source=self.name,
                price=Price.of(60_000),
                confidence=Price.zero(),
                weight=self.weight,
                published_at=self.ledger.time,
                limit=timedelta(days=9),
            )
            for symbol in markets
        ]


def _must_be_stored(raw: str, tx_hash: str) -> None:
    if not TxSend.objects.filter(tx_hash=tx_hash, raw=raw).exists():
        raise Broken(f"I3: a node hears of {tx_hash}, and nothing of it is stored")


def _empty() -> None:
    """Take every row of ours away, past the triggers that keep them: quicker than TRUNCATE for so few."""
    tables = [
        model._meta.db_table for label in ("trading", "risk", "execution") for model in apps.get_app_config(label).get_models()
    ]
    deletions = ";".join(f"DELETE FROM {table}" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; {deletions}; SET session_replication_role = origin")
