"""The console's pages of sources: a secret is shown once, each act has a reason, and what is to be copied works."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.factories import NOW
from tests.factories.logins import operator
from tests.factories.people import SUPER_ADMIN
from tests.factories.trading import MarketFactory, SignalFactory, SourceFactory, TraderFactory
from tests.integration.trading.bad_bodies import CANARY, ENTRY
from tests.integration.trading.doors import Sender, hex_signed, secret_of
from trading.conf import mode_switch
from trading.domain.people import Role
from trading.domain.sending import template
from trading.domain.signal import SignalStatus
from trading.domain.source import Auth
from trading.models import AuditRow, Signal, Source, SourceSecret
from trading.services import proofs, sources, vault

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _switch(settings: Any) -> Iterator[None]:
    settings.MODE_SWITCH = "tests.fakes.switch.Switch"
    mode_switch.cache_clear()
    yield
    mode_switch.cache_clear()


@pytest.fixture
def console(db: None) -> Client:
    return browser(User.objects.create_superuser("ada", password="not used"))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(name: str) -> str:
    return f"/admin/trading/source/{Source.objects.get(name=name).pk}/operate/"


def acted(client: Client, name: str, act: str, **said: str) -> Any:
    return client.post(page_of(name), {"act": act, "reason": "a drill", **said}, follow=True)


def shown_secret(page: str) -> str | None:
    found = re.search(r'<pre class="vanta-secret">(.*?)</pre>', page)
    return unescape(found[1]) if found else None


@pytest.mark.parametrize("auth", Auth)
def test_a_new_sources_secret_is_shown_on_one_page_and_on_no_other(console: Client, auth: Auth) -> None:
    answer = console.post("/admin/trading/source/new/", {"name": "shop", "auth": auth, "reason": "new"})

    text = shown_secret(answer.content.decode())
    assert text is not None
    assert "no-store" in answer.headers["Cache-Control"]
    secret = SourceSecret.objects.get()
    if auth is Auth.TOKEN:
        assert proofs.prove_token(text, at=NOW) is not None
    else:
        assert vault.unseal(secret, "sealed") == text
    for page in (page_of("shop"), "/admin/trading/source/", f"/admin/trading/source/{secret.source_id}/change/"):
        assert text not in console.get(page).content.decode()
    assert AuditRow.objects.filter(actor="ada", action="source.create", reason="new").count() == 1


def test_a_secret_is_made_and_another_revoked(console: Client) -> None:
    secret_of("shop", Auth.SIGNATURE)
    first = SourceSecret.objects.get()

    made = acted(console, "shop", "rotate")
    assert shown_secret(made.content.decode()) == vault.unseal(SourceSecret.objects.order_by("-pk")[0], "sealed")
    acted(console, "shop", "revoke", key_id=first.key_id, confirmation="revoke")
    assert SourceSecret.objects.active(at=NOW).count() == 2
    revoked = acted(console, "shop", "revoke", key_id=first.key_id, confirmation="REVOKE")

    assert [str(message) for message in revoked.context["messages"]] == ["Revoke a secret: done."]
    assert SourceSecret.objects.active(at=NOW).count() == 1
    assert shown_secret(revoked.content.decode()) is None


def test_a_third_secret_is_refused_in_words(console: Client) -> None:
    secret_of("shop", Auth.SIGNATURE)
    acted(console, "shop", "rotate")
    third = acted(console, "shop", "rotate")
    assert [str(message) for message in third.context["messages"]] == ["revoke one of the two secrets first (SECRETS_FULL)"]


def test_terms_are_changed_as_they_are_shown(console: Client) -> None:
    SourceFactory(name="shop", allowed_symbols=["BTC-USD"])
    assert 'value="BTC-USD"' in console.get(page_of("shop")).content.decode()

    said = {"mode": "OBSERVE", "allowed_symbols": "btc/usd, ETH-USD", "allowed_accounts": "7, 8", "max_leverage_x": "2.5"}
    acted(console, "shop", "edit", **said)

    row = Source.objects.get(name="shop")
    assert (row.mode, row.allowed_symbols, row.allowed_accounts) == ("OBSERVE", ["BTC-USD", "ETH-USD"], [7, 8])
    assert str(row.max_leverage_x) == "2.5"


@pytest.mark.parametrize(
    "said",
    [{"allowed_symbols": "nonsense!"}, {"allowed_accounts": "-1"}, {"max_leverage_x": "much"}, {"max_leverage_x": "-1"},
     {"heartbeat_seconds": "0"}, {"mode": "SOMETIMES"}, {"reason": ""}],
)  # fmt: skip
def test_terms_that_make_no_sense_change_nothing(console: Client, said: dict[str, str]) -> None:
    SourceFactory(name="shop")
    answer = acted(console, "shop", "edit", **{"mode": "OBSERVE", **said})
    assert len(list(answer.context["messages"])) == 1
    assert Source.objects.get(name="shop").mode == "AUTO"


def test_a_test_is_sent_from_its_page_and_shown_there(console: Client) -> None:
    secret_of("shop", Auth.SIGNATURE)
    MarketFactory()
    trader = TraderFactory()

    shown = acted(console, "shop", "rehearse", account=str(trader.tg_user_id), market="btc/usd").content.decode()

    signal = Signal.objects.get()
    assert (signal.is_test, signal.book, signal.trader) == (True, "PAPER", trader)
    assert signal.intent_key in shown


def test_a_source_is_switched_off_and_on(console: Client) -> None:
    SourceFactory(name="shop")
    acted(console, "shop", "disable")
    assert not Source.objects.get(name="shop").is_enabled
    acted(console, "shop", "enable")
    assert Source.objects.get(name="shop").is_enabled


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RISK])
def test_whoever_may_not_manage_sources_sees_no_act_and_his_attempt_is_kept(role: Role) -> None:
    secret_of("shop", Auth.SIGNATURE)
    client = browser(operator("bob", role))

    assert 'name="act"' not in client.get(page_of("shop")).content.decode()
    assert client.post(page_of("shop"), {"act": "rotate", "reason": "x"}).status_code == 403
    assert client.post("/admin/trading/source/new/", {"name": "other", "auth": "TOKEN", "reason": "x"}).status_code == 403
    assert SourceSecret.objects.count() == 1
    refused = AuditRow.objects.filter(action="act.refused").order_by("pk").values_list("subject", flat=True)
    assert list(refused) == ["source:shop", "source:new"]


def test_a_stranger_sees_nothing(client: Client) -> None:
    SourceFactory(name="shop")
    for page in (page_of("shop"), "/admin/trading/source/new/"):
        assert client.get(page).status_code == 302


def test_the_pages_show_what_came_of_todays_signals(console: Client, settings: Any) -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    sender = Sender(source="desk", prove=hex_signed(secret_of("desk", Auth.SIGNATURE)))
    sender.post(ENTRY)
    sender.post(ENTRY | {"leverage_x": "<script>"})
    source = Source.objects.get(name="desk")
    at = source.last_heard_at
    for status in (SignalStatus.APPROVED, SignalStatus.DENIED, SignalStatus.DENIED):
        SignalFactory(source=source, decided=status, received_at=at)
    SignalFactory(source=source, decided=SignalStatus.APPROVED, received_at=NOW)

    for page in (page_of("desk"), "/admin/trading/source/"):
        text = console.get(page).content.decode()
        cells = re.findall(r">([^<>]*)</td>", text)
        assert "FIELD_INVALID" in cells
        start = cells.index("4", cells.index("SIGNATURE"))
        assert cells[start : start + 3] == ["4", "1", "2"]
    assert "sig:desk:s-1" in console.get(page_of("desk")).content.decode()


def test_what_a_stranger_wrote_is_shown_as_text(console: Client) -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    sender = Sender(source="desk", prove=hex_signed(secret_of("desk", Auth.SIGNATURE)))
    assert sender.post(ENTRY | {"meta": {"note": f"<script>{CANARY}</script>"}}).status_code == 202

    page = console.get(page_of("desk")).content.decode()

    assert f"&lt;script&gt;{CANARY}" in page
    assert f"<script>{CANARY}" not in page


def scripts(text: str) -> tuple[str, str]:
    shell, _, python = text.partition("# Python\n")
    return shell, python


@pytest.mark.parametrize("auth", [Auth.SIGNATURE, Auth.STANDARD])
@pytest.mark.parametrize("name", ["desk", "{my} desk; $x"])
def test_what_is_to_be_copied_sends_a_signal(committed: None, live_server: LiveServer, auth: Auth, name: str) -> None:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    secret = sources.create(name=name, auth=auth, terms=sources.Terms(), by=SUPER_ADMIN, reason="new", at=NOW).text
    shell, python = scripts(template(name=name, auth=auth, site=live_server.url).replace("the secret", secret))

    first = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=30, check=True)
    again = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True, timeout=30, check=True)

    assert '"status": "accepted"' in first.stdout
    assert '"status": "duplicate"' in again.stdout
    assert Signal.objects.get().source.name == name
