"""`manage.py roles`: what the application's database role may do."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vanta_site import roles


class Command(BaseCommand):
    """The application's database role."""

    help = "sync: gives it exactly what vanta_site/grants.py says, as migrate does. verify: names what it may do besides."
    # It mends what they refuse.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync", "verify"))

    def handle(self, *_: Any, act: str, **__: Any) -> None:
        if act == "sync":
            with roles.as_owner():
                roles.settle(application=settings.DATABASES["default"])
        self._verify()

    def _verify(self) -> None:
        excess = roles.excess()
        if excess:
            raise CommandError(f"the application's role {'; '.join(excess)}")
        self.stdout.write("the application's role may do what it needs, and nothing else")
