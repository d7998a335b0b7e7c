"""`manage.py token create|list|revoke`: keys of programs to the API."""

import getpass
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from trading import clock
from trading.domain.errors import VantaError
from trading.domain.token import Scope
from trading.models import ApiToken, Member
from trading.services import people, tokens


class Command(BaseCommand):
    """Tokens."""

    help = (
        "create NAME --login NAME | --member ID, --scope SCOPE [--scope SCOPE] [--account ID] [--days N] --reason WHY. "
        "list: every token. revoke PUBLIC_ID --reason WHY: for good."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("create", "list", "revoke"))
        parser.add_argument("name", nargs="?", default="", help="what a new one is called; of one to revoke, its public id")
        parser.add_argument("--login", help="whose: a name on the console")
        parser.add_argument("--member", type=int, help="whose: a Telegram id")
        parser.add_argument("--scope", action="append", default=[], choices=[str(scope) for scope in Scope], dest="scopes")
        parser.add_argument("--account", action="append", default=[], type=int, dest="accounts", help="only for this account")
        parser.add_argument("--days", type=int, help="how long it lasts; without it, until it is revoked")
        parser.add_argument("--reason", default="", help="kept in the audit log")

    def handle(self, *_: Any, act: str, name: str, **said: Any) -> None:
        if act == "list":
            self._list()
            return
        try:
            self._create(name, said) if act == "create" else self._revoke(name, said["reason"])
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None

    def _list(self) -> None:
        for token in ApiToken.objects.select_related("user", "member").order_by("pk"):
            end = "revoked" if token.revoked_at else f"until {token.expires_at or 'it is revoked'}"
            used = f"used {token.last_used_at:%F %R}" if token.last_used_at else "never used"
            scopes = ",".join(token.scopes)
            self.stdout.write(f"{token.public_id} {token.name}: {token.user or token.member}, {scopes}, {end}, {used}")

    def _create(self, name: str, said: dict[str, Any]) -> None:
        at = clock.now()
        issued = tokens.issue(
            name=name,
            owner=_owner(login=said["login"], member=said["member"]),
            scopes=[Scope(scope) for scope in said["scopes"]],
            accounts=said["accounts"],
            expires_at=at + timedelta(days=said["days"]) if said["days"] else None,
            by=people.of_command_line(getpass.getuser()),
            reason=said["reason"],
            at=at,
        )
        self.stdout.write(issued.text)
        self.stderr.write("Shown this once; only its fingerprint is kept.")

    def _revoke(self, public_id: str, reason: str) -> None:
        if not reason.strip():
            raise CommandError("token revoke needs a public id and --reason")
        by = people.of_command_line(getpass.getuser())
        token = tokens.revoke(public_id=public_id, by=by, reason=reason, at=clock.now())
        self.stdout.write(f"{token}: revoked")


def _owner(*, login: str | None, member: int | None) -> User | Member:
    found: User | Member | None = None
    if login and not member:
        found = User.objects.filter(username=login).first()
    if member and not login:
        found = Member.objects.filter(tg_user_id=member).first()
    if found is None:
        raise CommandError("say whose it is: --login or --member, of somebody who is there")
    return found
