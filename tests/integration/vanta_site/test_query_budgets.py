"""Every page of the console, and every list of the API, keeps its budget of queries: see `tests/query_budgets.json`."""

import json
from pathlib import Path

import pytest
import redis
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bots.models import JournalPlace
from execution.models import ChainBlock, Cursor, DatabaseIdentity
from execution.models.send import SendState
from risk.domain.halt import HaltScope
from risk.domain.policy import Scope
from tests.factories import NOW
from tests.factories.bots import ChannelFactory, DeliveryFactory
from tests.factories.copying import CopyFactory, CopySignalFactory, TrackingFactory
from tests.factories.execution import DelegationFactory, OrderFactory, TxSendFactory
from tests.factories.flow import filled
from tests.factories.paper import PaperFlowFactory
from tests.factories.reconciliation import AccountLookFactory, DifferenceFactory, WalletFlowFactory
from tests.factories.risk import (
    EquityFactory,
    EquitySampleFactory,
    FlattenFactory,
    HaltFactory,
    LegFactory,
    LockFactory,
    LossDayFactory,
    PolicyFactory,
)
from tests.factories.tokens import bearer
from tests.factories.trading import EtherMarketFactory, FillFactory, QuoteFactory
from trading import conf
from trading.domain.people import Role
from trading.domain.position import FillKind
from trading.models import Trader
from trading.services import audit_checks, members, mode, people
from vanta_site.api.urls import urlpatterns as api

BUDGETS: dict[str, int] = json.loads((Path(__file__).parents[2] / "query_budgets.json").read_text())
PAGES = [
    *("/admin/", "/admin/control/", "/admin/feeds/"),
    *(f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry),
    *(f"/admin/{model._meta.app_label}/{model._meta.model_name}/change/" for model in admin.site._registry),
    *("/admin/execution/sender/operate/", "/admin/execution/txintent/operate/"),
    *("/admin/trading/source/operate/", "/admin/bots/channel/operate/", "/admin/trading/paperwallet/operate/"),
    "/admin/execution/accountlook/operate/",
    *(f"/api/{each.pattern}" for each in api if "list" in getattr(each.callback, "actions", {}).values()),
    *("/api/mode", "/api/results", "/api/performance"),
]


def _fill_the_desk(number: int) -> None:
    """One more of everything that a page can show."""
    flow = filled()
    for each in range(number):
        OrderFactory(leg=LegFactory(decision=flow.decision, number=2 + each))
        TxSendFactory(intent=flow.intent, seq=2 + each, state=SendState.SENT)
        FillFactory(position=flow.position, kind=FillKind.CLOSE)
    for each_factory in (AccountLookFactory, DifferenceFactory, WalletFlowFactory):
        each_factory(trader=flow.signal.trader)
    PaperFlowFactory(wallet__trader=flow.signal.trader)
    DelegationFactory(trader=flow.signal.trader, sender=flow.intent.sender)
    QuoteFactory(market=EtherMarketFactory(), source=f"source {number}")
    PolicyFactory(scope=Scope.USER, tg_user_id=number)
    for factory in (LockFactory, EquityFactory, EquitySampleFactory, LossDayFactory):
        factory(trader=flow.signal.trader)
    TrackingFactory(following__follower=flow.signal.trader)
    CopySignalFactory.create_batch(2, copy=CopyFactory(following__follower=flow.signal.trader))
    HaltFactory(scope=HaltScope.SOURCE, key=f"source {number}")
    FlattenFactory(scope=HaltScope.USER, key=str(number))
    ChainBlock.objects.create(chain_id=1, number=number, hash=f"0x{number}", parent_hash="0x", mined_at=NOW)
    DatabaseIdentity.objects.update_or_create(pk=1, defaults={"system_identifier": "1", "timeline": number, "confirmed_at": NOW})
    member = members.admit(tg_user_id=number, roles=[Role.VIEWER], by=people.of_command_line("root"), reason="new", at=NOW)
    bearer(member)
    Cursor.objects.create(stream=f"stream {number}", chain_id=1, number=number, hash="0x")
    mode.stop_everything(switch=conf.mode_switch(), actor="ada", origin="admin", reason=f"drill {number}", at=NOW)
    mode.lift_stop(switch=conf.mode_switch(), actor="ada", reason=f"drill {number} over", at=NOW)
    audit_checks.go_on(at=NOW)
    DeliveryFactory.create_batch(2, channel=ChannelFactory())
    JournalPlace.objects.create(reader=f"reader {number}")


def _queries(console: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert console.get(_concrete(page)).status_code == 200
    return len(asked)


def _concrete(page: str) -> str:
    """A row's page for `/change/` and `/operate/`: that of the newest row."""
    if page in ("/api/results", "/api/performance"):
        return f"{page}?tg_user_id={Trader.objects.latest('pk').tg_user_id}&book=LIVE"
    if not page.endswith(("/change/", "/operate/")):
        return page
    _, _, app, name, last, _ = page.split("/")
    (shown,) = (
        shown for model, shown in admin.site._registry.items() if (model._meta.app_label, model._meta.model_name) == (app, name)
    )
    newest = shown.get_queryset(HttpRequest()).order_by("-pk").first()
    return f"/admin/{app}/{name}/{newest.pk}/{last}/" if newest is not None else f"/admin/{app}/{name}/"


def test_every_page_has_a_budget() -> None:
    assert sorted(BUDGETS) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_keeps_its_budget_however_many_rows_there_are(console: Client, switch: redis.Redis, page: str) -> None:
    _fill_the_desk(1)
    console.get(_concrete(page))
    few = _queries(console, page)
    for number in range(2, 6):
        _fill_the_desk(number)

    assert (few, _queries(console, page)) == (BUDGETS[page], BUDGETS[page])
