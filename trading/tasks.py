"""`trading`'s tasks: one call each."""

from celery import shared_task

from trading import clock, conf
from trading.services import audit_checks, firings, hearing, prices, protecting, switching


@shared_task(name="trading.refresh_prices")
def refresh_prices() -> None:
    """Keep the quotes fresh; rung by beat."""
    prices.refresh(sources=conf.price_sources(), sequencer=conf.sequencer_feed(), at=clock.now())


@shared_task(name="trading.protect")
def protect() -> None:
    """Make one pass over what is guarded; rung by beat."""
    protecting.watch(exits=conf.exits(), at=clock.now())


@shared_task(name="trading.close")
def close(firing_id: int) -> None:
    """Send the close that a firing stands for."""
    firings.send(firing_id=firing_id, at=clock.now())


@shared_task(name="trading.watch_mode")
def watch_mode() -> None:
    """Take over what was set in the switch from outside; rung by beat."""
    switching.watch(switch=conf.mode_switch(), at=clock.now())


@shared_task(name="trading.read_audit_log")
def read_audit_log() -> None:
    """Read the next stretch of the audit log, to see whether it is the one that was written; rung by beat."""
    audit_checks.go_on(at=clock.now())


@shared_task(name="trading.find_silent_sources")
def find_silent_sources() -> None:
    """Say which sources have fallen silent; rung by beat."""
    hearing.find_silent(at=clock.now())
