"""Rows of `bots`."""

import factory
from factory.django import DjangoModelFactory

from bots.models import Channel, Delivery
from tests.factories import NOW
from trading.domain import proof
from trading.models import Event
from trading.services import vault

SECRET = proof.standard_secret(b"only for tests: 32 bytes of key.")


class EventFactory(DjangoModelFactory):
    """A signal that came in."""

    class Meta:
        model = Event

    kind = "signal.received"
    subject = factory.Sequence(lambda number: f"signal:{number}")
    trace_id = factory.Sequence(lambda number: f"{number:032x}")
    at = NOW


class ChannelFactory(DjangoModelFactory):
    """A channel that is told everything, from before the first transaction."""

    class Meta:
        model = Channel

    name = factory.Sequence(lambda number: f"channel-{number}")
    url = "https://hooks.example.org/vanta"
    events = ["*"]
    after_transaction = 0
    created_at = NOW

    @factory.lazy_attribute
    def secret(self) -> str:
        row = Channel(name=self.name)
        vault.seal(row, "secret", SECRET)
        return row.secret


class DeliveryFactory(DjangoModelFactory):
    """An event owed to a channel."""

    class Meta:
        model = Delivery

    event = factory.SubFactory(EventFactory)
    channel = factory.SubFactory(ChannelFactory)
    message_id = factory.Sequence(lambda number: f"msg_{number}")
    thread = factory.SelfAttribute("event.trace_id")
    body = factory.LazyAttribute(lambda row: f'{{"type":"{row.event.kind}","data":{{"event":{row.event.pk}}}}}')
    created_at = NOW
    next_action_at = NOW
