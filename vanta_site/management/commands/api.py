"""`manage.py api > docs/reference/api.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from vanta_site import reference


class Command(BaseCommand):
    """The page of the API's paths and scopes."""

    help = "Prints docs/reference/api.md."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(reference.api(), ending="")
