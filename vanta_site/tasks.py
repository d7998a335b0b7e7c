"""The site's own tasks: one call each."""

from celery import shared_task

from trading import clock
from vanta_site import sweep as sweeping


@shared_task(name="vanta.sweep")
def sweep() -> None:
    """Ring every lane that has due rows; rung by beat."""
    sweeping.ring_due(at=clock.now())
