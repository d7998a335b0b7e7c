"""`manage.py flatten ...`: closes everything in a scope, and says how far that is."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from risk.domain.halt import HaltScope
from risk.management import words
from risk.models import Flatten
from risk.services import flattening
from trading import clock
from trading.domain.mode import Book

SHOWN = 10


class Command(BaseCommand):
    """Flattening."""

    help = (
        "preview: what would be closed. start --reason WHY: puts the desk, or --scope SYMBOL, SOURCE or USER with its --key, on "
        "exits only and closes what is open there; workers go on with it. show: the newest jobs and how far they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("preview", "start", "show"))
        parser.add_argument("--scope", choices=[str(scope) for scope in HaltScope], default=HaltScope.GLOBAL)
        parser.add_argument("--key", default="", help="the symbol, the source's name or the Telegram id")
        parser.add_argument("--book", choices=[str(book) for book in Book], default=Book.LIVE)
        words.add_reason(parser)

    def handle(self, *_: Any, act: str, scope: str, key: str, book: str, reason: str, **__: Any) -> None:
        if act == "show":
            self._show()
            return
        where: dict[str, Any] = {"scope": HaltScope(scope), "key": key, "book": Book(book)}
        with words.refusals():
            self.stdout.write(f"{flattening.extent(**where)}")
            if act == "start":
                job = flattening.start(**where, person=words.person(), reason=reason, at=clock.now())
                self.stdout.write(f"job {job.pk} {job.status}")

    def _show(self) -> None:
        for job in Flatten.objects.order_by("-pk")[:SHOWN]:
            self.stdout.write(f"{job.pk} {job} {job.status} by {job.started_by}: {job.reason}; {flattening.progress(job)}")
