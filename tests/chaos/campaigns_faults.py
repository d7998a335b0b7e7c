"""Weathers: a node or several that fail while signals come in; afterwards each signal has had its effect once.

The crew's clock is virtual, two seconds a block; windows of the proxy are wall time, and say so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.conf import settings

from devnet.faults import Fault
from tests.chaos import ground, node
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.crew import Crew
from tests.chaos.node import Node
from tests.chaos.stand import SEND, Stand, Team
from tests.chaos.verdict import Verdict

SENDERS = 4
WORKERS = 2
# What comes to the door before each block: fewer than four senders' slots.
PORTION = 20
# Blocks of bad weather after the last signal came.
_AFTERMATH = 4
_PATIENCE_ROUNDS = 400
# In one round of the campaign; four rounds make a thousand.
SIGNALS = 250

Trouble = tuple[Fault, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What each node suffers all the while, the first one first."""

    name: str
    nodes: tuple[tuple[Trouble, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How signals came through a weather. `struck`: how often a fault did; seconds are wall time."""

    weather: str
    struck: int
    told_seconds: float
    recovery_seconds: float
    verdict: Verdict


FRESH: tuple[Trouble, ...] = ()
LIES: tuple[Trouble, ...] = (
    (Fault.RECEIPT_FORGED, {"chance": 0.3}),
    (Fault.FALSE_NONCE_TOO_LOW, {"chance": 0.3}),
    (Fault.WRONG_HASH, {"chance": 0.3}),
    (Fault.FINALIZED_EARLY, {}),
    (Fault.LOGS_EMPTY, {"chance": 0.5}),
)

# The suite takes the first eight.
WEATHERS = (
    Weather(name="a fifth of the broadcast answers lost", nodes=(((Fault.ANSWER_LOST, {"chance": 0.2, "on": SEND}),),)),
    Weather(name="a fifth of all requests lost", nodes=(((Fault.REQUEST_LOST, {"chance": 0.2}),),)),
    # Of wall time: thirty blocks of the crew's, and more.
    Weather(name="receipts missing", nodes=(((Fault.RECEIPT_MISSING, {"seconds": 4.0}),),)),
    Weather(name="stale beside fresh", nodes=(((Fault.STALE, {"blocks": 3}),), FRESH)),
    Weather(name="one liar of three", nodes=(LIES, FRESH, FRESH)),
    Weather(
        name="storms of 429",
        nodes=(((Fault.HTTP_429, {"down_seconds": 0.5, "up_seconds": 0.5}),), ((Fault.HTTP_429, {"chance": 0.3}),)),
    ),
    Weather(
        name="flapping endpoints",
        nodes=tuple(((Fault.REQUEST_LOST, {"down_seconds": 0.4, "up_seconds": up}),) for up in (0.5, 0.7, 1.1)),
    ),
    Weather(
        name="everything twice",
        nodes=(((Fault.DUPLICATE, {"chance": 0.5}), (Fault.DUPLICATE_SECOND, {"chance": 0.5})),),
    ),
    Weather(name="far behind beside fresh", nodes=(((Fault.STALE, {"blocks": 20}),), FRESH)),
    Weather(name="no events", nodes=(((Fault.LOGS_EMPTY, {"chance": 0.5}),), FRESH)),
    Weather(
        name="swallowed, and called known",
        nodes=(((Fault.SWALLOWED, {"chance": 0.2}), (Fault.FALSE_ALREADY_KNOWN, {"chance": 0.1})),),
    ),
    Weather(
        name="pages of gateways",
        nodes=(((Fault.HTTP_502, {"chance": 0.1}), (Fault.HTML, {"chance": 0.1}), (Fault.HALF_JSON, {"chance": 0.1})),),
    ),
)


def brave(stand: Stand, weather: Weather, *, signals: int, senders: int = SENDERS, workers: int = WORKERS) -> Passage:
    """Tell signals in a weather, end it, and wait until nothing is owed."""
    team = stand.hire(senders=senders)
    with _endpoints(stand, len(weather.nodes)) as nodes:
        urls = tuple(each.url for each in nodes)
        for each, troubles in zip(nodes, weather.nodes, strict=True):
            for fault, of_rule in troubles:
                each.suffer(fault, **of_rule)
        begun = monotonic()
        with stand.crew(team, workers, urls=urls) as working:
            _tell(stand, team, working, signals=signals)
        told_seconds = monotonic() - begun
        struck = sum(each.struck(fault) for each, troubles in zip(nodes, weather.nodes, strict=True) for fault, _ in troubles)
        for each in nodes:
            each.mend()
        recovery = stand.settle(team, workers=workers, rounds=_PATIENCE_ROUNDS, urls=urls)
        return Passage(
            weather=weather.name,
            struck=struck,
            told_seconds=told_seconds,
            recovery_seconds=recovery,
            verdict=stand.verdict(team),
        )


@contextmanager
def _endpoints(stand: Stand, count: int) -> Iterator[Sequence[Node]]:
    """The stand's own node, and more before the same chain."""
    with ExitStack() as running:
        more = [
            running.enter_context(node.running(upstream=settings.BASE_RPC_URLS[0], database=ground.conninfo()))
            for _ in range(count - 1)
        ]
        yield [stand.node, *more]


def _tell(stand: Stand, team: Team, working: Crew, *, signals: int) -> None:
    left = signals
    for _ in range(-(-signals // PORTION) + _AFTERMATH):
        bodies = tuple(told.body for told in stand.draft(team, min(left, PORTION)))
        left -= len(bodies)
        stand.round(team, working, bodies=bodies)
        # A crowd's turn may come after its minute: what expires isn't what is tested here.
        stand.without_deadlines(team)
        stand.mine()
    if working.troubles:
        raise RuntimeError("\n".join(working.troubles))


def weathers(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Every weather, again and again."""
    rows = {weather.name: Row(fault=weather.name) for weather in WEATHERS}
    for _ in bounds.each():
        for weather in WEATHERS:
            if bounds.is_over:
                break
            passage = brave(stand, weather, signals=SIGNALS)
            rows[weather.name].add(passage.verdict, seconds=passage.recovery_seconds)
            if not passage.struck:
                rows[weather.name].violations.append("no fault ever struck")
    return [row for row in rows.values() if row.recoveries]


CAMPAIGNS = (Campaign(name="weathers", run=weathers),)
