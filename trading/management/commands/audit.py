"""`manage.py audit verify`: whether the audit log is the one that was written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.models import AuditRow
from trading.services import audit


class Command(BaseCommand):
    """The audit log."""

    help = "verify: checks each row's hash against the row before it; exits 1 and names the first that is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("verify",))

    def handle(self, *_: Any, **__: Any) -> None:
        broken = audit.first_broken()
        if broken is not None:
            raise CommandError(f"broken at row {broken.pk}: {broken}")
        self.stdout.write(f"{AuditRow.objects.count()} rows, unbroken")
