"""Guards without beat and without a broker: the sweeper makes the passes, and sends what a dead worker left."""

from datetime import timedelta

import pytest

from tests.factories.trading import FiringFactory, ProtectionFactory, QuoteFactory, SourceFactory
from trading import clock
from trading.domain.units import Price
from trading.models import Firing, Signal
from trading.services import firings
from vanta_site import sweep

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _source() -> None:
    SourceFactory(name=firings.SOURCE, is_internal=True)


def test_a_pass_of_the_sweeper_fires_what_is_reached() -> None:
    ProtectionFactory()
    QuoteFactory(price=Price.of(57_000), published_at=clock.now(), max_age=timedelta(hours=1))

    assert (sweep.watch_over(at=clock.now()), sweep.watch_over(at=clock.now())) == (1, 0)
    assert Signal.objects.get().source_name.startswith("protection:")


def test_the_sweep_sends_the_close_that_a_dead_worker_left() -> None:
    left = FiringFactory()

    sweep.work_overdue(at=left.fired_at + sweep.OVERDUE - timedelta(milliseconds=1))
    assert not Signal.objects.exists()
    sweep.work_overdue(at=left.fired_at + sweep.OVERDUE)

    assert Firing.objects.get().signal == Signal.objects.get()
    assert Signal.objects.get().signal_id == str(left)
