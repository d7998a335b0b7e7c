"""The console's pages over API tokens: shown once, in no cookie and no message."""

import pytest
from django.test import Client

from tests.factories.logins import operator
from trading import clock
from trading.domain.people import Role
from trading.models import ApiToken, AuditRow, ModeState
from trading.services import tokens

pytestmark = pytest.mark.usefixtures("switch")
ADD = "/admin/trading/apitoken/add/"


def form(owner: object, **said: object) -> dict[str, object]:
    return {"name": "a robot", "user": owner, "scopes": ["READ"], "accounts": "5,7", "reason": "new", **said}


def test_a_new_token_is_shown_on_the_page_that_makes_it_and_never_again(console: Client) -> None:
    rita = operator("rita", Role.RISK)

    answer = console.post(ADD, form(rita.pk))

    token = ApiToken.objects.get()
    text = answer.context["text"]
    assert (answer.status_code, "no-store" in answer["Cache-Control"], answer.cookies.get("messages")) == (200, True, None)
    assert tokens.recognize(text, at=clock.now())[0] == token
    assert (token.name, token.user, token.scopes, token.accounts, token.created_by) == ("a robot", rita, ["READ"], [5, 7], "ada")
    secret = text.rpartition("_")[2]
    pages = (f"/admin/trading/apitoken/{token.pk}/change/", "/admin/trading/apitoken/", "/admin/trading/auditrow/", "/admin/")
    for page in pages:
        shown = console.get(page).content.decode()
        assert secret not in shown
        assert token.secret_sha256 not in shown


def test_saving_its_page_revokes_it_with_a_reason(console: Client) -> None:
    console.post(ADD, form(operator("rita", Role.RISK).pk))
    token = ApiToken.objects.get()
    page = f"/admin/trading/apitoken/{token.pk}/change/"

    assert console.post(page, {"reason": " "}).status_code == 200
    assert ApiToken.objects.get().revoked_at is None
    assert console.post(page, {"reason": "lost"}).status_code == 302

    token.refresh_from_db()
    assert (token.revoked_by, AuditRow.objects.latest("pk").reason) == ("ada", "lost")


@pytest.mark.parametrize("said", [{"user": ""}, {"scopes": []}, {"reason": ""}, {"name": ""}])
def test_what_is_no_token_makes_none(console: Client, said: dict[str, object]) -> None:
    answer = console.post(ADD, form(operator("rita", Role.RISK).pk, **said))

    assert (answer.status_code, ApiToken.objects.exists()) == (200, False)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.RISK])
def test_nobody_else_sees_or_makes_tokens(desk: ModeState, role: Role) -> None:
    client, rita = Client(), operator("rita", role)
    client.force_login(rita)

    assert client.get("/admin/trading/apitoken/").status_code == 403
    assert client.post(ADD, form(rita.pk)).status_code == 403
    assert not ApiToken.objects.exists()
