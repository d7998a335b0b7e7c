"""Every process that works lanes looks, before its first work, whether its database was restored."""

import pytest
from celery import signals

from execution.models import DatabaseIdentity
from execution.models.sender import SenderStatus
from tests.factories.execution import SenderFactory
from trading.models import ModeState
from vanta_site import celery
from vanta_site.management.commands import sweeper

pytestmark = pytest.mark.usefixtures("committed", "switch")


def _elsewhere() -> None:
    """The rows were confirmed in another cluster."""
    celery._notice_restore()
    DatabaseIdentity.objects.update(system_identifier="1")


def test_a_worker_looks_before_its_first_task() -> None:
    sender = SenderFactory()
    _elsewhere()

    celery._notice_restore()

    sender.refresh_from_db()
    assert (ModeState.objects.get(pk=1).stopped_by, sender.status) == ("restore", SenderStatus.QUARANTINED)
    assert celery._notice_restore in [each() for _, each in signals.worker_process_init.receivers]


def test_the_sweeper_looks_before_each_pass() -> None:
    sender = SenderFactory()
    sweeper._sweep()
    before = ModeState.objects.get(pk=1).emergency_stop
    DatabaseIdentity.objects.update(timeline=0)

    sweeper._sweep()

    sender.refresh_from_db()
    assert (before, ModeState.objects.get(pk=1).stopped_by, sender.status) == (False, "restore", SenderStatus.QUARANTINED)
