"""`bots`' tasks: one call each."""

from celery import shared_task

from bots import conf
from bots.services import collecting, deliveries
from trading import clock


@shared_task(name="bots.collect")
def collect(_: int = 0) -> None:
    """Owe what happened to the channels that want it."""
    collecting.collect(at=clock.now())


@shared_task(name="bots.deliver")
def deliver(channel_id: int) -> None:
    """Tell a channel what is owed to it."""
    deliveries.drain(channel_id=channel_id, postman=conf.postman(), clock=clock.now)
