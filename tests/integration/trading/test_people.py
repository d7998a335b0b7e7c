"""Who somebody is: a login of the console, a Telegram id, a shell."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from tests.factories import NOW
from trading.domain.people import Act, NotAllowed, Person, Role
from trading.models import AuditRow, Member
from trading.services import members, people

pytestmark = pytest.mark.django_db

ROOT = people.of_command_line("root")


def login(*roles: str, **more: object) -> User:
    user = User.objects.create_user("bob", password="not used", is_staff=True, **more)
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return user


def admit(*roles: Role, tg_user_id: int = 123, **more: str) -> Member:
    return members.admit(tg_user_id=tg_user_id, roles=roles, by=ROOT, reason="new", at=NOW, **more)


def test_a_logins_groups_are_his_roles(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = login("viewer", "risk", "kitchen")

    with django_assert_num_queries(1):
        person = people.of_user(user)

    assert person == Person(name="bob", roles=frozenset({Role.VIEWER, Role.RISK}))


def test_a_django_superuser_is_a_super_admin() -> None:
    assert people.of_user(login(is_superuser=True)).roles == {Role.SUPER_ADMIN}


def test_a_login_without_groups_or_switched_off_is_nobody() -> None:
    user = login("risk")
    User.objects.update(is_active=False, is_superuser=True)

    assert people.of_user(user).roles == frozenset()
    assert people.of_user(AnonymousUser()).roles == frozenset()


def test_a_member_has_the_roles_of_his_row(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    admit(Role.TRADER, Role.VIEWER)

    with django_assert_num_queries(1):
        person = people.of_member(123)

    assert person == Person(name="tg:123", roles=frozenset({Role.TRADER, Role.VIEWER}), tg_user_id=123)
    assert people.of_member(124) == Person(name="tg:124", roles=frozenset(), tg_user_id=124)


def test_the_environments_lists_give_risk_and_super_admin(settings: Settings) -> None:
    settings.ADMIN_USER_IDS, settings.SUPER_ADMIN_IDS = (5, 6), (6,)
    admit(Role.TRADER, tg_user_id=5)

    assert [people.of_member(each).roles for each in (5, 6, 7)] == [
        {Role.RISK, Role.TRADER},
        {Role.RISK, Role.SUPER_ADMIN},
        frozenset(),
    ]


def test_empty_lists_mean_nobody(settings: Settings) -> None:
    settings.ADMIN_USER_IDS, settings.SUPER_ADMIN_IDS = (), ()

    assert people.of_member(0).roles == frozenset()


def test_one_person_has_one_name_wherever_he_comes_in() -> None:
    """Or the second person who confirms LIVE could be the first one, by telephone."""
    user = login("super-admin")
    admit(Role.SUPER_ADMIN, login="bob")

    assert (people.of_member(123).name, people.of_user(user).name) == ("bob", "bob")
    assert people.of_user(user).tg_user_id == 123


def test_who_was_sent_away_from_the_console_does_not_come_back_through_the_bot() -> None:
    login("risk")
    admit(Role.RISK, login="bob")
    User.objects.update(is_active=False)

    assert people.of_member(123).roles == frozenset()


def test_a_grave_attempt_is_refused_and_kept() -> None:
    person = people.of_user(login("risk"))

    with pytest.raises(NotAllowed):
        people.demand(person, Act.GO_LIVE, subject="mode", at=NOW)

    row = AuditRow.objects.get()
    assert (row.actor, row.action, row.subject) == ("bob", "act.refused", "mode")
    assert row.after == {"act": "GO_LIVE", "roles": ["risk"]}
    assert row.reason == "GO_LIVE needs the role super-admin; bob has risk"


def test_a_harmless_attempt_is_refused_without_a_row() -> None:
    with pytest.raises(NotAllowed):
        people.demand(people.of_user(login("viewer")), Act.HALT, subject="desk", at=NOW)

    assert not AuditRow.objects.exists()


def test_what_is_allowed_passes_without_a_row() -> None:
    people.demand(ROOT, Act.GO_LIVE, subject="mode", at=NOW)

    assert not AuditRow.objects.exists()
