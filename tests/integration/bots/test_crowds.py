"""Ten thousand events for three channels: batches of a fixed cost, all of it owed, each message told once."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bots.adapters.postman import HttpPostman
from bots.models import Delivery
from bots.services import collecting, deliveries
from tests.factories import NOW
from tests.factories.bots import ChannelFactory
from tests.factories.trading import SignalFactory
from tests.fakes.receiver import Receiver
from tests.integration.bots.outbox import Held, collect, drain
from trading.kinds import write
from trading.models import Signal
from trading.services import journal

EVENTS, SIGNALS = 10_000, 1_000
# A drain lasts twenty seconds of its clock, and looks at it four times a round.
ROUNDS = 25
# Locks, rows, updates and leases of a batch, savepoints included.
MOST_QUERIES = 24


class Ticking(Held):
    """A clock that goes on by a bit at each look."""

    def __call__(self) -> datetime:
        self.forward(seconds=20 / (4 * ROUNDS))
        return self.now


@write
def happen(signals: list[Signal], *, number: int) -> None:
    """As many events, the same number for each signal."""
    of = [signals[each % len(signals)] for each in range(number)]
    journal.record_all(journal.event("intent.sent", signal, at=NOW, trace_id=signal.trace_id) for signal in of)


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_a_crowd_of_events_is_owed_and_told_in_batches_of_a_fixed_cost(receiver: Receiver, postman: HttpPostman) -> None:
    channel, *_ = (ChannelFactory(url=receiver.url) for _ in range(3))
    first = SignalFactory()
    happen([first, *SignalFactory.create_batch(SIGNALS - 1, trader=first.trader)], number=EVENTS)

    with CaptureQueriesContext(connection) as owing:
        read = collect()
    with CaptureQueriesContext(connection) as telling:
        drain(channel, postman, Ticking())

    assert (read, Delivery.objects.count(), collecting.is_behind()) == (EVENTS, 3 * EVENTS, False)
    assert len(owing) <= MOST_QUERIES * (EVENTS // collecting.BATCH + 1)
    rounds = len(receiver.told) // deliveries.WIDTH
    assert ROUNDS - 1 <= rounds <= ROUNDS
    assert len(set(receiver.ids)) == len(receiver.told) == rounds * deliveries.WIDTH
    assert len(telling) <= MOST_QUERIES * rounds
