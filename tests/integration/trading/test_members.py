"""Members: admitted, changed and dismissed, each time with a row of the audit log."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import Error, IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from tests.factories import NOW
from trading.domain.people import NotAllowed, Person, Role
from trading.models import AuditRow, Member
from trading.services import members, people

pytestmark = pytest.mark.django_db

ROOT = people.of_command_line("root")
RISK = Person(name="bob", roles=frozenset({Role.RISK}))


def audited() -> list[tuple[str, str, dict[str, object], dict[str, object], str]]:
    return list(AuditRow.objects.order_by("pk").values_list("actor", "subject", "before", "after", "reason"))


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("member", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_admitting_gives_exactly_these_roles() -> None:
    members.admit(tg_user_id=123, roles=[Role.VIEWER], name="Ada", by=ROOT, reason="new", at=NOW)
    members.admit(tg_user_id=123, roles=[Role.TRADER, Role.RISK], by=ROOT, reason="more", at=NOW)

    first = {"roles": ["viewer"], "name": "Ada", "login": ""}
    assert Member.objects.get().roles == ["risk", "trader"]
    assert audited() == [
        ("command line: root", "member:123", {"roles": [], "name": "", "login": ""}, first, "new"),
        ("command line: root", "member:123", first, first | {"roles": ["risk", "trader"]}, "more"),
    ]


def test_admitting_somebody_as_he_is_writes_nothing() -> None:
    for _ in range(2):
        members.admit(tg_user_id=123, roles=[Role.VIEWER], by=ROOT, reason="new", at=NOW)

    assert len(audited()) == 1


def test_dismissing_takes_every_role_and_leaves_the_row() -> None:
    members.admit(tg_user_id=123, roles=[Role.RISK], by=ROOT, reason="new", at=NOW)

    members.dismiss(tg_user_id=123, by=ROOT, reason="left", at=NOW)

    assert people.of_member(123).roles == frozenset()
    assert audited()[-1][3:] == ({"roles": [], "name": "", "login": ""}, "left")


def test_only_a_super_admin_admits_and_dismisses() -> None:
    members.admit(tg_user_id=123, roles=[Role.VIEWER], by=ROOT, reason="new", at=NOW)

    with pytest.raises(NotAllowed):
        members.admit(tg_user_id=123, roles=[Role.SUPER_ADMIN], by=RISK, reason="me too", at=NOW)
    with pytest.raises(NotAllowed):
        members.dismiss(tg_user_id=123, by=RISK, reason="away", at=NOW)

    assert Member.objects.get().roles == ["viewer"]
    assert len(audited()) == 1


def test_nobody_can_be_dismissed_who_was_never_admitted() -> None:
    with pytest.raises(members.UnknownMember):
        members.dismiss(tg_user_id=123, by=ROOT, reason="left", at=NOW)


@pytest.mark.parametrize("name", ["nobody", "taken"])
def test_a_login_belongs_to_one_member(name: str) -> None:
    User.objects.create_user("taken")
    members.admit(tg_user_id=1, roles=[], login="taken", by=ROOT, reason="new", at=NOW)

    with pytest.raises(members.UnknownLogin):
        members.admit(tg_user_id=2, roles=[Role.RISK], login=name, by=ROOT, reason="new", at=NOW)

    assert not Member.objects.filter(tg_user_id=2).exists()


def test_the_database_knows_the_roles_and_keeps_the_row() -> None:
    member = members.admit(tg_user_id=123, roles=[Role.VIEWER], by=ROOT, reason="new", at=NOW)

    with pytest.raises(IntegrityError, match="member_roles_are_known"), transaction.atomic():
        Member.objects.update(roles=["root"])
    with pytest.raises(Error, match="Cannot delete rows from members"), transaction.atomic():
        connection.cursor().execute("DELETE FROM members")
    member.refresh_from_db()
    assert member.roles == ["viewer"]


def test_the_command_adds_lists_and_removes(settings: Settings) -> None:
    settings.ADMIN_USER_IDS, settings.SUPER_ADMIN_IDS = (5,), ()

    assert said("add", "123", "--role", "trader", "--role", "viewer", "--name", "Ada", "--reason", "new") == [
        "Ada (123): trader, viewer"
    ]
    assert said("list") == ["5 by the environment: risk", "123 Ada: trader, viewer"]
    assert said("remove", "123", "--reason", "left") == ["Ada (123): no role"]
    assert said("list") == ["5 by the environment: risk", "123 Ada: no role"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("add", "123", "--role", "viewer"), "member add needs a Telegram id and --reason"),
        (("add", "--role", "viewer", "--reason", "new"), "member add needs a Telegram id and --reason"),
        (("add", "123", "--reason", "new"), "say which --role; remove takes them all"),
        (("remove", "123", "--reason", "left"), r"nobody with this Telegram id was ever admitted \(MEMBER_UNKNOWN\)"),
        (("add", "1", "--role", "risk", "--login", "x", "--reason", "y"), r"\(LOGIN_UNKNOWN\)"),
    ],
)
def test_the_command_says_what_is_missing(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        said(*arguments)

    assert audited() == []
