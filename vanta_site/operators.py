"""The people of the console: made from the command line, with a password that is shown once."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, User

from trading.domain.errors import Conflict
from trading.domain.people import Role
from trading.kinds import piece, write
from trading.services import audit

ACTOR = "command line"
REASON = "manage.py operator"
PASSWORD_BYTES = 15


class OperatorExists(Conflict):
    """There is an operator of this name already."""

    code = "OPERATOR_EXISTS"


@write
def add(*, username: str, roles: Iterable[Role], at: datetime) -> str:
    """Create an operator with these roles; the answer is the password, which is nowhere else.

    Raises:
        OperatorExists: if the name is taken.
    """
    if User.objects.filter(username=username).exists():
        raise OperatorExists("there is an operator of this name already", username=username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    named = sorted(roles)
    # Django shows a superuser every page; what he may do is asked of his role all the same.
    operator = User.objects.create_user(username, password=password, is_staff=True, is_superuser=Role.SUPER_ADMIN in named)
    operator.groups.set(Group.objects.filter(name__in=named))
    note("operator.add", username, by=ACTOR, before={}, after=said(operator), reason=REASON, at=at)
    return password


@write
def reset(*, username: str, at: datetime) -> str:
    """Give an operator a new password; open sessions end with the old one."""
    operator = User.objects.select_for_update().get(username=username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    operator.set_password(password)
    operator.save(update_fields=["password"])
    note("operator.reset", username, by=ACTOR, before={}, after={}, reason=REASON, at=at)
    return password


@piece
def note(
    action: str, username: str, *, by: str, before: dict[str, Any], after: dict[str, Any], reason: str, at: datetime
) -> None:
    """Write down what became of an operator; of a password only that there is another."""
    audit.record(actor=by, action=action, subject=f"operator:{username}", before=before, after=after, reason=reason, at=at)


def said(operator: User) -> dict[str, Any]:
    """What an operator may, as the audit log keeps it."""
    roles = sorted(operator.groups.values_list("name", flat=True))
    return {"roles": roles, "active": operator.is_active, "staff": operator.is_staff, "superuser": operator.is_superuser}
