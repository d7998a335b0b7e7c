"""`manage.py acts > docs/reference/acts.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from vanta_site import reference


class Command(BaseCommand):
    """The page of who may do what."""

    help = "Prints docs/reference/acts.md."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(reference.acts(), ending="")
