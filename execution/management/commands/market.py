"""`manage.py market sync`: the venue's catalogue into our markets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from execution import conf
from execution.services import catalogue
from trading import clock


class Command(BaseCommand):
    """Markets."""

    help = "sync: reads the venue's catalogue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync",))

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(f"{catalogue.sync(desk=conf.desk(), at=clock.now())} markets")
