"""What follows what. Read this file first.

signal.accepted   → risk.drain(account)       decide the account's waiting signals
decision.approved → execution.order(account)  owe one intent for each leg
intent.created    → execution.drain(sender)   build, reserve, sign, store, broadcast, watch
intent.mined      → execution.index           read the venue's events: fills, positions
position.filled   → risk.watch(account)       measure what was lost, lock entries where it is too much
leader.traded     → risk.copy(following)      turn a leader's trade into the follower's signal
flatten.started   → risk.flatten(job)         send one close for each position in a scope
event.recorded    → bots.collect              owe what happened to the channels that want it
delivery.owed     → bots.deliver(channel)     tell a channel what is owed to it

Nobody rings for a liquidation on paper: the sweep finds what the price has reached (execution.liquidate_paper). Nor for a
comparison with the venue: each account is due again half a minute after its last one (execution.reconcile).

Each stage also has a sweep: from beat, and from `sweeper`, which needs no broker. A lost ring costs one sweep.
Nobody rings for a recorded event: the journal shows it only once every older transaction has ended, and a ring in each
transaction would pay with the trade's time for what may well be told a second later. The sweep alone collects.
"""

import time
from typing import Any

import redis
import structlog
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

# event → the task that follows it.
FOLLOWS = {
    "signal.accepted": "risk.drain",
    "decision.approved": "execution.order",
    "intent.created": "execution.drain",
    "intent.mined": "execution.index",
    "position.filled": "risk.watch",
    "leader.traded": "risk.copy",
    "flatten.started": "risk.flatten",
    "delivery.owed": "bots.deliver",
}

# Task names by prefix → queue; the first that matches.
TASK_QUEUES = {
    "risk.*": "risk",
    "execution.index": "indexer",
    "execution.levels": "tpsl",
    "execution.reconcile": "indexer",
    "execution.*": "execution",
    "trading.*": "tpsl",
    # A worker of its own: a target that takes its time must not take a trade's.
    "bots.*": "outbox",
    "vanta.*": "risk",
}

# Beat's messages expire before the next one: after an outage there is no pile of them.
BEAT: dict[str, dict[str, Any]] = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, task, seconds in (
        ("prices", "trading.refresh_prices", 1.0),
        ("protections", "trading.protect", 1.0),
        ("mode", "trading.watch_mode", 1.0),
        ("sweep", "vanta.sweep", 1.0),
        ("violations", "vanta.act_on_violations", 5.0),
        ("audit", "trading.read_audit_log", 60.0),
        ("tracking", "risk.track", 600.0),
        ("silence", "trading.find_silent_sources", 10.0),
    )
}

RING_FLAG_SECONDS = 5
# After a ring that failed, the broker is left alone for this long: a paused Redis costs one request its
# timeout, not each of them.
REST_SECONDS = 1.0


class _Broker:
    """This process's way to Redis; it rests after a failure."""

    def __init__(self) -> None:
        self._redis: redis.Redis | None = None
        self._resting_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether Redis failed a moment ago."""
        return time.monotonic() < self._resting_until

    def rest(self) -> None:
        """Leave Redis alone for REST_SECONDS."""
        self._resting_until = time.monotonic() + REST_SECONDS

    def flags(self) -> redis.Redis:
        """The Redis that holds the ring flags, asked with a short timeout."""
        if self._redis is None:
            timeout = settings.REDIS_TIMEOUT_SECONDS
            self._redis = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
            )
        return self._redis


_broker = _Broker()
_TROUBLE = (redis.RedisError, OperationalError, OSError)


def ring(event: str, key: int) -> None:
    """Wake the task that follows an event, once for all rings within RING_FLAG_SECONDS. Never raises for a dead broker."""
    task = FOLLOWS[event]
    if _broker.is_resting:
        return
    try:
        if _broker.flags().set(_flag(task, key), 1, nx=True, ex=RING_FLAG_SECONDS):
            current_app.send_task(task, args=[key])
    except _TROUBLE as error:
        _lost(task, key, error)


def send(task: str, key: int) -> None:
    """Wake a task whatever rang before: a sweep's ring. Never raises for a dead broker."""
    if _broker.is_resting:
        return
    try:
        current_app.send_task(task, args=[key])
    except _TROUBLE as error:
        _lost(task, key, error)


def answered(task: str, key: int) -> None:
    """Clear a ring's flag: called before its task reads rows, so that a later ring is heard."""
    try:
        _broker.flags().delete(_flag(task, key))
    except redis.RedisError as error:
        log.warning("ring.flag_kept", task=task, key=key, error=type(error).__name__)


def _lost(task: str, key: int, error: Exception) -> None:
    _broker.rest()
    log.warning("ring.lost", task=task, key=key, error=type(error).__name__)


def _flag(task: str, key: int) -> str:
    return f"ring:{task}:{key}"
