"""`risk`'s tasks: one call each."""

from celery import shared_task

from risk.services import decisions
from trading import clock, conf


@shared_task(name="risk.drain")
def drain(trader_id: int) -> None:
    """Decide an account's waiting signals."""
    decisions.drain(trader_id=trader_id, switch=conf.mode_switch(), clock=clock.now)
