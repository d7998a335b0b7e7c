"""A crowd of processes that all begin at the same instant: with one key they do one thing, with many keys all of them."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from multiprocessing.synchronize import Barrier

from execution.models import Order, TxIntent, TxSend
from risk.models import Decision
from tests.chaos import crew
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.clerk import Clerk
from tests.chaos.crew import Crew, Round
from tests.chaos.stand import Stand, Team, Told
from trading.models import Signal

CROWD = 16
# A child that died would keep the others at the gate for ever, in seconds.
_PATIENCE = 60.0
# How often a crowd meets at the gate in one round of a campaign.
MEETINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Works a round as soon as everybody is there."""

    barrier: Barrier
    clerk: Clerk

    def __call__(self, told: Round) -> list[str]:
        """Wait for the others, then work."""
        self.barrier.wait(timeout=_PATIENCE)
        return self.clerk(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many rows there are of each thing."""

    signals: int
    decisions: int
    orders: int
    intents: int
    sends: int


@contextmanager
def crowd(stand: Stand, team: Team, *, size: int = CROWD) -> Iterator[Crew]:
    """So many processes for the length of a `with`, whose rounds begin together."""
    barrier = multiprocessing.get_context("fork").Barrier(size)
    with crew.crew(size, lambda: Gate(barrier=barrier, clerk=Clerk(desk=stand.desk(team)))) as gathered:
        yield gathered


def all_of_one(stand: Stand, team: Team, *, rounds: int) -> Kept:
    """Tell one new signal to every process at once, and again; what is kept of all of them."""
    with crowd(stand, team) as gathered:
        for _ in range(rounds):
            (told,) = stand.draft(team, 1)
            _everybody(stand, team, gathered, told)
            stand.mine()
    _refuse_troubles(gathered)
    return kept(team)


def each_its_own(stand: Stand, team: Team, *, rounds: int) -> Kept:
    """Tell each process a signal of its own, all at once, and again; what is kept of all of them."""
    with crowd(stand, team) as gathered:
        for _ in range(rounds):
            bodies = tuple(told.body for told in stand.draft(team, CROWD))
            stand.round(team, gathered, bodies=bodies)
            stand.mine()
    _refuse_troubles(gathered)
    return kept(team)


def kept(team: Team) -> Kept:
    """What our books have of a team's signals."""
    signals = Signal.objects.filter(trader__in=team.traders)
    intents = TxIntent.objects.filter(sender__in=team.senders)
    return Kept(
        signals=signals.count(),
        decisions=Decision.objects.filter(signal__in=signals).count(),
        orders=Order.objects.filter(trader__in=team.traders).count(),
        intents=intents.count(),
        sends=TxSend.objects.filter(intent__in=intents).count(),
    )


def _everybody(stand: Stand, team: Team, gathered: Crew, told: Told) -> None:
    working = gathered.alive
    for worker in working:
        worker.begin(Round(now=stand.now, lanes=team.lanes, bodies=(told.body,)))
    for worker in working:
        gathered.troubles += worker.finish()


def _refuse_troubles(gathered: Crew) -> None:
    if gathered.troubles or len(gathered.workers) != CROWD:
        raise RuntimeError("\n".join(gathered.troubles))


def crowds(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Both crowds, again and again."""
    meetings: dict[str, Callable[..., Kept]] = {
        f"{CROWD} processes, one key": all_of_one,
        f"{CROWD} processes, a key each": each_its_own,
    }
    rows = {fault: Row(fault=fault) for fault in meetings}
    for _ in bounds.each():
        for fault, meet in meetings.items():
            _meet(stand, rows[fault], meet)
    return rows.values()


def _meet(stand: Stand, row: Row, meet: Callable[..., Kept]) -> None:
    team = stand.hire()
    found = meet(stand, team, rounds=MEETINGS)
    seconds = stand.settle(team)
    row.add(stand.verdict(team), seconds=seconds)
    nonces = TxIntent.objects.filter(sender__in=team.senders).order_by("nonce").values_list("nonce", flat=True)
    if set(astuple(found)) != {len(team.told)} or list(nonces) != list(range(len(team.told))):
        row.violations.append(f"{len(team.told)} signals: {found}, nonces {list(nonces)}")


CAMPAIGNS = (Campaign(name="crowds", run=crowds),)
