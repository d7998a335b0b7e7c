"""Looks at every component, side by side, with one deadline for all: a component that hangs is unhealthy, not a wait."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, connection

from trading.domain.errors import VantaError

log = structlog.get_logger(__name__)

# `/health` answers within a second whatever hangs; this leaves some of it for the answer itself.
PATIENCE_SECONDS = 0.7


class Status(StrEnum):
    """How a component is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component as it was seen. `facts` are shown to anyone: no secrets, no addresses of machines."""

    status: Status
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    latency_ms: int = 0
    last_success: datetime | None = None


def healthy(detail: str = "", **facts: Any) -> Component:
    """All is well."""
    return Component(status=Status.HEALTHY, detail=detail, facts=facts)


def degraded(detail: str, **facts: Any) -> Component:
    """It works, but somebody should look."""
    return Component(status=Status.DEGRADED, detail=detail, facts=facts)


def unhealthy(detail: str, **facts: Any) -> Component:
    """It doesn't work."""
    return Component(status=Status.UNHEALTHY, detail=detail, facts=facts)


Check = Callable[[], Component]
# What an outside that is down may raise; anything else is a bug of ours and shows as one.
TROUBLE = (VantaError, DatabaseError, InterfaceError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Checks that share a way out, asked one after another in one thread: if it hangs, they hang together."""

    name: str
    checks: tuple[tuple[str, Check], ...]


class Prober:
    """Asks groups of checks. A group that still hangs from an earlier look is not asked again."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = tuple(groups)
        self._pool = ThreadPoolExecutor(max_workers=len(self._groups), thread_name_prefix="probe")
        self._running: dict[str, tuple[Future[None], dict[str, Component]]] = {}
        self._last_success: dict[str, datetime] = {}
        self._lock = Lock()

    def look(self, *, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Component]:
        """Every component, within the patience."""
        started = [self._start(group) for group in self._groups]
        wait([running for running, _ in started], timeout=patience_seconds)
        seen = {name: component for _, found in started for name, component in dict(found).items()}
        names = [name for group in self._groups for name, _ in group.checks]
        return {name: self._remembered(name, seen.get(name)) for name in names}

    def _start(self, group: Group) -> tuple[Future[None], dict[str, Component]]:
        with self._lock:
            known = self._running.get(group.name)
            if known is None or known[0].done():
                found: dict[str, Component] = {}
                known = (self._pool.submit(_ask, group, found), found)
                self._running[group.name] = known
            return known

    def _remembered(self, name: str, component: Component | None) -> Component:
        seen = component or unhealthy("no answer in time")
        if seen.status is Status.HEALTHY:
            self._last_success[name] = datetime.now(tz=UTC)
        return replace(seen, last_success=self._last_success.get(name))


def _ask(group: Group, found: dict[str, Component]) -> None:
    try:
        for name, check in group.checks:
            found[name] = _timed(name, check)
    finally:
        # This thread's own connection, if a check opened one; a pool takes it back.
        connection.close()


def _timed(name: str, check: Check) -> Component:
    begun = time.monotonic()
    try:
        component = check()
    except TROUBLE as error:
        component = unhealthy(error.message if isinstance(error, VantaError) else type(error).__name__)
        log.warning("probe.failed", component=name, error=type(error).__name__)
    return replace(component, latency_ms=round((time.monotonic() - begun) * 1000))
