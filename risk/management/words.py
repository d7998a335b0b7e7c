"""What the commands of `risk` share: who acts, until when, and refusals in one line."""

import getpass
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.management.base import CommandError

from trading.domain.errors import VantaError
from trading.domain.people import Person
from trading.services import people


def person() -> Person:
    """Whoever has a shell here."""
    return people.of_command_line(getpass.getuser())


def add_reason(parser: ArgumentParser) -> None:
    """The option that every act needs."""
    parser.add_argument("--reason", default="", help="kept in the audit log")


def add_minutes(parser: ArgumentParser) -> None:
    """The option of what ends by itself."""
    parser.add_argument("--minutes", type=int, help="it ends by itself after so many (default: when somebody ends it)")


def until(minutes: int | None, *, at: datetime) -> datetime | None:
    """The end that a number of minutes means."""
    return None if minutes is None else at + timedelta(minutes=minutes)


@contextmanager
def refusals() -> Iterator[None]:
    """Say what was refused in one line."""
    try:
        yield
    except VantaError as error:
        raise CommandError(f"{error.message} ({error.code})") from None
