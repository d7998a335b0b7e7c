"""The roles as Django's groups: everybody sees every ledger, nobody edits history."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from bots.models import Channel
from risk.models import Policy
from tests.factories.logins import operator
from trading.domain.people import Role
from trading.models import ApiToken, AuditRow, Leader, Member, ModeState
from vanta_site import groups

pytestmark = pytest.mark.django_db

LEDGERS = [model for model in admin.site._registry if model not in (User, Group, Member, Leader, ApiToken, Channel, Policy)]


def browser(*roles: Role) -> Client:
    client = Client()
    client.force_login(operator("bob", *roles))
    return client


def place(model: type) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def test_a_migration_makes_one_group_for_each_role() -> None:
    Group.objects.all().delete()

    call_command("migrate", verbosity=0)

    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(Role)


def test_settling_takes_away_what_was_given_by_hand() -> None:
    groups.settle()
    viewers = Group.objects.get(name=Role.VIEWER)
    viewers.permissions.add(Permission.objects.get(codename="delete_signal"))

    groups.settle()

    assert not viewers.permissions.filter(codename="delete_signal").exists()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("model", LEDGERS, ids=lambda model: model.__name__)
def test_every_role_sees_every_ledger_and_edits_none(desk: ModeState, switch: object, role: Role, model: type) -> None:
    client = browser(role)

    assert client.get(place(model)).status_code == 200
    assert client.post(f"{place(model)}add/", {}).status_code == 403
    assert {verb for known, verb in groups.codes(role) if known is model} == {"view"}


@pytest.mark.parametrize("model", [User, Group, Member, ApiToken], ids=lambda model: model.__name__)
def test_people_are_for_the_super_admins_eyes(desk: ModeState, switch: object, model: type) -> None:
    answers = {role: Client() for role in Role}
    for role, client in answers.items():
        client.force_login(operator(f"a {role}", role))

    seen = {role for role, client in answers.items() if client.get(place(model)).status_code == 200}

    assert seen == {Role.SUPER_ADMIN}


def test_a_login_without_a_role_sees_nothing(desk: ModeState, switch: object) -> None:
    client = browser()

    assert {client.get(place(model)).status_code for model in LEDGERS} == {403}


# --- the pages over people


def changed(client: Client, user: User, **said: object) -> None:
    form = {"username": user.username, "reason": "why", **said}
    answer = client.post(f"/admin/auth/user/{user.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]


@pytest.mark.usefixtures("switch")
def test_a_change_of_a_persons_roles_is_audited_with_who_and_why(console: Client) -> None:
    bob = operator("bob", Role.VIEWER)

    changed(console, bob, is_active="on", is_staff="on", groups=[Group.objects.get(name=Role.RISK).pk])

    row = AuditRow.objects.get()
    rest = {"active": True, "staff": True, "superuser": False}
    assert (row.actor, row.action, row.subject, row.reason) == ("ada", "operator.change", "operator:bob", "why")
    assert (row.before, row.after) == ({"roles": ["viewer"], **rest}, {"roles": ["risk"], **rest})


@pytest.mark.usefixtures("switch")
def test_a_change_without_a_reason_changes_nothing(console: Client) -> None:
    bob = operator("bob", Role.VIEWER)

    answer = console.post(f"/admin/auth/user/{bob.pk}/change/", {"username": "bob", "is_superuser": "on", "reason": " "})

    bob.refresh_from_db()
    assert (answer.status_code, bob.is_superuser, AuditRow.objects.exists()) == (200, False, False)


@pytest.mark.usefixtures("switch")
def test_a_new_person_and_a_new_password_are_audited_without_the_password(console: Client) -> None:
    secret = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}

    added = console.post("/admin/auth/user/add/", {"username": "eve", "is_active": "on", "reason": "new", **secret})
    eve = User.objects.get(username="eve")
    reset = console.post(f"/admin/auth/user/{eve.pk}/password/", secret)

    assert (added.status_code, reset.status_code) == (302, 302)
    rows = AuditRow.objects.order_by("pk")
    assert [(row.action, row.subject, row.actor) for row in rows] == [
        ("operator.add", "operator:eve", "ada"),
        ("operator.reset", "operator:eve", "ada"),
    ]
    assert "horse" not in str(list(rows.values()))


@pytest.mark.usefixtures("switch")
def test_only_a_super_admin_admits_members_and_each_is_audited(console: Client) -> None:
    form = {"tg_user_id": "123", "name": "Eve", "roles": ["trader"], "reason": "new"}
    risk = browser(Role.RISK)

    assert risk.post("/admin/trading/member/add/", form).status_code == 403
    assert console.post("/admin/trading/member/add/", form).status_code == 302
    member = Member.objects.get()
    assert console.post(f"/admin/trading/member/{member.pk}/change/", {"name": "Eve", "reason": "left"}).status_code == 302

    member.refresh_from_db()
    assert (member.roles, member.tg_user_id) == ([], 123)
    assert [(row.action, row.actor, row.reason) for row in AuditRow.objects.order_by("pk")] == [
        ("member.change", "ada", "new"),
        ("member.change", "ada", "left"),
    ]
