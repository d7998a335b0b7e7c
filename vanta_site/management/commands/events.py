"""`manage.py events > docs/reference/events.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from vanta_site import reference


class Command(BaseCommand):
    """The page of the public events."""

    help = "Prints docs/reference/events.md."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(reference.events(), ending="")
