"""`manage.py operator`."""

import re
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command

from trading.domain.people import Role
from trading.models import AuditRow
from trading.services import people

pytestmark = pytest.mark.django_db


def _said(*arguments: str) -> str:
    out = StringIO()
    call_command("operator", "add", "--username", "operator", *arguments, stdout=out)
    return out.getvalue().strip()


def test_an_operator_is_made_with_a_password_that_is_shown_once() -> None:
    said = re.fullmatch(r"operator created: password (\S{20})", _said())

    user = authenticate(username="operator", password=said[1])
    assert (user.is_staff, user.is_superuser) == (True, True)
    row = AuditRow.objects.get()
    assert (row.actor, row.action, row.subject) == ("command line", "operator.add", "operator:operator")
    assert said[1] not in str(row.after)
    assert _said() == "operator exists; --reset sets a new one"
    assert authenticate(username="operator", password=said[1]) is not None


def test_a_reset_sets_a_new_password() -> None:
    old = _said().rpartition(" ")[2]

    new = _said("--reset").rpartition(" ")[2]

    assert authenticate(username="operator", password=old) is None
    assert authenticate(username="operator", password=new) is not None
    assert [row.action for row in AuditRow.objects.order_by("pk")] == ["operator.add", "operator.reset"]


def test_one_with_other_roles_can_be_made() -> None:
    _said("--role", "risk", "--role", "viewer")

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, people.of_user(user).roles) == (True, False, {Role.RISK, Role.VIEWER})
    assert AuditRow.objects.get().after == {"roles": ["risk", "viewer"], "active": True, "staff": True, "superuser": False}
