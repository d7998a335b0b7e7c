"""`risk`'s tasks: one call each."""

from celery import shared_task

from risk import conf
from risk.services import copying, decisions, flattening, losses, tracking
from trading import clock
from trading import conf as trading_conf


@shared_task(name="risk.drain")
def drain(trader_id: int) -> None:
    """Decide an account's waiting signals."""
    decisions.drain(trader_id=trader_id, switch=trading_conf.mode_switch(), accounts=conf.accounts(), clock=clock.now)


@shared_task(name="risk.watch")
def watch(trader_id: int) -> None:
    """Measure what an account lost."""
    losses.watch(trader_id=trader_id, at=clock.now())


@shared_task(name="risk.flatten")
def flatten(job_id: int) -> None:
    """Send the closes that a job still owes, and count the others."""
    flattening.work(job_id=job_id, at=clock.now())


@shared_task(name="risk.copy")
def copy(following_id: int) -> None:
    """Copy what a leader traded, or say why not."""
    copying.work(following_id=following_id, at=clock.now())


@shared_task(name="risk.track")
def track() -> None:
    """Report what yesterday's copies made beside their leaders; rung by beat."""
    tracking.catch_up(at=clock.now())
