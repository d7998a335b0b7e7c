"""`manage.py webhook ...`: the channels that programs outside are told through."""

import getpass
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from bots import conf
from bots.models import Channel
from bots.services import channels
from bots.services.channels import Opened
from execution.services.warrants import Warrant
from trading import clock
from trading.domain.errors import VantaError


class Command(BaseCommand):
    """Outgoing webhooks."""

    help = (
        "list: all channels. The rest needs NAME and --reason: create (--url, --event, --account), rotate, pause, resume, ping "
        "(a test message), replay (--since, or --delivery). A secret is shown once, by create and rotate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("list", *self._acts()))
        parser.add_argument("name", nargs="?", default="", help="the channel's name")
        parser.add_argument("--reason", default="", help="kept in the audit log")
        parser.add_argument("--url", default="", help="create: where it is told; the host stands in WEBHOOK_TARGET_HOSTS")
        parser.add_argument(
            "--event", action="append", default=[], dest="events", help="create: a pattern, as order.* (default: *)"
        )
        parser.add_argument("--account", action="append", default=[], type=int, dest="accounts", help="create: a Telegram id")
        parser.add_argument("--since", help="replay: an instant, as 2026-01-31T12:00:00Z")
        parser.add_argument("--delivery", action="append", default=[], type=int, dest="delivery_ids", help="replay: its number")

    def handle(self, *_: Any, act: str, name: str, reason: str, **said: Any) -> None:
        if act == "list":
            self._list()
            return
        try:
            by = Warrant(actor=f"command line: {getpass.getuser()}", reason=reason, at=clock.now())
            self._acts()[act](name, by, said)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None

    def _acts(self) -> dict[str, Callable[[str, Warrant, dict[str, Any]], None]]:
        return {
            "create": self._create,
            "rotate": lambda name, by, _: self._show(channels.rotate(channel_id=_pk(name), by=by)),
            "pause": lambda name, by, _: channels.pause(channel_id=_pk(name), by=by),
            "resume": lambda name, by, _: channels.resume(channel_id=_pk(name), by=by),
            "ping": lambda name, by, _: channels.ping(channel_id=_pk(name), by=by),
            "replay": self._replay,
        }

    def _list(self) -> None:
        for channel in Channel.objects.order_by("name"):
            why = f" ({channel.status_reason})" if channel.status_reason else ""
            owed = channel.deliveries.pending().count()
            self.stdout.write(f"{channel.name} {channel.status}{why}: {channel.host}, {', '.join(channel.events)}; {owed} owed")

    def _create(self, name: str, by: Warrant, said: dict[str, Any]) -> None:
        events = said["events"] or ["*"]
        self._show(
            channels.create(name=name, url=said["url"], events=events, accounts=said["accounts"], by=by, postman=conf.postman())
        )

    def _replay(self, name: str, by: Warrant, said: dict[str, Any]) -> None:
        again = channels.replay(channel_id=_pk(name), since=_instant(said["since"]), delivery_ids=said["delivery_ids"], by=by)
        self.stdout.write(f"{again} to be told again")

    def _show(self, opened: Opened) -> None:
        self.stdout.write(f"{opened.channel.name}: {opened.secret}")


def _pk(name: str) -> int:
    return channels.find(name).pk


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = parse_datetime(text)
    if instant is None or instant.tzinfo is None:
        raise CommandError("--since is an instant with its zone, as 2026-01-31T12:00:00Z")
    return instant
