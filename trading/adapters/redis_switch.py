"""The runtime switch in Redis: the key `exec_mode`, a JSON object, as operators set it with redis-cli."""

import json
import time

import redis
import structlog
from django.conf import settings

from trading.domain.errors import Unavailable
from trading.domain.mode import Mode, SwitchReading
from trading.kinds import ask

log = structlog.get_logger(__name__)

KEY = "exec_mode"
# Marks a value as written by us; what redis-cli sets has none.
AUTHOR = "vanta"
# Three reads in one millisecond are one: only reads this far apart count toward the streak.
STREAK_SPACING_SECONDS = 1.0


class RedisSwitch:
    """Reads and sets the switch, and counts this process's healthy reads in a row."""

    def __init__(self, url: str | None = None) -> None:
        timeout = settings.REDIS_TIMEOUT_SECONDS
        self._redis = redis.Redis.from_url(
            url or settings.REDIS_URL, socket_timeout=timeout, socket_connect_timeout=timeout, retry=None
        )
        self._streak = 0
        self._counted_at = float("-inf")

    @ask
    def read(self) -> SwitchReading:
        """One look at the switch; trouble is an unhealthy reading."""
        try:
            raw = self._redis.get(KEY)
        except redis.RedisError as error:
            return self._failed(type(error).__name__)
        return self._failed("no such key") if raw is None else self._parsed(raw)

    @ask
    def write(self, *, mode: Mode, stop: bool) -> None:
        """Set the switch, or raise Unavailable."""
        value = json.dumps({"mode": mode, "emergency_stop": stop, "updated_at": int(time.time()), "author": AUTHOR})
        try:
            self._redis.set(KEY, value)
        except redis.RedisError as error:
            raise Unavailable("the mode switch can't be reached", error=type(error).__name__) from None

    def _parsed(self, raw: object) -> SwitchReading:
        try:
            value = json.loads(raw if isinstance(raw, str | bytes) else b"")
            mode, stop = Mode(value["mode"]), value.get("emergency_stop")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return self._failed("malformed")
        # By type: 1 equals True, and a stop that was meant must not pass as a stop that isn't.
        if not isinstance(stop, bool | None):
            return self._failed("malformed")
        self._count()
        is_own = value.get("author") == AUTHOR
        return SwitchReading(is_healthy=True, mode=mode, stop=stop, is_own=is_own, streak=self._streak)

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._counted_at >= STREAK_SPACING_SECONDS:
            self._streak += 1
            self._counted_at = now

    def _failed(self, problem: str) -> SwitchReading:
        if self._streak or self._counted_at == float("-inf"):
            log.warning("mode.switch_unreadable", words="FAILING SAFE TO DRY", problem=problem, streak=0)
        self._streak = 0
        # The next healthy read starts a new streak at once.
        self._counted_at = float("-1e9")
        return SwitchReading(is_healthy=False, mode=Mode.DRY, problem=problem)
