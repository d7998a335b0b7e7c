"""The Reports page: figures, curve and files of one account, and of nobody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.factories import NOW
from tests.factories.logins import operator
from tests.factories.people import SUPER_ADMIN
from tests.factories.risk import EquityFactory, EquitySampleFactory
from tests.factories.trading import FillFactory, PositionFactory, TraderFactory
from trading.domain.mode import Book
from trading.domain.people import Role
from trading.domain.position import FillKind
from trading.domain.units import Usdc
from trading.models import Trader
from trading.services import members

pytestmark = pytest.mark.usefixtures("switch", "desk")

PAGE = "/admin/reports/"


@pytest.fixture
def account(desk: object) -> Trader:
    held = PositionFactory(trader=TraderFactory(name="Ada"), book=Book.LIVE)
    FillFactory(position=held, fee_usdc=Usdc.of("0.5"), filled_at=NOW)
    parts = {"price_pnl_usdc": Usdc.of(7), "fee_usdc": Usdc.of("0.5"), "realised_pnl_usdc": Usdc.of("6.5")}
    FillFactory(position=held, kind=FillKind.CLOSE, filled_at=NOW + timedelta(days=1), **parts)
    return held.trader


def asked(account: Trader, **said: str) -> dict[str, Any]:
    return {"account": account.pk, "book": "LIVE", "by": "DAY", "since": "2026-01-01", "until": "2026-01-31", **said}


def test_a_report_says_what_each_day_and_all_of_them_made(console: Client, account: Trader) -> None:
    text = " ".join(console.get(PAGE, asked(account)).content.decode().split())

    assert "Ada (" in text
    assert "<dt>net PnL</dt><dd>6 USDC</dd>" in text
    assert "<td>2026-01-03</td><td>1</td><td>0</td><td>0</td><td>7</td><td>0.5</td><td>0</td><td>0</td><td>6.5</td>" in text
    assert "<td>2026-01-02</td><td>1</td>" in text
    assert "vanta-curve" not in text


def test_the_curve_of_what_was_earned_is_drawn(console: Client, account: Trader) -> None:
    EquityFactory(trader=account, book=Book.LIVE)
    for hour, earned in enumerate((0, 5, -2)):
        EquitySampleFactory(trader=account, book=Book.LIVE, at=NOW + timedelta(hours=hour), earned_usdc=Usdc.of(earned))

    text = console.get(PAGE, asked(account)).content.decode()

    assert 'aria-label="from -2 to 5 USDC"' in text
    assert "equity 10000 USDC" in text


def test_files_hold_the_same_span(console: Client, account: Trader) -> None:
    fills = console.get(f"{PAGE}fills.csv", asked(account, until="2026-01-02"))
    results = console.get(f"{PAGE}results.csv", asked(account, by="MONTH"))

    assert fills["Content-Disposition"] == f'attachment; filename="vanta-fills-{account.tg_user_id}-LIVE.csv"'
    assert len(b"".join(fills).splitlines()) == 2
    assert b"".join(results).splitlines()[1].startswith(b"2026-01-01,2,0,0,")


def test_a_day_that_is_none_asks_for_another(console: Client, account: Trader) -> None:
    assert console.get(PAGE, asked(account, since="yesterday")).status_code == 200
    assert console.get(f"{PAGE}fills.csv", asked(account, since="yesterday")).status_code == 404
    assert console.get(f"{PAGE}secrets.csv", asked(account)).status_code == 404


def test_a_desk_without_accounts_says_so(console: Client) -> None:
    assert "There is no account yet." in console.get(PAGE).content.decode()


def test_a_trader_sees_no_account_but_his_own(client: Client, account: Trader) -> None:
    own = TraderFactory(name="Grace")
    members.admit(tg_user_id=own.tg_user_id, roles=[Role.TRADER], by=SUPER_ADMIN, reason="new", at=NOW)
    login = operator("grace", Role.TRADER)
    client.force_login(login)

    text = client.get(PAGE).content.decode()

    assert "Ada" not in text
    assert client.get(f"{PAGE}fills.csv", asked(account)).status_code == 404
