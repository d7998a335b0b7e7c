"""`manage.py reconcile`: accounts against the venue, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution import conf
from execution.models import AccountLook, Difference
from execution.services import paper_money, reconciliation
from risk.management import words
from trading import clock


class Command(BaseCommand):
    """Reconciliation on demand."""

    help = (
        "Compares each account, or the one of --account, with the venue at the block that our books have reached. Exits 1 if "
        "something differs that two looks saw. Nothing is repaired; what is unknown is adopted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=int, help="a Telegram id (default: every account that we may trade for)")

    def handle(self, *_: Any, account: int | None, **__: Any) -> None:
        with words.refusals():
            named = reconciliation.ours() if account is None else [paper_money.named(account)]
        reconciliation.look(named, desk=conf.desk(), clock=clock.now)
        for row in AccountLook.objects.filter(trader__in=named).select_related("trader").order_by("trader"):
            self.stdout.write(_line(row))
        standing = Difference.objects.unresolved().filter(trader__in=named).order_by("trader", "pk")
        for each in standing:
            self.stdout.write(f"  {each.state:9} {each}: ours {each.ours}, the venue's {each.theirs}")
        if standing.standing().exists():
            raise CommandError("books and venue differ")


def _line(row: AccountLook) -> str:
    if row.waits_for:
        return f"{row.trader}: waits, {row.waits_for}"
    held = f"{row.positions} positions, {row.orders} orders, {row.balance_usdc} USDC, allowance {row.allowance_usdc}"
    return f"{row.trader}: at block {row.block_number} {held}"
