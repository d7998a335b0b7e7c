"""The emergency stop by each of its ways while processes sign as fast as they can: how long until the last signature.

What was sent is brought to its end meanwhile, what waits is signed after the stop is lifted, and each has its effect once.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from execution.models import TxIntent
from tests.chaos import signing
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.signing import LIVE, Drill
from tests.chaos.stand import FINALITY_BLOCKS, Stand
from tests.chaos.team import Team
from tests.chaos.verdict import Verdict
from trading import conf
from trading.models import ModeState
from trading.services import mode

TARGET_SECONDS = 1.0
SENDERS, WORKERS = 4, 3
# For each sender, so that nobody runs out of what to sign before the stop.
INTENTS = 100
# How long everybody goes on after the stop.
SILENCE_SECONDS = 3.0
_PATIENCE_SECONDS = 60.0
SETTLED = ("FINAL", "REVERTED", "CANCELED")

Stop = Callable[[Drill], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One stop: the seconds from its beginning to the last signature, and what was found afterwards."""

    way: str
    seconds: float
    signed: int
    waiting: int
    verdict: Verdict
    violations: tuple[str, ...]


def by_switch(drill: Drill) -> None:
    """What an operator types."""
    with drill.client as client:
        client.set("exec_mode", '{"mode":"LIVE","emergency_stop":true}')


def by_database(_: Drill) -> None:
    """The row itself, as somebody with psql writes it."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mode_state SET emergency_stop = true")


def by_api(_: Drill) -> None:
    """What a program posts."""
    answer = _post(f"Bearer {settings.ADMIN_TOKEN}")
    assert answer.json()["emergency_stop"] is True


def _post(authorization: str) -> Any:
    return Client(SERVER_NAME="localhost").post("/admin/emergency-stop", headers={"Authorization": authorization})


WAYS: dict[str, Stop] = {"redis": by_switch, "database": by_database, "api": by_api}


def stopped(stand: Stand, way: str) -> Trial:
    """Stop a crew in the middle of its signatures, and lift the stop again."""
    with signing.drill(stand, streak=1) as drill:
        team = _owed(stand)
        # A process that serves has answered before.
        _post("nobody")
        with drill.crew(team, workers=WORKERS) as toiling:
            toiling.begin()
            if not toiling.go_on(seconds=_PATIENCE_SECONDS, until=lambda: bool(drill.signatures())):
                raise RuntimeError("nobody signed anything")
            begun_at = time.time()
            WAYS[way](drill)
            toiling.go_on(seconds=SILENCE_SECONDS)
            toiling.finish()
        return _judged(stand, team, drill, way=way, begun_at=begun_at)


def started_stopped(stand: Stand) -> int:
    """How much is signed by processes whose environment says stop from their start on."""
    with override_settings(EMERGENCY_STOP=True), signing.drill(stand, streak=1) as drill:
        team = _owed(stand)
        with drill.crew(team, workers=WORKERS) as toiling:
            toiling.begin()
            toiling.go_on(seconds=SILENCE_SECONDS)
            toiling.finish()
        signed = len(drill.signatures())
    stand.settle(team)
    return signed


def _owed(stand: Stand) -> Team:
    team = stand.hire(senders=SENDERS, window=INTENTS)
    stand.owe(team, SENDERS * INTENTS)
    stand.without_deadlines(team)
    return team


def _judged(stand: Stand, team: Team, drill: Drill, *, way: str, begun_at: float) -> Trial:
    last = drill.signatures()[-1].at
    waiting = TxIntent.objects.filter(sender__in=team.senders, status="BUILT", blocked_reason="mode").count()
    late = [f"a signature {each.at - begun_at:.2f} s after" for each in drill.signatures(since=begun_at + TARGET_SECONDS)]
    violations = [*late, *_unfinished(stand, team)]
    drill.set(LIVE)
    mode.lift_stop(switch=conf.mode_switch(), actor="drill", reason="over", at=stand.now)
    stand.settle(team, workers=2, rounds=200)
    return Trial(
        way=way,
        seconds=max(last - begun_at, 0),
        signed=len(drill.signatures()),
        waiting=waiting,
        verdict=stand.verdict(team),
        violations=tuple(violations),
    )


def _unfinished(stand: Stand, team: Team) -> list[str]:
    """What was sent is watched to its end while the stop is up."""
    open_ones = TxIntent.objects.filter(sender__in=team.senders, sends__isnull=False).exclude(status__in=SETTLED)
    with stand.crew(team) as working:
        for _ in range(20):
            if not open_ones.exists():
                break
            stand.mine(FINALITY_BLOCKS)
            stand.end_leases()
            stand.round(team, working)
    assert ModeState.objects.get(pk=1).emergency_stop
    return [f"{key} was sent and isn't settled" for key in open_ones.values_list("intent_key", flat=True).distinct()]


def run(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Every way in every round; a row's recovery is the time from the stop to the last signature."""
    rows = {way: Row(fault=way) for way in WAYS}
    for _ in bounds.each():
        for way, row in rows.items():
            if bounds.is_over:
                break
            trial = stopped(stand, way)
            row.add(trial.verdict, seconds=trial.seconds)
            row.violations += trial.violations
    for way, row in rows.items():
        row.fault = f"stop by {way}: last signature p99 {_p99(row.recoveries):.2f} s"
    environment = Row(fault="stop by environment, from the start on")
    environment.violations += [f"{signed} signatures" for signed in (started_stopped(stand),) if signed]
    environment.recoveries.append(0.0)
    return [*(row for row in rows.values() if row.recoveries), environment]


def _p99(seconds: list[float]) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)] if ordered else 0.0


CAMPAIGNS = (Campaign(name="stops", run=run, account_slots=SENDERS * INTENTS),)
