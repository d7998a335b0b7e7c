"""Apart: rows are worked together, and one that can't be worked keeps no other waiting."""

from collections.abc import Callable, Collection

import structlog
from django.db import InterfaceError, OperationalError

log = structlog.get_logger(__name__)


def work(step: Callable[[Collection[int]], list[int]], rows: list[int]) -> list[int]:
    """Work rows together; where that raises, each half by itself, down to the one that is said out loud and left."""
    try:
        return step(rows)
    except (OperationalError, InterfaceError):
        # The database's trouble, and no row's fault.
        raise
    except Exception:
        if len(rows) == 1:
            log.exception("row.left", row=rows[0], step=str(step), advice="look for what it raised; everything else goes on")
            return []
    half = len(rows) // 2
    return [*work(step, rows[:half]), *work(step, rows[half:])]
