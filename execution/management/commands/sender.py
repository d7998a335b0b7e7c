"""`manage.py sender ...`: the accounts that sign, and what people do with them."""

import getpass
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution import conf
from execution.models import Sender
from execution.models.sender import SenderStatus
from execution.services import drift, gas, indexing, releasing, sender_acts, senders
from execution.services.sender_acts import GWEI, Limits
from execution.services.warrants import Warrant
from trading import clock
from trading.domain.errors import VantaError
from trading.domain.units import Wei

TURNS = {"pause": SenderStatus.PAUSED, "drain": SenderStatus.DRAINING, "resume": SenderStatus.ACTIVE}


class Command(BaseCommand):
    """Senders."""

    help = (
        "sync: registers the signers' accounts, and starts reading the venue's events at the chain's head. list: all of them. "
        "report [ADDRESS]: rows against the chain; exits 1 if they differ. The rest needs --reason: pause, drain, resume, "
        "release (out of quarantine; --adopt-count as typed from the nodes), rebroadcast, limits, top-up, treasury."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync", "list", "report", *TURNS, *self._acts()))
        parser.add_argument("address", nargs="?", default="", help="the sender's address; where there is one only, it is that")
        parser.add_argument("--reason", default="", help="kept in the audit log")
        parser.add_argument("--adopt-count", type=int, help="release: the chain's count that the next nonce rises to")
        parser.add_argument("--ceiling-gwei", type=int, help="limits: the most that it pays for a gas")
        parser.add_argument("--gas-floor-wei", type=int, help="limits: below this it takes no new nonces")
        parser.add_argument("--max-in-flight", type=int, help="limits: the most that may be in flight")

    def handle(self, *_: Any, act: str, address: str, **said: Any) -> None:
        try:
            self._do(act, address, said)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None

    def _do(self, act: str, address: str, said: dict[str, Any]) -> None:
        if act == "sync":
            self._sync()
        elif act == "list":
            for sender in Sender.objects.order_by("pk"):
                self.stdout.write(_line(sender))
        elif act == "report":
            self._report([_named(address)] if address else list(Sender.objects.order_by("pk")))
        else:
            self._act(act, _named(address), said)

    def _sync(self) -> None:
        sender = senders.enlist(desk=conf.desk(), at=clock.now())
        cursor = indexing.start(desk=conf.desk())
        self.stdout.write(f"sender {sender.address} {sender.status}, next nonce {sender.next_nonce}; {cursor}")

    def _report(self, named: list[Sender]) -> None:
        reports = [drift.report(sender_id=sender.pk, desk=conf.desk(), at=clock.now()) for sender in named]
        for report in reports:
            self.stdout.write(_line(report.sender))
            for line in report.lines:
                self.stdout.write(f"  {line.verdict:8} {line.name}: {line.value} (expected {line.expected})")
        differing = [report.sender.address for report in reports if report.differences]
        if differing:
            raise CommandError(f"rows and chain differ: {', '.join(differing)}")

    def _act(self, act: str, sender: Sender, said: dict[str, Any]) -> None:
        by = Warrant(actor=f"command line: {getpass.getuser()}", reason=said["reason"], at=clock.now())
        if act in TURNS:
            sender_acts.turn(sender_id=sender.pk, target=TURNS[act], by=by)
        else:
            self._acts()[act](sender, said, by)
        sender.refresh_from_db()
        self.stdout.write(_line(sender))

    def _acts(self) -> dict[str, Callable[[Sender, dict[str, Any], Warrant], None]]:
        return {
            "release": self._release,
            "rebroadcast": self._rebroadcast,
            "limits": self._limit,
            "top-up": self._top_up,
            "treasury": lambda sender, _, by: sender_acts.appoint(sender_id=sender.pk, by=by),
        }

    def _release(self, sender: Sender, said: dict[str, Any], by: Warrant) -> None:
        releasing.release(sender_id=sender.pk, adopt_count=said["adopt_count"], desk=conf.desk(), by=by)

    def _rebroadcast(self, sender: Sender, _: dict[str, Any], by: Warrant) -> None:
        answers = sender_acts.rebroadcast(sender_id=sender.pk, desk=conf.desk(), clock=clock.now, by=by)
        self.stdout.write(", ".join(f"{count} {meaning}" for meaning, count in sorted(answers.items())))

    def _limit(self, sender: Sender, said: dict[str, Any], by: Warrant) -> None:
        ceiling, floor = said["ceiling_gwei"], said["gas_floor_wei"]
        limits = Limits(
            fee_ceiling_wei=None if ceiling is None else Wei(ceiling * GWEI),
            gas_floor_wei=None if floor is None else Wei(floor),
            max_in_flight=said["max_in_flight"],
        )
        sender_acts.limit(sender_id=sender.pk, limits=limits, by=by)

    def _top_up(self, sender: Sender, _: dict[str, Any], by: Warrant) -> None:
        owed = gas.top_up(sender_id=sender.pk, by=by)
        self.stdout.write(f"{owed.intent_key}: {owed.value_wei} wei")


def _named(address: str) -> Sender:
    if address:
        return sender_acts.find(address)
    every = list(Sender.objects.order_by("pk")[:2])
    if len(every) != 1:
        raise CommandError("say which sender: manage.py sender list shows their addresses")
    return every[0]


def _line(sender: Sender) -> str:
    why = f" ({sender.status_reason})" if sender.status_reason else ""
    kind = "treasury" if sender.is_treasury else "sender"
    limits = f"ceiling {sender.fee_ceiling_wei} wei, floor {sender.gas_floor_wei} wei"
    window = f"window {sender.window_size} of {sender.max_in_flight}"
    return f"{kind} {sender.address} {sender.status}{why}, next nonce {sender.next_nonce}, {window}, {limits}"
