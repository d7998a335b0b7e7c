"""A stand: the real database and chain, a node that fails, an effect for each signal that can be counted, and the verdict.

with stands.ready(rpc_url) as stand:
    team = stand.hire(senders=2)
    stand.owe(team, 10)
    stand.node.suffer(Fault.ANSWER_LOST, times=1, on=SEND)
    stand.settle(team, workers=4)
    assert stand.verdict(team).is_clean
"""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection
from django.test import override_settings

from devnet.rpc import Rpc
from execution.adapters.rpc import RpcChain
from execution.desk import Desk
from execution.models import Cursor, Delegation, Sender, TxIntent
from execution.models.sender import SenderStatus
from execution.services import indexing, orders, senders
from risk.models import Leg
from risk.services import decisions
from tests.chaos import crew, ground, node
from tests.chaos.clerk import Clerk, accept
from tests.chaos.crew import Crew, Doom, Round
from tests.chaos.node import Node
from tests.chaos.team import Team, Told, draft
from tests.chaos.verdict import Verdict, judge
from tests.fakes import venue
from tests.fakes.accounts import Accounts
from tests.fakes.signer import OpenSigner
from tests.fakes.switch import Switch
from tests.fakes.venue import CountingVenue
from trading import clock as database_clock
from trading.models import Signal, Trader

SEND = "eth_sendRawTransaction"
BLOCK_SPAN = timedelta(seconds=2)
FINALITY_BLOCKS = 5
RICH_WEI = 10**20
BASE_FEE_WEI = 10**9
# Apart from every account that somebody else uses on a local chain.
_FIRST_KEY = 0xC0DE << 32
_FIRST_USER = 5_000_000_000
_SETTINGS = {
    "FINALITY_BLOCKS": FINALITY_BLOCKS,
    # The counting venue never fills: an order of its stays open, and mustn't crowd out the next.
    "VENUE_MAX_PENDING_ORDERS": 10**9,
    "MAX_POSITION_SIZE_USD": 10**9,
}


@dataclass(kw_only=True)
class Stand:
    """Everything around some workers. `now` is the time that they are told."""

    rpc: Rpc
    node: Node
    # The chain itself, without faults.
    chain: RpcChain
    counter: str
    now: datetime
    numbers: Iterator[int]

    def hire(self, *, senders: int = 1, window: int | None = None) -> Team:
        """New senders with gas money, each with an account of its own; `window`: so many may be in flight, at once."""
        hired = [self._hire(number, window) for number in itertools.islice(self.numbers, senders)]
        keys, traders, signers = zip(*hired, strict=True)
        users = tuple(trader.tg_user_id for trader in traders)
        return Team(senders=keys, traders=tuple(trader.pk for trader in traders), users=users, signers=signers)

    def desk(self, team: Team, *, urls: tuple[str, ...] = ()) -> Desk:
        """New adapters: those of one process. The chain is the node unless other endpoints are given."""
        counting = CountingVenue(self.counter)
        # The index asks for the events of somebody in particular; "of nobody" means "of everybody" to a node.
        counting.emitters = (self.counter,)
        first, *others = team.signers
        chain = RpcChain(urls or [self.node.url])
        return Desk(chain=chain, venue=counting, signer=first, switch=Switch(), others=tuple(others))

    def crew(
        self, team: Team, size: int = 1, *, doom: Doom | None = None, urls: tuple[str, ...] = ()
    ) -> AbstractContextManager[Crew]:
        """Forked workers of a team, for the length of a `with`."""
        return crew.crew(size, lambda: Clerk(desk=self.desk(team, urls=urls)), doom=doom)

    def draft(self, team: Team, count: int) -> list[Told]:
        """Signals that nobody has been told yet; from now on they are owed."""
        users = itertools.cycle(team.users)
        drafted = [draft(number, user=next(users)) for number in itertools.islice(self.numbers, count)]
        team.told.extend(drafted)
        return drafted

    def tell(self, told: list[Told]) -> None:
        """Bring signals to the door; those that came before are the same for ever."""
        for each in told:
            accept(each.body, self.now)

    def owe(self, team: Team, count: int) -> None:
        """Signals told, decided and ordered: an intent each, not yet built."""
        self.tell(self.draft(team, count))
        for trader_id in team.traders:
            decisions.drain(trader_id=trader_id, switch=Switch(), accounts=Accounts(), clock=lambda: self.now)
            orders.take_in(trader_id=trader_id, at=self.now)

    def round(self, team: Team, working: Crew, *, bodies: tuple[bytes, ...] = ()) -> None:
        """One round of a crew."""
        working.round(Round(now=self.now, lanes=team.lanes, bodies=bodies))

    def mine(self, blocks: int = 1) -> None:
        """Make blocks, two seconds each, and have the node see them."""
        stamps = []
        for _ in range(blocks):
            self.now += BLOCK_SPAN
            stamps.append(("evm_mine", (hex(int(self.now.timestamp())),)))
        self.rpc.batch(stamps)
        self.node.tend()

    def wait(self, seconds: float) -> None:
        """Let time go by without a block."""
        self.now += timedelta(seconds=seconds)

    def end_leases(self) -> None:
        """Let the leases of the dead run out. Called between rounds, when the living hold none."""
        with connection.cursor() as cursor:
            for model in (Sender, Trader, Cursor):
                cursor.execute(
                    f"UPDATE {model._meta.db_table} SET leased_until = clock_timestamp() - interval '1 second'"
                    " WHERE leased_until IS NOT NULL"
                )

    def heal(self) -> None:
        """End every fault, and let the market for gas be as usual."""
        self.node.mend()
        self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_WEI))

    def settle(self, team: Team, *, workers: int = 1, rounds: int = 60, urls: tuple[str, ...] = ()) -> float:
        """Work and mine until nothing is owed anymore, or the rounds are over; the seconds that it took."""
        begun = monotonic()
        with self.crew(team, workers, urls=urls) as working:
            for _ in range(rounds):
                self.end_leases()
                self.round(team, working)
                if self.is_settled(team):
                    break
                self.mine(FINALITY_BLOCKS + 1 if self.is_mined(team) else 1)
        if working.troubles:
            raise RuntimeError("\n".join(working.troubles))
        return monotonic() - begun

    def is_settled(self, team: Team) -> bool:
        """Whether nothing is owed to any signal of a team."""
        waiting = Signal.objects.filter(trader__in=team.traders, next_action_at__isnull=False)
        legs = Leg.objects.filter(trader__in=team.traders, next_action_at__isnull=False)
        return not (waiting.exists() or legs.exists() or self._open(team).exists())

    def is_mined(self, team: Team) -> bool:
        """Whether all that a team still owes only waits to be deep enough."""
        return set(self._open(team).values_list("status", flat=True)) == {"MINED"}

    def verdict(self, team: Team) -> Verdict:
        """What the chain and the database say about a team's signals."""
        return judge(self, team)

    def without_deadlines(self, team: Team) -> None:
        """Let no intent of a team expire: for crowds whose turn comes late."""
        self._open(team).update(deadline_at=None)

    def _open(self, team: Team) -> Any:
        return TxIntent.objects.filter(sender__in=team.senders, closed_at=None)

    def _hire(self, number: int, window: int | None) -> tuple[int, Trader, OpenSigner]:
        signer = OpenSigner(f"0x{_FIRST_KEY + number:064x}")
        self.rpc.call("anvil_setBalance", signer.address, hex(RICH_WEI))
        desk = Desk(chain=self.chain, venue=CountingVenue(self.counter), signer=signer, switch=Switch())
        sender = senders.enlist(desk=desk, at=self.now)
        if window is not None:
            wide = {"window_size": window, "window_threshold": window, "max_in_flight": window}
            Sender.objects.filter(pk=sender.pk).update(**wide)
        user = _FIRST_USER + number
        trader = Trader.objects.create(tg_user_id=user, name=f"trader {user}", address=f"0x{user:040x}")
        Delegation.objects.create(trader=trader, sender=sender, expires_at=self.now + ground.FAR_AWAY, checked_at=self.now)
        assert sender.status == SenderStatus.ACTIVE
        return sender.pk, trader, signer


@contextmanager
def ready(rpc_url: str, *, seed: int = 0, **of_node: Any) -> Iterator[Stand]:
    """A stand on a chain that mines by command; the chain goes back to where it was afterwards."""
    with ExitStack() as ending, override_settings(**_SETTINGS):
        rpc = ending.enter_context(Rpc(rpc_url, timeout_seconds=60.0))
        snapshot = rpc.call("evm_snapshot")
        failing = ending.enter_context(node.running(upstream=rpc_url, database=ground.conninfo(), seed=seed, **of_node))
        counter = venue.deploy_counter(rpc)
        head = rpc.call("eth_getBlockByNumber", "latest", False)
        now = max(database_clock.now(), datetime.fromtimestamp(int(head["timestamp"], 16), tz=database_clock.now().tzinfo))
        standing = Stand(
            rpc=rpc,
            node=failing,
            chain=RpcChain([rpc_url]),
            counter=counter,
            now=now,
            # Kept apart from a run before on the same chain and database.
            numbers=itertools.count(seed * 1_000_000 + 1),
        )
        ground.furnish(now)
        standing.heal()
        standing.mine()
        indexing.start(desk=standing.desk(standing.hire()))
        yield standing
        rpc.call("anvil_dropAllTransactions")
        rpc.call("evm_revert", snapshot)
