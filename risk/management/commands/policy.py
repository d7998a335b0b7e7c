"""`manage.py policy sync`: the global policy's first values from the environment."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from risk.services import policies
from trading import clock


class Command(BaseCommand):
    """Policies at a start."""

    help = "sync: creates the global policy from MAX_POSITION_SIZE_USD if there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync",))

    def handle(self, *_: Any, **__: Any) -> None:
        is_new = policies.seed(at=clock.now())
        self.stdout.write("global policy created" if is_new else "global policy stands")
