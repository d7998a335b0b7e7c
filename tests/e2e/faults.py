"""What may happen to the processes of a running desk, each from its beginning to its end."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.e2e.desk import RunningDesk

# A command line of each process, by its words.
REDIS = ("redis-server",)
POSTGRES = ("bin/postgres", "-D")
WORKER = ("celery", "worker@")
BEAT = ("celery", " beat ")
SWEEPER = ("manage.py", "sweeper")
WEBHOOK = ("gunicorn",)
KILLABLE = (WORKER, BEAT, SWEEPER, WEBHOOK)
# Longer than a lane's lease, and than the database keeps a transaction that says nothing: it may hold row locks.
PAUSE_SECONDS = 20.0

Fault = Callable[[RunningDesk, random.Random], None]


def flush(desk: RunningDesk, chance: random.Random) -> None:
    """All of Redis is deleted, three times; an operator sets the mode again each time."""
    for _ in range(3):
        time.sleep(chance.uniform(0.5, 2.0))
        desk.command("redis-cli", "FLUSHALL")
        set_live(desk)


def set_live(desk: RunningDesk) -> None:
    """What an operator types, until it stands: our own watch may write DRY into an emptied Redis right after."""
    wish = json.dumps({"mode": "LIVE", "emergency_stop": False})
    stood = 0
    while stood < 2:
        desk.command("redis-cli", "SET", "exec_mode", wish)
        time.sleep(0.05)
        stood = stood + 1 if json.loads(desk.command("redis-cli", "GET", "exec_mode"))["mode"] == "LIVE" else 0


def stop_redis(desk: RunningDesk, chance: random.Random) -> None:
    """Redis hangs for a while with transactions in flight."""
    with paused(desk, *REDIS):
        time.sleep(chance.uniform(8, 12))


def sleep_worker(desk: RunningDesk, chance: random.Random) -> None:
    """A worker and its children sleep in the middle of what they do, longer than any lease, and wake up again."""
    with paused(desk, *WORKER):
        time.sleep(PAUSE_SECONDS)


def kill_postgres(desk: RunningDesk, chance: random.Random) -> None:
    """The database is killed; its supervisor starts it again."""
    time.sleep(chance.uniform(0.5, 2.0))
    assert desk.tell(signal.SIGKILL, *POSTGRES) > 0
    assert desk.until(lambda: answers(desk), seconds=60)


def kill_some(desk: RunningDesk, chance: random.Random) -> None:
    """Worker, beat, sweeper and web server are killed, each once, in any order."""
    for words in chance.sample(KILLABLE, len(KILLABLE)):
        time.sleep(chance.uniform(0.2, 1.5))
        desk.tell(signal.SIGKILL, *words)


FAULTS: dict[str, Fault] = {
    "flush": flush,
    "redis": stop_redis,
    "sleep": sleep_worker,
    "postgres": kill_postgres,
    "kill": kill_some,
}


@contextmanager
def paused(desk: RunningDesk, *words: str) -> Iterator[None]:
    """Have processes sleep meanwhile."""
    assert desk.tell(signal.SIGSTOP, *words) > 0
    try:
        yield
    finally:
        desk.tell(signal.SIGCONT, *words)


def answers(desk: RunningDesk) -> bool:
    """Whether the database takes queries."""
    try:
        return desk.number("SELECT 1") == 1
    except (AssertionError, subprocess.TimeoutExpired):
        return False


def is_settled(desk: RunningDesk) -> bool:
    """Whether every signal has its end: nothing waits for a decision, a block or the keeper. Finality takes minutes more."""
    waiting = """SELECT (SELECT count(*) FROM signals WHERE next_action_at IS NOT NULL)
                      + (SELECT count(*) FROM legs WHERE next_action_at IS NOT NULL)
                      + (SELECT count(*) FROM tx_intents WHERE closed_at IS NULL AND status <> 'MINED')
                      + (SELECT count(*) FROM orders WHERE ended_at IS NULL)"""
    return desk.number(waiting) == 0
