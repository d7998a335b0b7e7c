"""`manage.py lifecycles > docs/reference/lifecycles.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from vanta_site import reference


class Command(BaseCommand):
    """The page of the state machines."""

    help = "Prints docs/reference/lifecycles.md."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(reference.lifecycles(), ending="")
