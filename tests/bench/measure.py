"""What the desk does at most, and how long one signal takes: real services, processes and servers, without Celery's hop."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from execution.desk import Desk
from execution.domain.intent import IntentStatus
from execution.models import TxIntent, TxReceipt, TxSend
from tests.bench import limits
from tests.bench.ground import WINDOW
from tests.bench.line import Counts, Lane, mining, working
from tests.chaos.stand import Stand, Team
from tests.fakes.signer import OpenSigner
from trading import clock
from trading.models import Signal

# What none of the calls in an intent's way goes over the wire for.
_NOT_RPC = ("LocalSigner", "GuardedSigner", "OpenSigner", "Switch", "RedisSwitch")
PATIENCE_SECONDS = 90.0
_NODE_TRANSACTIONS = 2_000
_LIMIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What node and database do at most, a second."""

    node_singles: float
    node_batches: float
    commits_of_one: float
    commits_of_four: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Intents owed all at once: how many a second reach the wire and a block, and what each costs."""

    senders: int
    intents: int
    sent_per_second: float
    mined_per_second: float
    queries: float
    commits: float
    rpc_batches: float
    asks: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Signals one after another at a rate: the milliseconds from the door's commit to the first broadcast's conclusion."""

    senders: int
    per_second: float
    signals: int
    p50: float
    p95: float
    p99: float


def measure_limits(stand: Stand, *, database_url: str) -> Limits:
    """Node and database by themselves."""
    first, second = (_loner(stand, number) for number in (1, 2))
    singles = limits.presigned(first, _NODE_TRANSACTIONS // 2, chain_id=settings.CHAIN_ID)
    batches = limits.presigned(second, _NODE_TRANSACTIONS, chain_id=settings.CHAIN_ID)
    measured = Limits(
        node_singles=limits.node_singles(stand.rpc, singles),
        node_batches=limits.node_batches(stand.rpc, batches),
        commits_of_one=limits.commits(database_url, connections=1, seconds=_LIMIT_SECONDS),
        commits_of_four=limits.commits(database_url, connections=4, seconds=_LIMIT_SECONDS),
    )
    stand.rpc.call("anvil_dropAllTransactions")
    return measured


def rpc_url() -> str:
    """The chain, without a faulty node between."""
    return str(settings.BASE_RPC_URLS[0])


def _loner(stand: Stand, number: int) -> limits.Unbound:
    """A key whose account is rich and nobody's."""
    signer = limits.Unbound(f"0x{(0xBE9C << 32) + number:064x}")
    stand.rpc.call("anvil_setBalance", signer.address, hex(10**24))
    return signer


def burst(stand: Stand, *, senders: int, each: int) -> Burst:
    """Owe a number of intents to each sender, then let the workers begin."""
    team = _team(stand, senders)
    stand.owe(team, each * senders)
    stand.without_deadlines(team)
    with working(_lanes(team), lambda: _desk(stand, team)) as end:
        begun_at = clock.now()
        with mining(rpc_url()):
            _await(team, IntentStatus.MINED, count=each * senders)
        counts = end()
    sent = TxSend.objects.filter(intent__sender__in=team.senders, seq=1).values_list("first_sent_at", flat=True)
    mined = TxReceipt.objects.filter(send__intent__sender__in=team.senders).values_list("seen_at", flat=True)
    return _burst(counts, senders=senders, sent=list(sent), mined=list(mined), begun_at=begun_at)


def _burst(counts: Counts, *, senders: int, sent: list[datetime | None], mined: list[datetime], begun_at: datetime) -> Burst:
    number = len(sent)
    batches = _batches(counts.asks)
    return Burst(
        senders=senders,
        intents=number,
        sent_per_second=number / (max(at for at in sent if at) - begun_at).total_seconds(),
        mined_per_second=len(mined) / (max(mined) - begun_at).total_seconds(),
        queries=counts.queries / number,
        commits=counts.commits / number,
        rpc_batches=sum(batches.values()) / number,
        asks=dict(batches.most_common()),
    )


def _batches(asks: Counter[str]) -> Counter[str]:
    """Calls of the chain: each is one JSON-RPC batch."""
    return Counter({name: number for name, number in asks.items() if not any(word in name for word in _NOT_RPC)})


def steady(stand: Stand, *, senders: int, per_second: float, seconds: float) -> Steady:
    """Bring signals to the door at a steady rate while the workers work."""
    team = _team(stand, senders)
    told = stand.draft(team, int(per_second * seconds))
    with working(_lanes(team), lambda: _desk(stand, team)), mining(rpc_url()):
        begun = time.monotonic()
        for number, each in enumerate(told):
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            stand.now = clock.now()
            stand.tell([each])
        _await(team, IntentStatus.MINED, count=len(told))
    waits = sorted(_waits(team))
    return Steady(
        senders=senders,
        per_second=per_second,
        signals=len(waits),
        p50=percentile(waits, 50),
        p95=percentile(waits, 95),
        p99=percentile(waits, 99),
    )


def percentile(ordered: list[float], percent: int) -> float:
    """The value that so many of a hundred don't exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _waits(team: Team) -> list[float]:
    sends = TxSend.objects.filter(intent__sender__in=team.senders, seq=1)
    pairs = sends.values_list("intent__order__leg__decision__signal__received_at", "first_sent_at")
    return [(sent_at - received_at).total_seconds() * 1000 for received_at, sent_at in pairs if sent_at]


def _team(stand: Stand, senders: int) -> Team:
    stand.now = clock.now()
    return stand.hire(senders=senders, window=WINDOW)


def _lanes(team: Team) -> list[Lane]:
    return [Lane(sender_id=sender, trader_ids=(trader,)) for sender, trader in zip(team.senders, team.traders, strict=True)]


def _desk(stand: Stand, team: Team) -> Desk:
    """One process's adapters: the chain itself, without a faulty node between, and our own signer."""
    desk = stand.desk(team, urls=(rpc_url(),))
    first, *others = (limits.Unbound(key_of(signer)) for signer in team.signers)
    return replace(desk, signer=first, others=tuple(others))


def key_of(signer: OpenSigner) -> str:
    """The key that a stand gave to a sender."""
    return str(signer._account.key.to_0x_hex())


def _await(team: Team, status: IntentStatus, *, count: int) -> None:
    """Wait until so many intents are there, or further."""
    there = TxIntent.objects.filter(sender__in=team.senders, status__in=(status, IntentStatus.FINAL))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while there.count() < count:
        if time.monotonic() > deadline:
            left = Counter(TxIntent.objects.filter(sender__in=team.senders).values_list("status", "blocked_reason"))
            waiting = Signal.objects.filter(trader__in=team.traders, next_action_at__isnull=False).count()
            raise RuntimeError(f"not {status} after {PATIENCE_SECONDS:.0f} s: {dict(left)}, undecided {waiting}")
        time.sleep(0.2)
