"""Signs of life: each process says when it last worked."""

import time
from datetime import datetime

from vanta_site.models import Heartbeat

SPACING_SECONDS = 2.0
_last: dict[str, float] = {}


def beat(process: str, *, at: datetime) -> None:
    """Say that a process is alive, at most once every SPACING_SECONDS."""
    now = time.monotonic()
    if now - _last.get(process, float("-inf")) < SPACING_SECONDS:
        return
    _last[process] = now
    Heartbeat.objects.update_or_create(process=process, defaults={"at": at})
