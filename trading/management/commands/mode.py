"""`manage.py mode sync`: at a start, the environment's word and the switch are brought together."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading import clock, conf
from trading.services import mode, switching


class Command(BaseCommand):
    """The execution mode at a start."""

    help = "sync: a mode that nobody chose follows EXEC_MODE, and an empty switch is filled. show: what holds now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync", "show"))

    def handle(self, *_: Any, act: str, **__: Any) -> None:
        if act == "sync":
            switching.sync(switch=conf.mode_switch(), at=clock.now())
        effective = mode.current(switch=conf.mode_switch(), at=clock.now())
        ceiling = mode.ceiling()
        held_by = "; ".join(effective.reasons) or "LIVE"
        self.stdout.write(f"configured {mode.configured()}, ceiling {ceiling.mode} by {ceiling.by}; {held_by}")
