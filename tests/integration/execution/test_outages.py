"""Redis killed, paused, emptied and fed with nonsense while processes sign: none of them signs then, nor too early after."""

import signal
import time
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from tests.chaos import signing
from tests.chaos.fixtures import stand
from tests.chaos.signing import LIVE, Drill
from tests.chaos.stand import Stand
from tests.chaos.team import Team
from trading.adapters.redis_switch import KEY
from vanta_site import components

__all__ = ["stand"]

WORKERS, SENDERS = 3, 4
# What the mode said is believed this long; the rest is the signature itself, on a machine that is busy.
BELIEF_SECONDS = 1.5
# Three looks, a second apart.
STREAK_SECONDS = 2.0
OUTAGE_SECONDS, PATIENCE_SECONDS = 3.0, 30.0

Break = Callable[[Drill], None]


@pytest.fixture
def drill(stand: Stand, django_db_blocker: DjangoDbBlocker) -> Iterator[Drill]:
    with django_db_blocker.unblock(), signing.drill(stand, streak=3) as ready:
        yield ready


def _kill(drill: Drill) -> None:
    drill.signal(signal.SIGKILL)


def _pause(drill: Drill) -> None:
    drill.signal(signal.SIGSTOP)


def _empty(drill: Drill) -> None:
    with drill.client as client:
        client.flushall()


def _feed_nonsense(drill: Drill) -> None:
    for value in NONSENSE:
        drill.set(value)
        time.sleep(OUTAGE_SECONDS / (2 * len(NONSENSE)))
    with drill.client as client:
        client.delete(KEY)
        client.rpush(KEY, LIVE)


NONSENSE: tuple[str | bytes, ...] = (
    '{"mode":"LIVE"',
    '{"mode":"LIVE","emergency_stop":"no"}',
    '["LIVE"]',
    b"\x00" * 20_000_000,
    b"\xff\xfe\x00LIVE",
)
BREAKS: dict[str, Break] = {"killed": _kill, "paused": _pause, "emptied": _empty, "nonsense": _feed_nonsense}


def _mend(drill: Drill, trouble: str) -> None:
    """Redis as it was before, and an operator who sets LIVE again, exactly as he would type it."""
    if trouble == "killed":
        drill.start()
    if trouble == "paused":
        drill.signal(signal.SIGCONT)
    drill.set(LIVE)


@pytest.mark.parametrize("trouble", BREAKS)
def test_execution_mode_redis_intermittent(stand: Stand, drill: Drill, trouble: str) -> None:
    team = stand.hire(senders=SENDERS)
    with drill.crew(team, workers=WORKERS) as toiling:
        toiling.begin()
        assert toiling.go_on(seconds=PATIENCE_SECONDS, owing=SENDERS, until=lambda: len(_signers(drill)) > 1)
        broken_at = time.time()
        BREAKS[trouble](drill)
        # One that signed sleeps through the outage: nothing but the database can tell it afterwards.
        sleeper = next(worker for worker in toiling.crew.workers if worker.pid in _signers(drill))
        sleeper.kill(signal.SIGSTOP)
        toiling.go_on(seconds=OUTAGE_SECONDS, owing=SENDERS)
        shown = _shown()
        # Before the act: what follows it at once must not count as too early by the length of the act.
        mended_at = time.time()
        _mend(drill, trouble)
        sleeper.kill(signal.SIGCONT)
        assert toiling.go_on(
            seconds=PATIENCE_SECONDS, until=lambda: sleeper.pid in _signers(drill, since=mended_at), owing=SENDERS
        )
        toiling.finish()

    # An emptied switch is filled with DRY at once: its streak begins then, and only the operator's LIVE is missing.
    begun, ended = broken_at + BELIEF_SECONDS, mended_at + (0 if trouble == "emptied" else STREAK_SECONDS)
    assert [each for each in drill.signatures() if begun < each.at < ended] == []
    _nothing_new_reached_the_node(stand, drill, team, since=begun, until=ended)
    assert shown[0] == "DRY"
    assert shown[1] == 0 or trouble == "emptied"
    _each_takes_effect_once(stand, team)


def _signers(drill: Drill, *, since: float = 0.0) -> set[int]:
    return {each.pid for each in drill.signatures(since=since)}


def _shown() -> tuple[str, int]:
    """What `/health` says of the mode; the same voice speaks in the metrics."""
    components.prober.cache_clear()
    said = Client().get("/health").json()["execution_mode"]
    text = Client().get("/metrics").content.decode()
    assert f"vanta_redis_health_streak {said['redis_health_streak']}.0" in text
    assert f'vanta_exec_mode{{mode="{said["mode"]}"}} 1.0' in text
    return said["mode"], said["redis_health_streak"]


def _nothing_new_reached_the_node(stand: Stand, drill: Drill, team: Team, *, since: float, until: float) -> None:
    """One that slept between its signature and the wire may speak later: those bytes were stored."""
    ours = {address.lower() for address in team.addresses}
    old = {each.tx_hash for each in drill.signatures() if each.at <= since}
    sights = [each for each in stand.node.sights() if each["sender"].lower() in ours]
    assert old & {each["hash"] for each in sights}
    assert [each for each in sights if since < each["seen_at"] < until and each["hash"] not in old] == []


def _each_takes_effect_once(stand: Stand, team: Team) -> None:
    stand.settle(team)
    verdict = stand.verdict(team)
    assert (verdict.doubled, verdict.lost, verdict.is_clean) == (0, 0, True)
