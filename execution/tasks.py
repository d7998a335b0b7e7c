"""`execution`'s tasks: one call each."""

from celery import shared_task

from execution import conf
from execution.services import indexing, level_updates, orders, paper_liquidations, reconciliation, senders
from trading import clock


@shared_task(name="execution.order")
def order(trader_id: int) -> None:
    """Owe one intent for each leg that an account's decisions allow."""
    orders.take_in(trader_id=trader_id, at=clock.now())


@shared_task(name="execution.drain")
def drain(sender_id: int) -> None:
    """Work everything that is due for a sender."""
    senders.drain(sender_id=sender_id, desk=conf.desk(), clock=clock.now)


@shared_task(name="execution.reconcile")
def reconcile(_: int = 0) -> None:
    """Compare the accounts that are due with the venue."""
    reconciliation.look_due(desk=conf.desk(), clock=clock.now)


@shared_task(name="execution.liquidate_paper")
def liquidate_paper(trader_id: int) -> None:
    """Close what the price took from an account on paper."""
    paper_liquidations.close_reached(trader_id=trader_id, at=clock.now())


@shared_task(name="execution.levels")
def keep_levels(position_id: int) -> None:
    """Ask the venue for a position's levels as ours stand."""
    level_updates.keep_in_step(position_id=position_id, desk=conf.desk(), at=clock.now())


@shared_task(name="execution.index")
def index(_: int = 0) -> None:
    """Read the venue's events up to the chain's head."""
    indexing.drain(desk=conf.desk(), clock=clock.now)
