"""Processes are killed, paused and emptied under signed traffic: each signal still takes effect once."""

import random
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e import faults, verdict
from tests.e2e.desk import RunningDesk
from tests.e2e.traffic import Traffic, admit_traders

pytestmark = pytest.mark.slow

RECOVERY_SECONDS = 60
# Of an answer at the door while Redis hangs.
DOOR_SECONDS = 0.3
SEED = 20_261_121


@pytest.fixture(scope="module", autouse=True)
def traders(desk: RunningDesk) -> None:
    admit_traders(desk)


@pytest.mark.parametrize("name", ["flush", "postgres", "kill"])
def test_each_signal_takes_effect_once_whatever_happens_to_the_processes(desk: RunningDesk, name: str) -> None:
    with Traffic(desk=desk, source=name) as traffic:
        faults.FAULTS[name](desk, random.Random(f"{SEED}:{name}"))
        ended_at = time.time()
        time.sleep(2)

    _each_took_effect_once(desk, traffic, ended_at=ended_at)


def test_a_redis_that_hangs_stops_signing_and_nothing_else(desk: RunningDesk) -> None:
    with Traffic(desk=desk, source="hangs") as traffic:
        time.sleep(3)
        begun_at = time.time()
        with faults.paused(desk, *faults.REDIS):
            time.sleep(1)
            before = traffic.mark()
            time.sleep(8)
            waits = traffic.since(before)
            during = desk.health()["execution_mode"]["mode"]
        ended_at = time.time()
        modes = _modes_until_live(desk)
        time.sleep(2)

    assert traffic.codes.keys() == {202}
    assert statistics.median(waits) < DOOR_SECONDS
    assert (during, modes[0][0]) == ("DRY", "DRY")
    assert all(streak >= 3 for mode, streak in modes if mode == "LIVE")
    # What the mode said before is believed for a second.
    assert _signed(desk, since=begun_at + 1.5, until=ended_at) == 0
    # Nobody's bell rang, yet what was in flight was brought to its end.
    assert _mined(desk, since=begun_at + 1.5, until=ended_at) > 0
    _each_took_effect_once(desk, traffic, ended_at=ended_at)


def test_a_worker_that_slept_through_its_lease_writes_nothing_anymore(desk: RunningDesk) -> None:
    with Traffic(desk=desk, source="sleeps") as traffic:
        with _asleep_in_a_drain(desk) as epoch:
            has_successor = desk.until(lambda: _epoch(desk) > epoch, seconds=40)
            time.sleep(2)
        ended_at = time.time()
        time.sleep(2)

    assert has_successor
    _each_took_effect_once(desk, traffic, ended_at=ended_at)


def test_two_beats_at_once_do_no_harm(desk: RunningDesk) -> None:
    command = ("celery", "-q", "-A", "vanta_site", "beat", "-s", ".run/second-beat", "--pidfile=")
    with Traffic(desk=desk, source="beats") as traffic:
        second = subprocess.Popen(command, cwd=desk.folder, env=desk.environment, stderr=subprocess.DEVNULL)
        try:
            time.sleep(10)
        finally:
            has_run = second.poll() is None
            second.terminate()
            second.wait(timeout=30)
        ended_at = time.time()

    assert has_run
    _each_took_effect_once(desk, traffic, ended_at=ended_at)


def _each_took_effect_once(desk: RunningDesk, traffic: Traffic, *, ended_at: float) -> None:
    assert traffic.taken
    assert desk.until(lambda: faults.is_settled(desk), seconds=150)
    found = verdict.of(desk, source=traffic.source, taken=traffic.taken, fault_ended_at=ended_at)
    assert (found.lost, found.doubled, found.unexplained) == ((), (), {})
    assert all(mined == next_nonce for mined, next_nonce in verdict.nonces(desk))
    assert found.recovery_seconds <= RECOVERY_SECONDS


def _modes_until_live(desk: RunningDesk) -> list[tuple[str, int]]:
    """What the web server says about the mode, look by look."""
    seen: list[tuple[str, int]] = []

    def is_live() -> bool:
        mode = desk.health()["execution_mode"]
        seen.append((mode["mode"], mode["redis_health_streak"]))
        return bool(mode["mode"] == "LIVE")

    assert desk.until(is_live, seconds=30)
    return seen


def _signed(desk: RunningDesk, *, since: float, until: float) -> int:
    """How many sends of a call were made within two instants."""
    between = f"extract(epoch FROM created_at) BETWEEN {since} AND {until}"
    return desk.number(f"SELECT count(*) FROM tx_sends WHERE purpose = 'CALL' AND {between}")


def _mined(desk: RunningDesk, *, since: float, until: float) -> int:
    """How many receipts were found within two instants."""
    return desk.number(f"SELECT count(*) FROM tx_receipts WHERE extract(epoch FROM seen_at) BETWEEN {since} AND {until}")


@contextmanager
def _asleep_in_a_drain(desk: RunningDesk) -> Iterator[int]:
    """The workers asleep while one of them holds a sender's lane; the lane's epoch."""
    for _ in range(100):
        with faults.paused(desk, *faults.WORKER):
            if desk.number("SELECT count(*) FROM senders WHERE leased_until > now() + interval '5 seconds'"):
                yield _epoch(desk)
                return
        time.sleep(0.05)
    raise AssertionError("no drain was met under way")


def _epoch(desk: RunningDesk) -> int:
    return desk.number("SELECT max(epoch) FROM senders")
