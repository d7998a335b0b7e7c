"""`manage.py source create|rotate|revoke|enable|disable|list`: who may send signals, and with which secrets."""

import getpass
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trading import clock
from trading.domain.errors import VantaError
from trading.domain.source import Auth, SourceMode, Terms
from trading.models import Source, SourceSecret
from trading.services import people, sources
from trading.services.sources import Issued

Said = dict[str, Any]


class Command(BaseCommand):
    """Sources."""

    help = (
        "create NAME --auth KIND --reason WHY: a source and its first secret. rotate NAME: a second one. revoke KEY: takes a "
        "secret away at once. enable, disable NAME. list: every source and its secrets' public names. A secret is shown once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("create", "rotate", "revoke", "enable", "disable", "list"))
        parser.add_argument("name", nargs="?", default="", help="a source; for revoke a secret's key, as list shows it")
        parser.add_argument("--auth", choices=[str(auth) for auth in Auth], default=str(Auth.SIGNATURE))
        parser.add_argument("--mode", choices=[str(mode) for mode in SourceMode], default=str(SourceMode.AUTO))
        parser.add_argument("--description", default="")
        parser.add_argument("--symbol", action="append", default=[], dest="symbols", help="a market it may trade; none: all")
        parser.add_argument("--account", action="append", default=[], type=int, dest="accounts", help="a Telegram id; none: all")
        parser.add_argument("--heartbeat", type=int, help="seconds of silence that people are told of")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *_: Any, act: str, **said: Any) -> None:
        if act == "list":
            self._list()
            return
        if not said["name"] or not said["reason"].strip():
            raise CommandError(f"source {act} needs a name and --reason")
        by = {"by": people.of_command_line(getpass.getuser()), "reason": said["reason"], "at": clock.now()}
        try:
            self._acts[act](self, said, by)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None

    def _list(self) -> None:
        for source in Source.objects.filter(is_internal=False).order_by("pk").prefetch_related("secrets"):
            state = "enabled" if source.is_enabled else "disabled"
            heard = source.last_heard_at.isoformat(timespec="seconds") if source.last_heard_at else "never"
            self.stdout.write(f"{source.name} {source.auth} {source.mode} {state}, heard {heard}")
            for secret in source.secrets.all():
                self.stdout.write(f"  {_line(secret)}")

    def _create(self, said: Said, by: Said) -> None:
        terms = Terms(
            description=said["description"],
            mode=SourceMode(said["mode"]),
            allowed_symbols=tuple(said["symbols"]),
            allowed_accounts=tuple(said["accounts"]),
            heartbeat_seconds=said["heartbeat"],
        )
        self._show(sources.create(name=said["name"], auth=Auth(said["auth"]), terms=terms, **by))

    def _rotate(self, said: Said, by: Said) -> None:
        self._show(sources.rotate(name=said["name"], **by))

    def _revoke(self, said: Said, by: Said) -> None:
        secret = sources.revoke(key_id=said["name"], **by)
        self.stdout.write(f"{secret.key_id} is revoked")

    def _enable(self, said: Said, by: Said) -> None:
        self.stdout.write(f"{sources.enable(name=said['name'], **by)} is enabled")

    def _disable(self, said: Said, by: Said) -> None:
        self.stdout.write(f"{sources.disable(name=said['name'], **by)} is disabled")

    def _show(self, issued: Issued) -> None:
        self.stderr.write(f"{issued.secret.source} {issued.secret.kind} {issued.secret.key_id}: shown once, keep it now")
        self.stdout.write(issued.text)

    _acts: dict[str, Callable[["Command", Said, Said], None]] = {
        "create": _create,
        "rotate": _rotate,
        "revoke": _revoke,
        "enable": _enable,
        "disable": _disable,
    }


def _line(secret: SourceSecret) -> str:
    used = secret.last_used_at.isoformat(timespec="seconds") if secret.last_used_at else "never"
    state = f"revoked {secret.revoked_at.isoformat(timespec='seconds')}" if secret.revoked_at else f"active, used {used}"
    return f"{secret.key_id} {state}"
