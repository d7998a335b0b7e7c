"""`manage.py audit verify`: whether the audit log is the one that was written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading.services import audit_checks


class Command(BaseCommand):
    """The audit log."""

    help = (
        "verify: reads every row; exits 1 and says which were changed, moved, slipped in or taken out. It prints the log's end "
        "as NUMBER:HASH; noted elsewhere and given to a later --anchor, it shows a log that was made anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("verify",))
        parser.add_argument(
            "--anchor", default="", metavar="NUMBER:HASH", help="an end that verify, or the log files, said earlier"
        )

    def handle(self, *_: Any, anchor: str, **__: Any) -> None:
        verdict = audit_checks.verify()
        findings = [*verdict.findings, *self._about(anchor)]
        if findings:
            raise CommandError("\n".join(("the audit log isn't the one that was written:", *findings)))
        self.stdout.write(f"{verdict.end.number} rows, unbroken; the end is {verdict.end.number}:{verdict.end.hash}")

    def _about(self, anchor: str) -> list[str]:
        if not anchor:
            return []
        number, _, last_hash = anchor.partition(":")
        if not (number.isdecimal() and last_hash):
            raise CommandError("--anchor is NUMBER:HASH, as verify prints it")
        finding = audit_checks.anchor_finding(number=int(number), last_hash=last_hash)
        return [finding] if finding else []
