"""`manage.py lock ...`: blocks of entries, listed with their reasons, placed and lifted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from risk.management import words
from risk.models import Lock
from risk.services import blocks
from trading import clock
from trading.domain.mode import Book


class Command(BaseCommand):
    """Locks."""

    help = (
        "list [--account ID]: those that hold. place --account ID --reason WHY: blocks its entries, in --symbol or everywhere. "
        "lift LOCK --reason WHY: ends one before its time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("list", "place", "lift"))
        parser.add_argument("lock", nargs="?", type=int, help="lift: its number, as list shows it")
        parser.add_argument("--account", type=int, help="a Telegram id")
        parser.add_argument("--symbol", help="one market (default: every market)")
        parser.add_argument("--book", choices=[str(book) for book in Book], default=Book.LIVE)
        words.add_minutes(parser)
        words.add_reason(parser)

    def handle(self, *_: Any, act: str, **said: Any) -> None:
        with words.refusals():
            {"list": self._list, "place": self._place, "lift": self._lift}[act](said)

    def _list(self, said: dict[str, Any]) -> None:
        rows = Lock.objects.holding(at=clock.now()).select_related("trader", "market").order_by("pk")
        for row in rows.filter(trader__tg_user_id=said["account"]) if said["account"] else rows:
            self.stdout.write(_line(row))

    def _place(self, said: dict[str, Any]) -> None:
        if said["account"] is None:
            raise CommandError("say whose entries: --account and a Telegram id")
        at = clock.now()
        placed = blocks.place(
            tg_user_id=said["account"],
            book=Book(said["book"]),
            symbol=said["symbol"],
            person=words.person(),
            reason=said["reason"],
            at=at,
            until=words.until(said["minutes"], at=at),
        )
        self.stdout.write(_line(placed))

    def _lift(self, said: dict[str, Any]) -> None:
        if said["lock"] is None:
            raise CommandError("say which lock: manage.py lock list shows their numbers")
        lifted = blocks.lift(lock_id=said["lock"], person=words.person(), reason=said["reason"], at=clock.now())
        self.stdout.write(f"{lifted.pk} lifted")


def _line(row: Lock) -> str:
    return f"{row.pk} {row.trader.account} {row.book} {row.as_active()}"
