"""`manage.py leader add|rename|stop|list`: the addresses that the desk watches, so that accounts can follow them."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading import clock
from trading.domain.errors import VantaError
from trading.models import Trader
from trading.services import leaders, people


class Command(BaseCommand):
    """Leaders."""

    help = (
        "add ADDRESS --name NAME --reason WHY: watch it from now on. rename ADDRESS --name NAME --reason WHY. "
        "stop ADDRESS --reason WHY: watch it no more. list: every leader."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("add", "rename", "stop", "list"))
        parser.add_argument("address", nargs="?", default="", help="0x and 40 hexadecimal digits")
        parser.add_argument("--name", default="", help="what people call it")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *_: Any, act: str, address: str, name: str, reason: str, **__: Any) -> None:
        if act == "list":
            self._list()
            return
        if not address or not reason.strip() or (act != "stop" and not name.strip()):
            raise CommandError(f"leader {act} needs an address, --reason" + ("" if act == "stop" else " and --name"))
        by = {"by": people.of_command_line(getpass.getuser()), "reason": reason, "at": clock.now()}
        try:
            self._act(act, address, name, by)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None

    def _act(self, act: str, address: str, name: str, by: dict[str, Any]) -> None:
        if act == "add":
            leader = leaders.add(address=address, name=name, **by)
        elif act == "rename":
            leader = leaders.rename(leader_id=_of(address), name=name, **by)
        else:
            leader = leaders.stop(leader_id=_of(address), **by)
        self.stdout.write(_line(leader))

    def _list(self) -> None:
        for leader in Trader.objects.leaders().order_by("pk"):
            self.stdout.write(_line(leader))


def _of(address: str) -> int:
    known = Trader.objects.leaders().filter(address=leaders.checked_address(address))
    return known.values_list("pk", flat=True).first() or 0


def _line(leader: Trader) -> str:
    return f"{leader.address} {leader.name}: {'watched' if leader.is_enabled else 'not watched anymore'}"
