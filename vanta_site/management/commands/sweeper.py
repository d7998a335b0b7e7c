"""`manage.py sweeper`: works what is overdue from PostgreSQL alone, so that nothing waits for a broker."""

import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from execution.services import restoring
from trading import clock, conf
from vanta_site import heartbeats, sweep

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 1.0


class Command(BaseCommand):
    """The `sweeper` process."""

    help = "Works overdue lanes until it is told to stop (SIGTERM or SIGINT); finishes the step it is in."

    def handle(self, *_: Any, **__: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        while not stopping.wait(INTERVAL_SECONDS):
            self._pass()

    def _pass(self) -> None:
        close_old_connections()
        try:
            # Each time: a standby may have been promoted under a process that goes on.
            restoring.check(switch=conf.mode_switch(), at=clock.now())
            sweep.work_overdue(at=clock.now())
            heartbeats.beat("sweeper", at=clock.now())
        except Exception:
            # The one supervised loop: it must outlive whatever a lane throws.
            log.exception("sweeper.pass_failed")
