"""The Celery application: tasks are found in each app's `tasks` module and rung by name from `pipeline`."""

import os
import time
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vanta_site.settings.all")

# A little more than the spacing that the switch counts.
STREAK_SPACING_SECONDS = 1.05

app = Celery("vanta")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def _refuse_unsafe_start(**_: Any) -> None:
    """Workers and beat don't begin with `manage.py`: the same checks, made here."""
    from vanta_site import checks, standing

    checks.refuse_to_start()
    standing.announce()


@signals.worker_process_init.connect
def _notice_restore(**_: Any) -> None:
    """A database that was restored or promoted signs nothing: found out before the first task."""
    from django.db import close_old_connections

    from execution.services import restoring
    from trading import clock, conf

    restoring.check(switch=conf.mode_switch(), at=clock.now())
    close_old_connections()


@signals.worker_process_init.connect
def _earn_live(**_: Any) -> None:
    """Read the mode switch until LIVE may be honored, so that a fresh process doesn't let its first intents wait."""
    from django.conf import settings
    from django.db import close_old_connections

    from trading import clock, conf
    from trading.services import switching

    for _attempt in range(settings.ALLOW_LIVE_AFTER_STREAK):
        reading, _state = switching.read(switch=conf.mode_switch(), at=clock.now())
        if not reading.is_healthy:
            break
        time.sleep(STREAK_SPACING_SECONDS)
    close_old_connections()


@signals.task_prerun.connect
def _hear(task: Any, args: Any, **_: Any) -> None:
    """Drop dead connections, and clear the ring's flag before the task reads rows: a later ring is heard."""
    from django.db import close_old_connections

    from vanta_site import pipeline

    close_old_connections()
    if args:
        pipeline.answered(task.name, args[0])


@signals.task_postrun.connect
def _sign_of_life(task: Any, **_: Any) -> None:
    """Say that the process which ran the task is alive: `worker`, `tpsl` or `indexer`."""
    from django.db import close_old_connections

    from trading import clock
    from vanta_site import heartbeats

    heartbeats.beat(str(task.request.hostname).partition("@")[0], at=clock.now())
    close_old_connections()
