"""`manage.py denials > docs/reference/denials.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from vanta_site import reference


class Command(BaseCommand):
    """The page of the denial codes."""

    help = "Prints docs/reference/denials.md."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(reference.denials(), ending="")
