"""`manage.py operator add --username NAME`: a person for the console, with a password shown once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trading import clock
from trading.domain.people import Role
from vanta_site import operators


class Command(BaseCommand):
    """Operators."""

    help = "add: creates an operator and prints the password once; --reset gives an existing one a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("add",))
        parser.add_argument("--username", required=True)
        roles = [str(role) for role in Role]
        parser.add_argument("--role", action="append", default=[], choices=roles, dest="roles", help="default: super-admin")
        parser.add_argument("--reset", action="store_true")

    def handle(self, *_: Any, username: str, roles: list[str], reset: bool, **__: Any) -> None:
        try:
            password = operators.add(
                username=username, roles=[Role(role) for role in roles] or [Role.SUPER_ADMIN], at=clock.now()
            )
        except operators.OperatorExists:
            self._say_exists(username, reset=reset)
        else:
            self.stdout.write(f"{username} created: password {password}")

    def _say_exists(self, username: str, *, reset: bool) -> None:
        if reset:
            self.stdout.write(f"{username} reset: password {operators.reset(username=username, at=clock.now())}")
        else:
            self.stdout.write(f"{username} exists; --reset sets a new one")
