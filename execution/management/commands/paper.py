"""`manage.py paper ...`: the money that accounts have on paper, and how paper compares with live."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution.services import comparisons, paper_money
from execution.services.paper_money import Standing
from execution.services.warrants import Warrant
from risk.management import words
from trading import clock
from trading.domain.units import Usdc
from trading.models import PaperFlow

SHOWN = 10


class Command(BaseCommand):
    """The paper book."""

    help = (
        "show --account ID: what it has, what of it is free, and its newest flows. deposit and withdraw --account ID --usdc "
        "AMOUNT --reason WHY: money that is neither gain nor loss. compare --positions PAPER LIVE: the same trade in both books, "
        "and why they ended differently."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("show", "deposit", "withdraw", "compare"))
        parser.add_argument("--account", type=int, help="a Telegram id")
        parser.add_argument("--positions", type=int, nargs=2, metavar=("PAPER", "LIVE"), help="compare: two closed positions")
        parser.add_argument("--usdc", default="0", help="how much")
        words.add_reason(parser)

    def handle(self, *_: Any, act: str, **said: Any) -> None:
        with words.refusals():
            if act == "compare":
                self._compare(said["positions"])
            else:
                self._money(act, said)

    def _compare(self, positions: list[int] | None) -> None:
        if positions is None:
            raise CommandError("say which: --positions and the numbers of one on paper and a live one")
        found = comparisons.compare(paper_id=positions[0], live_id=positions[1])
        self.stdout.write("\n".join(comparisons.lines(found)))

    def _money(self, act: str, said: dict[str, Any]) -> None:
        if said["account"] is None:
            raise CommandError("say whose money: --account and a Telegram id")
        trader_id = paper_money.named(said["account"])
        if act != "show":
            do = paper_money.deposit if act == "deposit" else paper_money.withdraw
            by = Warrant(actor=f"command line: {getpass.getuser()}", reason=said["reason"], at=clock.now())
            do(trader_id=trader_id, amount=Usdc.of(said["usdc"]), by=by)
        self._show(paper_money.look(trader_id=trader_id, at=clock.now()))

    def _show(self, stands: Standing) -> None:
        wallet = stands.wallet
        self.stdout.write(
            f"{wallet}, {stands.free} free, {wallet.put_in_usdc} put in; its flows and fills sum up to {stands.proven}"
        )
        for flow in PaperFlow.objects.filter(wallet=wallet).order_by("-pk")[:SHOWN]:
            self.stdout.write(f"  {flow.at:%Y-%m-%d %H:%M} {flow} by {flow.placed_by}: {flow.reason}")
