"""Policies in the console: dollars in, one audited service call."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from risk.domain.policy import Scope
from risk.models import Policy
from tests.factories.risk import PolicyFactory
from trading import clock
from trading.domain.units import Leverage
from trading.models import AuditRow, ModeState

LIST = "/admin/risk/policy/"


@pytest.fixture
def operator(db: None) -> Client:
    ModeState.objects.get_or_create(pk=1, defaults={"configured": "DRY", "updated_at": clock.now()})
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def _audited() -> list[tuple[str, str, dict[str, object], dict[str, object], str]]:
    return list(AuditRow.objects.order_by("pk").values_list("actor", "action", "before", "after", "reason"))


def _said(leverage: str | None, cap: int | None, breaker: bool = False) -> dict[str, object]:
    every = {"max_leverage_x": leverage, "max_position_usd_1e6": cap, "circuit_breaker": breaker}
    return {name: value for name, value in every.items() if value is not None}


def test_a_cap_is_entered_in_dollars_and_kept_in_millionths(operator: Client) -> None:
    form = {"scope": "USER", "tg_user_id": "123", "max_leverage_x": "5", "max_position_usd": "250.5", "reason": "new user"}

    answer = operator.post(f"{LIST}add/", form)

    assert (answer.status_code, answer.headers.get("Location")) == (302, LIST)
    policy = Policy.objects.get()
    assert (policy.scope, policy.tg_user_id, policy.symbol) == (Scope.USER, 123, None)
    assert (policy.max_leverage_x, policy.max_position_usd_1e6) == (Leverage.of(5), 250_500_000)
    assert _audited() == [("ada", "policy.create", {}, _said("5", 250_500_000), "new user")]


def test_a_change_keeps_what_was_said_before(operator: Client) -> None:
    policy = PolicyFactory(max_position_usd_1e6=100_000_000, max_leverage_x=Leverage.of(50))
    place = f"{LIST}{policy.pk}/change/"

    page = operator.get(place).content.decode()
    answer = operator.post(place, {"max_leverage_x": "", "max_position_usd": "80", "circuit_breaker": "on", "reason": "calm"})

    assert 'value="100"' in page
    assert answer.status_code == 302
    policy.refresh_from_db()
    assert (policy.max_leverage_x, policy.max_position_usd_1e6, policy.circuit_breaker) == (None, 80_000_000, True)
    assert _audited() == [("ada", "policy.change", _said("50", 100_000_000), _said(None, 80_000_000, breaker=True), "calm")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": " "},
        {"max_leverage_x": "0.5"},
        {"max_leverage_x": "ten"},
        {"max_leverage_x": "NaN"},
        {"max_position_usd": "-1"},
        {"max_position_usd": "1.0000001"},
        {"max_exposure_usdc": "-1"},
        {"max_account_risk_pct": "-1"},
        {"max_open_positions": "-1"},
        {"scope": "SYMBOL", "symbol": "BTC-USD", "max_side_exposure_usdc": "5"},
        {"scope": "USER"},
        {"scope": "SYMBOL"},
        {"scope": "GLOBAL", "tg_user_id": "5"},
    ],
)
def test_what_makes_no_sense_is_shown_again_and_changes_nothing(operator: Client, wrong: dict[str, str]) -> None:
    form = {"scope": "GLOBAL", "max_leverage_x": "5", "max_position_usd": "1", "reason": "why"} | wrong

    answer = operator.post(f"{LIST}add/", form)

    assert (answer.status_code, bool(answer.context["errors"])) == (200, True)
    assert (Policy.objects.count(), AuditRow.objects.count()) == (0, 0)


def test_a_second_policy_of_the_same_scope_is_refused(operator: Client) -> None:
    PolicyFactory()

    answer = operator.post(f"{LIST}add/", {"scope": "GLOBAL", "max_leverage_x": "5", "reason": "why"})

    assert (answer.status_code, Policy.objects.count()) == (200, 1)


def test_whom_a_policy_speaks_about_never_changes(operator: Client) -> None:
    policy = PolicyFactory(scope=Scope.USER, tg_user_id=123)

    operator.post(f"{LIST}{policy.pk}/change/", {"scope": "GLOBAL", "tg_user_id": "7", "max_leverage_x": "2", "reason": "why"})

    policy.refresh_from_db()
    assert (policy.scope, policy.tg_user_id, policy.max_leverage_x) == (Scope.USER, 123, Leverage.of(2))


def test_a_removal_needs_a_reason_and_is_audited(operator: Client) -> None:
    policy = PolicyFactory(max_leverage_x=Leverage.of(50))
    place = f"{LIST}{policy.pk}/delete/"

    operator.post(place, {"post": "yes", "reason": " "})
    assert (Policy.objects.count(), AuditRow.objects.count()) == (1, 0)

    operator.post(place, {"post": "yes", "reason": "no longer needed"})
    assert Policy.objects.count() == 0
    assert _audited() == [("ada", "policy.remove", _said("50", None), {}, "no longer needed")]


def test_there_are_no_bulk_actions(operator: Client) -> None:
    policy = PolicyFactory()

    operator.post(LIST, {"action": "delete_selected", "_selected_action": [policy.pk], "post": "yes"})

    assert Policy.objects.count() == 1
