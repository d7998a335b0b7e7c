"""The site's own tasks: one call each."""

from celery import shared_task

from trading import clock, conf
from vanta_site import auto_dry
from vanta_site import sweep as sweeping


@shared_task(name="vanta.sweep")
def sweep() -> None:
    """Ring every lane that has due rows; rung by beat."""
    sweeping.ring_due(at=clock.now())


@shared_task(name="vanta.act_on_violations")
def act_on_violations() -> None:
    """Set DRY for what must never happen; rung by beat."""
    auto_dry.act(switch=conf.mode_switch(), at=clock.now())
