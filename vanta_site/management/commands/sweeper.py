"""`manage.py sweeper`: works what is overdue from PostgreSQL alone, so that nothing waits for a broker."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection

from execution.services import restoring
from trading import clock, conf
from trading.services import hearing, switching
from vanta_site import heartbeats, standing, sweep

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 1.0


class Command(BaseCommand):
    """The `sweeper` process."""

    help = "Works overdue lanes, and watches the mode, until it is told to stop (SIGTERM or SIGINT); finishes the step it is in."

    def handle(self, *_: Any, **__: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        standing.announce()
        # Beside the work: a lane that takes long must keep neither an outage of Redis from being noticed nor a stop
        # from firing, and a target that takes long must not keep a lane.
        beside = [
            threading.Thread(target=_repeat, args=(work, stopping), name=work.__name__) for work in (_watch, _protect, _tell)
        ]
        for thread in beside:
            thread.start()
        _repeat(_sweep, stopping)
        for thread in beside:
            thread.join()


def _repeat(work: Callable[[], object], stopping: threading.Event) -> None:
    """Work once a second until told to stop. The supervised loop: it outlives whatever its work throws."""
    while not stopping.wait(INTERVAL_SECONDS):
        close_old_connections()
        try:
            work()
        except Exception:
            log.exception("sweeper.pass_failed", work=work.__name__)
    # A thread's connection is its own to end.
    connection.close()


def _sweep() -> None:
    # Each time: a standby may have been promoted under a process that goes on.
    restoring.check(switch=conf.mode_switch(), at=clock.now())
    sweep.refresh_overdue_prices(at=clock.now())
    sweep.work_overdue(at=clock.now())
    hearing.find_silent(at=clock.now())
    heartbeats.beat("sweeper", at=clock.now())


def _watch() -> None:
    # Beat's watch needs a broker, which is the very Redis that may be gone.
    switching.watch(switch=conf.mode_switch(), at=clock.now())


def _protect() -> None:
    sweep.watch_over(at=clock.now())


def _tell() -> None:
    sweep.tell_overdue(at=clock.now())
