"""`manage.py restored --at TIME --reason ...`: a person says that the database was restored."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from execution.services import restoring
from execution.services.warrants import Warrant
from trading import clock, conf
from trading.domain.errors import VantaError


class Command(BaseCommand):
    """A restored database."""

    help = (
        "Stops everything, quarantines every sender, and withdraws what is older than --at and isn't signed. "
        "Then compare each sender with the chain (sender report), release it, and lift the stop."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", required=True, help="when it was restored, with its offset: 2026-01-02T03:04:05+00:00")
        parser.add_argument("--reason", required=True, help="kept in the audit log")

    def handle(self, *_: Any, at: str, reason: str, **__: Any) -> None:
        try:
            restored_at = parse_datetime(at)
        except ValueError:
            restored_at = None
        if restored_at is None or restored_at.tzinfo is None:
            raise CommandError(f"--at: not an instant with an offset: {at}")
        try:
            by = Warrant(actor=f"command line: {getpass.getuser()}", reason=reason, at=clock.now())
            withdrawn = restoring.declare(restored_at=restored_at, switch=conf.mode_switch(), by=by)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None
        self.stdout.write(f"stopped; every sender is quarantined; {withdrawn} withdrawn")
