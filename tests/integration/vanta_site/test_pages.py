"""The console's pages: readable, linked along the flow, and ledgers that nobody edits."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.utils.html import escape

from bots.models import Channel
from risk.models import Policy
from tests.factories.flow import filled
from tests.factories.risk import PolicyFactory
from tests.factories.trading import SignalFactory
from trading.admin.paginator import EstimatingPaginator
from trading.models import ApiToken, Leader, Member, Signal

pytestmark = pytest.mark.usefixtures("switch")

LEDGERS = [
    model
    for model in admin.site._registry
    if model not in (Policy, Member, Leader, ApiToken, Channel) and model._meta.app_label != "auth"
]


def _page(client: Client, row: object) -> str:
    answer = client.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def _path(row: object) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


@pytest.mark.parametrize("model", LEDGERS, ids=lambda model: model.__name__)
def test_nobody_edits_a_ledger_not_even_a_superuser(console: Client, model: type) -> None:
    flow = filled()
    row = model._default_manager.order_by("pk").first()
    place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    answers = [console.post(f"{place}add/", {})]
    if row is not None:
        answers += [console.post(f"{place}{row.pk}/change/", {}), console.post(f"{place}{row.pk}/delete/", {"post": "yes"})]
    acted = console.post(place, {"action": "delete_selected", "_selected_action": [1], "post": "yes"})

    assert {answer.status_code for answer in answers} == {403}
    # Without actions a list is only shown again.
    assert acted.status_code in (200, 403)
    assert Signal.objects.filter(pk=flow.signal.pk).exists()


def test_each_page_leads_to_the_next_of_the_flow_and_back(console: Client) -> None:
    flow = filled()
    ways = [
        (flow.signal, f"/admin/risk/decision/?signal__id__exact={flow.signal.pk}"),
        (flow.signal, f"/admin/execution/order/?trace_id={flow.signal.trace_id}"),
        (flow.signal, f"/admin/execution/txintent/?trace_id={flow.signal.trace_id}"),
        (flow.decision, _path(flow.signal)),
        (flow.decision, _path(flow.order)),
        (flow.leg, _path(flow.order)),
        (flow.order, _path(flow.intent)),
        (flow.order, _path(flow.position)),
        (flow.order, _path(flow.signal)),
        (flow.intent, _path(flow.send)),
        (flow.intent, _path(flow.order)),
        (flow.intent, _path(flow.position)),
        (flow.send, _path(flow.receipt)),
        (flow.send, _path(flow.intent)),
        (flow.receipt, _path(flow.send)),
        (flow.position, _path(flow.fill)),
        (flow.position, f"/admin/execution/order/?position__id__exact={flow.position.pk}"),
        (flow.fill, _path(flow.position)),
    ]

    pages = {row: _page(console, row) for row, _ in ways}

    assert [(row, way) for row, way in ways if escape(way) not in pages[row]] == []
    assert [way for _, way in ways if console.get(way).status_code != 200] == []


def test_a_decision_shows_each_check_in_a_table(console: Client) -> None:
    page = _page(console, filled().decision)

    assert "<td>LEVERAGE_ABOVE_MAX</td><td>3x</td><td>50x</td><td>pass</td><td></td>" in page


def test_a_signal_shows_its_timeline_with_milliseconds(console: Client) -> None:
    flow = filled()

    page = _page(console, flow.signal)

    received = (
        f'<td>0</td><td>signal.received</td><td>side LONG</td><td><a href="{_path(flow.signal)}">signal:{flow.signal.pk}</a></td>'
    )
    assert received in page
    assert f'<a href="{_path(flow.order)}">order:{flow.order.pk}</a>' in page


def test_the_signed_bytes_of_a_send_are_not_shown(console: Client) -> None:
    flow = filled()

    assert "raw" not in _page(console, flow.send).split("<main")[1]


def test_what_a_sender_wrote_is_escaped(console: Client) -> None:
    signal = SignalFactory(signal_id="<script>alert(1)</script>", body='{"x": "<script>alert(2)</script>"}')

    assert "<script>alert" not in _page(console, signal)
    assert "<script>alert" not in console.get("/admin/trading/signal/").content.decode()


@pytest.mark.parametrize("part", ["intent_key", "trace_id"])
def test_a_signal_is_found_by_its_whole_key_only(console: Client, part: str) -> None:
    wanted, _ = SignalFactory(), SignalFactory()

    found = console.get("/admin/trading/signal/", {"q": getattr(wanted, part)}).context["cl"].result_list
    halved = console.get("/admin/trading/signal/", {"q": getattr(wanted, part)[:9]}).context["cl"].result_list

    assert ([row.pk for row in found], list(halved)) == ([wanted.pk], [])


def test_a_quantity_is_written_as_a_person_would(console: Client) -> None:
    SignalFactory()

    page = console.get("/admin/trading/signal/").content.decode()

    assert '<td class="field-leverage_x_plainly">3</td>' in page


def test_a_short_list_is_counted_exactly(db: None) -> None:
    SignalFactory.create_batch(3)

    paginator = EstimatingPaginator(Signal.objects.order_by("-pk"), 2)

    assert (paginator.count, paginator.num_pages) == (3, 2)


def test_a_long_list_is_estimated_and_nobody_leafs_to_its_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    SignalFactory.create_batch(5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE signals")
    SignalFactory()
    monkeypatch.setattr("trading.admin.paginator.COUNTED", 4)
    monkeypatch.setattr("trading.admin.paginator.DEEPEST_PAGE", 2)

    paginator = EstimatingPaginator(Signal.objects.order_by("-pk"), 2)

    # As of the last analysis: the sixth isn't known to it.
    assert (paginator.count, paginator.num_pages) == (5, 2)


def test_the_index_leads_to_the_control_page(console: Client) -> None:
    assert 'href="/admin/control/"' in console.get("/admin/").content.decode()


def test_policies_are_the_only_rows_of_ours_that_are_edited(console: Client) -> None:
    policy = PolicyFactory()

    assert 'name="reason"' in _page(console, policy)
