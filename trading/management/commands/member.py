"""`manage.py member add|remove|list`: whom the bot and the API know, by Telegram id."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading import clock
from trading.domain.errors import VantaError
from trading.domain.people import Role
from trading.models import Member
from trading.services import members, people


class Command(BaseCommand):
    """Members."""

    help = (
        "add ID --role ROLE [--role ROLE] --reason WHY: exactly these roles. remove ID --reason WHY: none. list: everybody, "
        "with those of ADMIN_USER_IDS and SUPER_ADMIN_IDS. --login NAME: the same person on the console."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("add", "remove", "list"))
        parser.add_argument("tg_user_id", nargs="?", type=int, help="a Telegram id")
        parser.add_argument("--role", action="append", default=[], choices=[str(role) for role in Role], dest="roles")
        parser.add_argument("--name")
        parser.add_argument("--login", help="his name on the console, if he has one")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *_: Any, act: str, tg_user_id: int | None, reason: str, **said: Any) -> None:
        if act == "list":
            self._list()
        elif tg_user_id is None or not reason.strip():
            raise CommandError(f"member {act} needs a Telegram id and --reason")
        elif act == "add":
            self._add(tg_user_id, reason, said)
        else:
            self._remove(tg_user_id, reason)

    def _list(self) -> None:
        rows = {member.tg_user_id: member for member in Member.objects.all()}
        for tg_user_id in sorted({*rows, *settings.ADMIN_USER_IDS, *settings.SUPER_ADMIN_IDS}):
            roles = ", ".join(sorted(people.of_member(tg_user_id).roles)) or "no role"
            name = rows[tg_user_id].name if tg_user_id in rows else "by the environment"
            self.stdout.write(f"{tg_user_id} {name}: {roles}")

    def _add(self, tg_user_id: int, reason: str, said: dict[str, Any]) -> None:
        if not said["roles"]:
            raise CommandError("say which --role; remove takes them all")
        by, roles = people.of_command_line(getpass.getuser()), [Role(role) for role in said["roles"]]
        try:
            member = members.admit(
                tg_user_id=tg_user_id, roles=roles, name=said["name"], login=said["login"], by=by, reason=reason, at=clock.now()
            )
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None
        self.stdout.write(f"{member}: {', '.join(member.roles)}")

    def _remove(self, tg_user_id: int, reason: str) -> None:
        try:
            member = members.dismiss(
                tg_user_id=tg_user_id, by=people.of_command_line(getpass.getuser()), reason=reason, at=clock.now()
            )
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None
        self.stdout.write(f"{member}: no role")
