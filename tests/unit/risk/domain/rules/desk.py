"""The desk's own rules, on both sides of their limits."""

from dataclasses import replace
from datetime import timedelta

from risk.domain.decision import Denial
from risk.domain.rules import desk
from risk.domain.situation import Situation, SourceFacts
from tests.factories import NOW
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import OPEN, STOPPED, entry, situation

MICROSECOND = timedelta(microseconds=1)


def meant(age: timedelta, *, applied: timedelta | None = None) -> Situation:
    applied_up_to = None if applied is None else NOW - applied
    return situation(replace(OPEN, signaled_at=NOW - age), applied_up_to=applied_up_to)


def hurried(age: timedelta, *, seconds: int) -> Situation:
    """Of a source that may be so late."""
    source = SourceFacts(name="chart", max_lag=timedelta(seconds=seconds))
    return situation(replace(OPEN, signaled_at=NOW - age), source=source)


def granted(age: timedelta) -> Situation:
    """Meant an hour ago; a person said yes so long ago."""
    return situation(replace(OPEN, signaled_at=NOW - timedelta(hours=1), granted_at=NOW - age))


PASSES: list[Pass] = [
    (desk.emergency_stop, entry()),
    (desk.takes_entries, entry()),
    (desk.maintenance, entry()),
    (desk.freshness, meant(timedelta(seconds=60))),
    (desk.freshness, meant(timedelta(0))),
    (desk.freshness, hurried(timedelta(seconds=10), seconds=10)),
    (desk.freshness, granted(timedelta(seconds=60))),
    (desk.freshness, meant(-timedelta(seconds=5))),
    (desk.order_in_time, meant(timedelta(seconds=10), applied=timedelta(seconds=10))),
]

REFUSALS: list[Refusal] = [
    refusal(
        desk.emergency_stop,
        entry(mode=STOPPED),
        Denial.EMERGENCY_STOP,
        value="stopped",
        limit="running",
        message="emergency stop by environment; the switch says DRY",
    ),
    refusal(
        desk.takes_entries,
        entry(takes_entries=False),
        Denial.SIGNALS_DISABLED,
        value="exits only",
        limit="allowed",
        message="the desk takes no entries now",
    ),
    refusal(
        desk.maintenance,
        entry(in_maintenance=True),
        Denial.MAINTENANCE,
        value="exits only",
        limit="allowed",
        message="maintenance: exits only",
    ),
    refusal(
        desk.freshness,
        hurried(timedelta(seconds=10) + MICROSECOND, seconds=10),
        Denial.SIGNAL_STALE,
        value="10 s",
        limit="10 s",
        message="Signal is 10 s old, limit 10 s",
    ),
    # A source can be held to less than everybody, never to more.
    refusal(
        desk.freshness,
        hurried(timedelta(seconds=61), seconds=600),
        Denial.SIGNAL_STALE,
        value="61 s",
        limit="60 s",
        message="Signal is 61 s old, limit 60 s",
    ),
    refusal(
        desk.freshness,
        granted(timedelta(seconds=61)),
        Denial.SIGNAL_STALE,
        value="61 s",
        limit="60 s",
        message="Signal is 61 s old, limit 60 s",
    ),
    refusal(
        desk.freshness,
        meant(timedelta(seconds=60) + MICROSECOND),
        Denial.SIGNAL_STALE,
        value="60 s",
        limit="60 s",
        message="Signal is 60 s old, limit 60 s",
    ),
    refusal(
        desk.freshness,
        meant(timedelta(seconds=61)),
        Denial.SIGNAL_STALE,
        value="61 s",
        limit="60 s",
        message="Signal is 61 s old, limit 60 s",
    ),
    refusal(
        desk.freshness,
        meant(-timedelta(seconds=5) - MICROSECOND),
        Denial.SIGNAL_STALE,
        value="-5 s",
        limit="60 s",
        message="Signal is 5 s ahead of the desk's clock, limit 5 s",
    ),
    refusal(
        desk.order_in_time,
        meant(timedelta(seconds=10) + MICROSECOND, applied=timedelta(seconds=10)),
        Denial.OUT_OF_ORDER,
        value=(NOW - timedelta(seconds=10) - MICROSECOND).isoformat(),
        limit=(NOW - timedelta(seconds=10)).isoformat(),
        message=f"A signal of {(NOW - timedelta(seconds=10)).isoformat()} is applied already",
    ),
]
