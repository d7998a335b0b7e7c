"""A production line: forked workers that drain lanes as the tasks do, at the real time, while a chain makes a block a second."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from django.db import connection, connections

from devnet.rpc import Rpc
from execution.adapters.accounts import DeskAccounts
from execution.desk import Desk
from execution.models import TxIntent
from execution.services import orders, senders
from risk.models import Leg
from risk.services import decisions
from trading import clock, failpoints
from trading.models import Signal

BLOCK_SECONDS = 1.0
# Nothing was due: how long until the next look. With Celery a ring takes about as long.
IDLE_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one worker works: one sender's lane and the accounts of its traders."""

    sender_id: int
    trader_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a worker asked: questions to the database, writes committed, calls of the chain by name."""

    queries: int
    commits: int
    asks: Counter[str]

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(queries=self.queries + other.queries, commits=self.commits + other.commits, asks=self.asks + other.asks)


NOTHING = Counts(queries=0, commits=0, asks=Counter())


class Tally:
    """Counts of this process; idle looks for due rows aside."""

    def __init__(self) -> None:
        self.queries = 0
        self.points: Counter[str] = Counter()

    def query(self, execute: Callable[..., Any], *rest: Any) -> Any:
        """Around each question to the database."""
        self.queries += 1
        return execute(*rest)

    def reach(self, point: str) -> None:
        """At each failpoint: they stand at every commit and every ask."""
        self.points[point] += 1

    def counts(self) -> Counts:
        """What was counted."""
        asks = Counter({name.removesuffix(" asked"): number for name, number in self.points.items() if name.endswith(" asked")})
        committed = sum(number for name, number in self.points.items() if name.endswith(" committed"))
        return Counts(queries=self.queries, commits=committed, asks=asks)


@contextmanager
def working(lanes: list[Lane], make: Callable[[], Desk]) -> Iterator[Callable[[], Counts]]:
    """A worker for each lane meanwhile; what is handed out ends them and says what they asked."""
    connections.close_all()
    workers = [_forked(lane, make) for lane in lanes]
    ended: list[Counts] = []

    def end() -> Counts:
        ended.extend(_ended(pid, link) for pid, link in workers[len(ended) :])
        return sum(ended, start=NOTHING)

    try:
        yield end
    finally:
        end()


def _forked(lane: Lane, make: Callable[[], Desk]) -> tuple[int, Connection]:
    ours, theirs = Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _work(lane, make(), theirs)
        finally:
            # Whatever happens, a fork must not go on as its parent.
            os._exit(1)
    return pid, ours


def _work(lane: Lane, desk: Desk, link: Connection) -> None:
    tally = Tally()
    with failpoints.listening(tally.reach):
        while not link.poll():
            if not _turn(lane, desk, tally):
                time.sleep(IDLE_SECONDS)
    link.send(tally.counts())
    os._exit(0)


def _turn(lane: Lane, desk: Desk, tally: Tally) -> bool:
    """One look at the lane, and what is due in it; whether anything was."""
    now = clock.now()
    # Asked in front of the tally: a ring says it without a question.
    signals = set(
        Signal.objects.filter(trader_id__in=lane.trader_ids, next_action_at__lte=now).values_list("trader_id", flat=True)
    )
    legs = set(Leg.objects.due(at=now).filter(trader_id__in=lane.trader_ids).order_by().values_list("trader_id", flat=True))
    is_due = TxIntent.objects.of_lane(lane.sender_id).due(at=now).exists()
    with connection.execute_wrapper(tally.query):
        for trader_id in signals:
            decisions.drain(trader_id=trader_id, switch=desk.switch, accounts=DeskAccounts(desk), clock=clock.now)
        for trader_id in signals | legs:
            orders.take_in(trader_id=trader_id, at=clock.now())
        if signals or legs or is_due:
            senders.drain(sender_id=lane.sender_id, desk=desk, clock=clock.now)
    return bool(signals or legs or is_due)


def _ended(pid: int, link: Connection) -> Counts:
    try:
        link.send("end")
        counts: Counts = link.recv()
    except (EOFError, OSError) as gone:
        raise RuntimeError("a worker of the line has died; what it said is above") from gone
    finally:
        os.waitpid(pid, 0)
    return counts


@contextmanager
def mining(rpc_url: str) -> Iterator[None]:
    """A block a second meanwhile."""
    ended = threading.Event()
    miner = threading.Thread(target=_mine, args=(rpc_url, ended))
    miner.start()
    try:
        yield
    finally:
        ended.set()
        miner.join()


def _mine(rpc_url: str, ended: threading.Event) -> None:
    with Rpc(rpc_url, timeout_seconds=30.0) as rpc:
        while not ended.wait(BLOCK_SECONDS):
            rpc.call("evm_mine", hex(int(time.time())))
