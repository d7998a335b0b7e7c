"""The people of the console: made from the command line, with a password that is shown once."""

import secrets
from datetime import datetime

from django.contrib.auth.models import User

from trading.domain.errors import Conflict
from trading.kinds import write
from trading.services import audit

ACTOR = "command line"
PASSWORD_BYTES = 15


class OperatorExists(Conflict):
    """There is an operator of this name already."""

    code = "OPERATOR_EXISTS"


@write
def add(*, username: str, is_superuser: bool, at: datetime) -> str:
    """Create an operator; the answer is the password, which is nowhere else.

    Raises:
        OperatorExists: if the name is taken.
    """
    if User.objects.filter(username=username).exists():
        raise OperatorExists("there is an operator of this name already", username=username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    User.objects.create_user(username, password=password, is_staff=True, is_superuser=is_superuser)
    after = {"is_staff": True, "is_superuser": is_superuser}
    _note("operator.add", username, after=after, at=at)
    return password


@write
def reset(*, username: str, at: datetime) -> str:
    """Give an operator a new password; open sessions end with the old one."""
    operator = User.objects.select_for_update().get(username=username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    operator.set_password(password)
    operator.save(update_fields=["password"])
    _note("operator.reset", username, after={}, at=at)
    return password


def _note(action: str, username: str, *, after: dict[str, bool], at: datetime) -> None:
    audit.record(
        actor=ACTOR, action=action, subject=f"operator:{username}", before={}, after=after, reason="manage.py operator", at=at
    )
