"""The mode's row, as tests set it and read it; and an environment that allows LIVE."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.switch import UNTROUBLED
from trading.models import AuditRow, ModeState

SECOND = timedelta(seconds=1)


@pytest.fixture
def live_ceiling(settings: Any, db: None) -> None:
    """Nothing but the stores and the switch holds LIVE down."""
    settings.EXEC_MODE = "LIVE"
    settings.DEFAULT_EXECUTION_MODE = "LIVE"
    settings.COPY_IS_SET = False
    settings.EMERGENCY_STOP = False
    settings.ALLOW_LIVE_AFTER_STREAK = 3
    settings.LIVE_REQUIRES_TWO = False
    keep(**UNTROUBLED)


def keep(**changes: object) -> None:
    """Write into the row itself."""
    ModeState.objects.filter(pk=1).update(**changes)


def state() -> tuple[str, bool, bool, str]:
    """The wish, whether somebody chose it, the stop, and whose it is."""
    row = ModeState.objects.get(pk=1)
    return row.configured, row.is_chosen, row.emergency_stop, row.stopped_by


def audited() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Who changed what, and to what, oldest first."""
    return [(row.actor, row.before, row.after) for row in AuditRow.objects.order_by("pk")]
