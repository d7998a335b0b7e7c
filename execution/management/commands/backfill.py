"""`manage.py backfill`: what the venue did to followed traders before we read its events."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution import conf
from execution.services import backfill
from execution.services.backfill import Plan, Progress
from trading.domain.errors import VantaError
from trading.models import Trader


class Command(BaseCommand):
    """Backfill."""

    help = "Reads the venue's events from a block on, up to where the live stream is. Stopped, it goes on where it was."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from-block", type=int, required=True)
        parser.add_argument("--to", type=int, help="the last block; without it, where the live stream is")
        parser.add_argument("--trader", help="one trader's address; without it, everybody we follow")
        parser.add_argument("--pause", type=float, default=0.2, help="seconds between two ranges, which are the live stream's")

    def handle(self, *_: Any, from_block: int, to: int | None, trader: str | None, pause: float, **__: Any) -> None:
        plan = Plan(first=from_block, last=to, trader=_trader(trader) if trader else None)
        desk = conf.desk()
        try:
            progress = backfill.start(plan, desk=desk)
            while not progress.is_done:
                progress = backfill.go_on(plan, progress, desk=desk)
                self.stdout.write(_line(progress))
                time.sleep(pause)
        except VantaError as error:
            raise CommandError(f"{error.code}: {error.message}; start again to go on") from error
        self.stdout.write(f"done: block {progress.number}")


def _trader(address: str) -> Trader:
    found = Trader.objects.filter(address__iexact=address).first()
    if found is None:
        raise CommandError(f"nobody we follow has the address {address}")
    return found


def _line(progress: Progress) -> str:
    return f"block {progress.number} of {progress.target}, {progress.found} events, next {progress.span} blocks"
