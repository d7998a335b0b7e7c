"""API tokens: one person's, shown once, kept as a fingerprint."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW
from tests.factories.logins import operator
from tests.factories.people import RISK, SUPER_ADMIN
from trading import clock
from trading.domain import token as domain
from trading.domain.people import Act, NotAllowed, Role
from trading.domain.token import Scope
from trading.models import ApiToken, AuditRow, Member
from trading.services import members, tokens
from trading.services.tokens import Issued, NameTaken, TokenRefused, UnknownToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita() -> User:
    return operator("rita", Role.RISK)


def issued(owner: User | Member, **said: Any) -> Issued:
    about = {"name": "a robot", "scopes": [Scope.READ, Scope.TRADE], "by": SUPER_ADMIN, "reason": "new", "at": NOW}
    return tokens.issue(owner=owner, **about | said)


def member(tg_user_id: int, *roles: Role) -> Member:
    return members.admit(tg_user_id=tg_user_id, roles=roles, by=SUPER_ADMIN, reason="new", at=NOW)


def test_a_token_makes_its_caller_its_person_narrowed_to_its_scopes(rita: User) -> None:
    new = issued(rita, accounts=[7, 5, 7])

    token, person = tokens.recognize(new.text, at=NOW)

    assert token == new.token
    assert (person.name, person.roles, person.tg_user_id) == ("rita", {Role.RISK}, None)
    assert (person.acts, person.accounts) == ({Act.SEE, Act.REVIEW, Act.TRADE}, {5, 7})


def test_a_member_s_token_acts_for_his_account() -> None:
    new = issued(member(123, Role.TRADER))

    _, person = tokens.recognize(new.text, at=NOW)

    assert (person.name, person.roles, person.tg_user_id, person.accounts) == ("tg:123", {Role.TRADER}, 123, None)


def test_the_secret_is_kept_nowhere(rita: User) -> None:
    new = issued(rita)
    halves = domain.halves(new.text)

    kept = str(list(ApiToken.objects.values())) + str(list(AuditRow.objects.values()))

    assert halves.secret not in kept
    assert new.token.secret_sha256 == halves.digest


def test_issuing_and_revoking_are_audited(rita: User) -> None:
    new = issued(rita, expires_at=NOW + timedelta(days=1))
    tokens.revoke(public_id=new.token.public_id, by=SUPER_ADMIN, reason="lost", at=NOW)
    tokens.revoke(public_id=new.token.public_id, by=SUPER_ADMIN, reason="again", at=NOW)

    subject = f"token:{new.token.public_id} a robot"
    said = {"person": "rita", "scopes": ["READ", "TRADE"], "accounts": [], "expires_at": "2026-01-03T03:04:05+00:00"}
    rows = [(row.actor, row.action, row.subject, row.after, row.reason) for row in AuditRow.objects.order_by("pk")]
    assert rows == [
        ("ada", "token.issue", subject, said, "new"),
        ("ada", "token.revoke", subject, {"revoked": True}, "lost"),
    ]


def test_only_a_super_admin_issues_and_revokes(rita: User) -> None:
    new = issued(rita)

    with pytest.raises(NotAllowed):
        issued(rita, name="another", by=RISK)
    with pytest.raises(NotAllowed):
        tokens.revoke(public_id=new.token.public_id, by=RISK, reason="no", at=NOW)

    assert list(ApiToken.objects.values_list("name", "revoked_at")) == [("a robot", None)]


@pytest.mark.parametrize(
    ("said", "field"),
    [({"name": " "}, "name"), ({"reason": ""}, "name"), ({"scopes": []}, "scopes"), ({"expires_at": NOW}, "expires_at")],
)
def test_what_is_no_token_is_refused(rita: User, said: dict[str, Any], field: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        issued(rita, **said)

    assert (refused.value.facts["field"], ApiToken.objects.exists()) == (field, False)


def test_a_name_stays_taken_after_its_token_was_revoked(rita: User) -> None:
    tokens.revoke(public_id=issued(rita).token.public_id, by=SUPER_ADMIN, reason="lost", at=NOW)

    with pytest.raises(NameTaken):
        issued(rita)


def test_a_token_that_nobody_has_cannot_be_revoked() -> None:
    with pytest.raises(UnknownToken):
        tokens.revoke(public_id="0" * 12, by=SUPER_ADMIN, reason="lost", at=NOW)


# --- who is let in


def test_a_wrong_secret_an_unknown_id_and_other_texts_are_nobody(rita: User) -> None:
    text = issued(rita).text
    other_secret, other_id = text[:-1] + ("0" if text[-1] != "0" else "1"), text.replace("vanta_", "vanta_0", 1)[:18] + text[18:]

    assert [tokens.recognize(each, at=NOW) for each in (other_secret, other_id, "", "vanta_", "\x00", text + " ")] == [None] * 6


def test_an_unknown_id_asks_as_much_as_a_wrong_secret(rita: User) -> None:
    text = issued(rita).text
    asked = []
    for each in (text[:-1] + ("0" if text[-1] != "0" else "1"), f"vanta_{'f' * 12}_{'0' * 64}", "nonsense"):
        with CaptureQueriesContext(connection) as queries:
            assert tokens.recognize(each, at=NOW) is None
        asked.append(len(queries))

    assert asked == [1, 1, 1]


def test_an_expired_and_a_revoked_token_are_nobody(rita: User) -> None:
    day = timedelta(days=1)
    expiring, revoked = issued(rita, name="e", expires_at=NOW + day), issued(rita, name="r")
    tokens.revoke(public_id=revoked.token.public_id, by=SUPER_ADMIN, reason="lost", at=NOW)

    assert tokens.recognize(expiring.text, at=NOW + day - timedelta(seconds=1)) is not None
    assert tokens.recognize(expiring.text, at=NOW + day) is None
    assert tokens.recognize(revoked.text, at=NOW) is None


def test_a_token_ends_with_its_person_s_roles_and_with_his_login(rita: User) -> None:
    hers, his = issued(rita).text, issued(member(123, Role.TRADER), name="his").text
    rita.is_active = False
    rita.save()
    members.dismiss(tg_user_id=123, by=SUPER_ADMIN, reason="left", at=NOW)

    assert [tokens.recognize(each, at=NOW) for each in (hers, his)] == [None, None]


def test_a_role_that_is_taken_is_taken_from_the_token_too(rita: User) -> None:
    text = issued(rita).text
    rita.groups.set(operator("vera", Role.VIEWER).groups.all())

    _, person = tokens.recognize(text, at=NOW)

    assert person.roles == {Role.VIEWER}


def test_its_use_is_written_down_once_a_minute(rita: User) -> None:
    token = issued(rita).token
    used = []
    for seconds in (0, 59, 60, 61):
        tokens.note_use(token, at=NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        used.append((token.last_used_at - NOW) // timedelta(seconds=1))

    assert used == [0, 0, 60, 60]


# --- what the database keeps


@pytest.mark.parametrize("column", ["name", "secret_sha256", "scopes", "accounts", "expires_at", "user_id", "created_by"])
def test_what_was_issued_never_changes(rita: User, column: str) -> None:
    token = issued(rita, expires_at=NOW + timedelta(days=1)).token
    other = {"name": "x", "scopes": ["ADMIN"], "accounts": [1], "expires_at": None, "user_id": operator("eve").pk}

    with pytest.raises(DatabaseError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(**{column: other.get(column, "x")})


def test_a_token_is_never_deleted(rita: User) -> None:
    token = issued(rita).token

    with pytest.raises(DatabaseError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).delete()


@pytest.mark.parametrize("said", [{"member": True}, {"user": None}, {"scopes": []}, {"scopes": ["ALL"]}, {"revoked_at": NOW}])
def test_a_row_that_means_nothing_is_refused(rita: User, said: dict[str, Any]) -> None:
    if "member" in said:
        said = {"member": member(123)}
    row = {
        "name": "x",
        "public_id": "x",
        "secret_sha256": "x",
        "user": rita,
        "scopes": ["READ"],
        "created_at": NOW,
        "created_by": "x",
    }

    with pytest.raises(DatabaseError), transaction.atomic():
        ApiToken.objects.create(**row | said)


# --- the command


def said_by(*words: str) -> str:
    printed = StringIO()
    call_command("token", *words, stdout=printed, stderr=StringIO())
    return printed.getvalue().strip()


def test_the_command_creates_lists_and_revokes(rita: User) -> None:
    text = said_by("create", "a robot", "--login", "rita", "--scope", "READ", "--days", "1", "--account", "5", "--reason", "new")
    token = ApiToken.objects.get()
    _, person = tokens.recognize(text, at=clock.now())
    listed = said_by("list")
    ended = said_by("revoke", token.public_id, "--reason", "lost")

    assert (person.name, person.acts, person.accounts) == ("rita", {Act.SEE, Act.REVIEW}, {5})
    assert token.expires_at - token.created_at == timedelta(days=1)
    assert listed == f"{token.public_id} a robot: rita, READ, until {token.expires_at}, never used"
    assert ended == f"a robot ({token.public_id}): revoked"
    assert said_by("list") == f"{token.public_id} a robot: rita, READ, revoked, never used"


def test_the_command_takes_a_member() -> None:
    member(123, Role.TRADER)
    text = said_by("create", "his", "--member", "123", "--scope", "TRADE", "--reason", "new")

    assert tokens.recognize(text, at=clock.now())[1].name == "tg:123"


@pytest.mark.parametrize(
    "words",
    [
        ["create", "x", "--login", "nobody", "--scope", "READ", "--reason", "new"],
        ["create", "x", "--scope", "READ", "--reason", "new"],
        ["create", "x", "--login", "rita", "--member", "123", "--scope", "READ", "--reason", "new"],
        ["create", "x", "--login", "rita", "--reason", "new"],
        ["create", "x", "--login", "rita", "--scope", "READ"],
        ["revoke", "0" * 12, "--reason", "lost"],
        ["revoke", "0" * 12],
    ],
)
def test_the_command_refuses_what_is_no_token(rita: User, words: list[str]) -> None:
    with pytest.raises(CommandError):
        said_by(*words)

    assert not ApiToken.objects.exists()
