"""The runtime switch in Redis: the key `exec_mode`, a JSON object, as operators set it with redis-cli."""

import hashlib
import json
import time
from datetime import datetime
from threading import Lock
from typing import cast

import redis
import structlog
from django.conf import settings

from trading.domain.errors import Unavailable
from trading.domain.mode import EMPTY, Mode, SwitchReading
from trading.kinds import ask

log = structlog.get_logger(__name__)

KEY = "exec_mode"
# Marks a value as written by us; what redis-cli sets has none.
AUTHOR = "vanta"
# Three reads in one millisecond are one: only reads this far apart count toward the streak.
STREAK_SPACING_SECONDS = 1.0
# After a Redis that didn't answer, the next ask: a paused one costs a process its timeout once in this time.
REST_SECONDS = 1.0
# Many times what a switch says; more is garbage that isn't worth parsing.
LONGEST = 4_096
_UNREACHABLE = (redis.ConnectionError, redis.TimeoutError)
# The version of a value is its sha1; of what isn't a string, its kind; of nothing, `none`. In one script,
# so that nothing is set between the look and the write.
_REPLACE = """
local version = redis.call('TYPE', KEYS[1]).ok
if version == 'string' then version = redis.sha1hex(redis.call('GET', KEYS[1])) end
if version ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
"""


class RedisSwitch:
    """Reads and sets the switch, and counts this process's healthy reads in a row."""

    def __init__(self, url: str | None = None) -> None:
        timeout = settings.REDIS_TIMEOUT_SECONDS
        self._redis = redis.Redis.from_url(
            url or settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
        )
        self._streak = _Streak()
        self._resting_until = float("-inf")
        self._unreachable = ""
        self._is_failing: bool | None = None

    @ask
    def read(self, *, doubted_until: datetime | None = None) -> SwitchReading:
        """One look at the switch; trouble is an unhealthy reading."""
        if time.monotonic() < self._resting_until:
            return self._failed(self._unreachable)
        try:
            raw = self._redis.get(KEY)
        except _UNREACHABLE as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            self._unreachable = type(error).__name__
            return self._failed(self._unreachable)
        except redis.RedisError as error:
            return self._failed(type(error).__name__, version=self._kind())
        if not isinstance(raw, bytes):
            return self._failed("no such key", version=EMPTY)
        return self._parsed(raw, doubted_until=doubted_until)

    @ask
    def replace(self, seen: SwitchReading, *, mode: Mode, stop: bool) -> bool:
        """Set the switch unless it changed since it was seen, or raise Unavailable."""
        value = json.dumps({"mode": mode, "emergency_stop": stop, "updated_at": int(time.time()), "author": AUTHOR})
        try:
            return bool(cast(int, self._redis.eval(_REPLACE, 1, KEY, seen.version, value)))
        except redis.RedisError as error:
            raise Unavailable("the mode switch can't be reached", error=type(error).__name__) from None

    def _parsed(self, raw: bytes, *, doubted_until: datetime | None) -> SwitchReading:
        version = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
        try:
            value = json.loads(raw if len(raw) <= LONGEST else b"")
            mode, stop = Mode(value["mode"]), value.get("emergency_stop")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return self._failed("malformed", version=version)
        # By type: 1 equals True, and a stop that was meant must not pass as a stop that isn't.
        if not isinstance(stop, bool | None):
            return self._failed("malformed", version=version)
        self._is_failing = False
        streak = self._streak.count(doubted_until)
        is_own = value.get("author") == AUTHOR
        return SwitchReading(is_healthy=True, mode=mode, stop=stop, is_own=is_own, streak=streak, version=version)

    def _kind(self) -> str:
        """What lies under the key instead of a text; empty if even that can't be asked."""
        try:
            return cast(bytes, self._redis.type(KEY)).decode()
        except redis.RedisError:
            return ""

    def _failed(self, problem: str, *, version: str = "") -> SwitchReading:
        if not self._is_failing:
            log.warning("mode.switch_unreadable", words="FAILING SAFE TO DRY", problem=problem, streak=0)
        self._is_failing = True
        self._streak.end()
        return SwitchReading(is_healthy=False, mode=Mode.DRY, problem=problem, version=version)


class _Streak:
    """Healthy reads in a row, a while apart; several threads of a process may read."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._length = 0
        self._counted_at = float("-inf")
        self._doubted_until: datetime | None = None

    def count(self, doubted_until: datetime | None) -> int:
        """One more, unless it comes too soon; a doubt that is news ends those before it."""
        with self._lock:
            if doubted_until != self._doubted_until:
                self._doubted_until = doubted_until
                self._forget()
            now = time.monotonic()
            if now - self._counted_at >= STREAK_SPACING_SECONDS:
                self._length += 1
                self._counted_at = now
            return self._length

    def end(self) -> None:
        """Begin anew: the next healthy read counts at once."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._length, self._counted_at = 0, float("-inf")
