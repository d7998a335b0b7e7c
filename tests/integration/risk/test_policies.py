"""Policies are seeded once and edited with their trace."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from risk.domain.policy import Limits, Scope
from risk.models import Policy
from risk.services import policies
from tests.factories import NOW
from tests.factories.risk import PolicyFactory
from trading.domain.people import Person, Role
from trading.domain.units import Leverage, Percent, Usdc
from trading.models import AuditRow
from trading.services import audit_checks

ANNA = Person(name="anna", roles=frozenset({Role.SUPER_ADMIN}))

pytestmark = pytest.mark.django_db


def audited() -> list[tuple[str, str, dict[str, Any], dict[str, Any], str]]:
    return [(row.actor, row.action, row.before, row.after, row.reason) for row in AuditRow.objects.order_by("pk")]


def said(*, leverage: str | None = None, cap: int | None = None, breaker: bool = False) -> dict[str, Any]:
    every = {"max_position_usd_1e6": cap, "max_leverage_x": leverage, "circuit_breaker": breaker}
    return {name: value for name, value in every.items() if value is not None}


def test_the_global_policy_comes_from_the_environment_once(settings: Any) -> None:
    settings.MAX_POSITION_SIZE_USD = Decimal("100000")
    assert policies.seed(at=NOW) is True
    settings.MAX_POSITION_SIZE_USD = Decimal(5)
    assert policies.seed(at=NOW) is False
    policy = Policy.objects.get()
    assert (policy.scope, policy.max_position_usd_1e6, policy.max_leverage_x, policy.circuit_breaker) == (
        "GLOBAL",
        100_000_000_000,
        None,
        False,
    )


def test_a_policy_of_somebodys_hand_is_not_seeded_over() -> None:
    PolicyFactory(max_position_usd_1e6=1)
    assert policies.seed(at=NOW) is False
    assert Policy.objects.get().max_position_usd_1e6 == 1


def test_a_created_policy_says_who_and_why() -> None:
    wanted = Policy(scope=Scope.USER, tg_user_id=123, max_leverage_x=Leverage.of(20), max_position_usd_1e6=5)
    policy = policies.save(wanted, person=ANNA, reason="new here", at=NOW)
    assert Policy.objects.get() == policy
    assert policy.updated_at == NOW
    assert audited() == [("anna", "policy.create", {}, said(leverage="20", cap=5), "new here")]


def test_a_changed_policy_says_what_it_said_before() -> None:
    policy = PolicyFactory(max_leverage_x=Leverage.of(20))
    policy.max_leverage_x, policy.circuit_breaker = Leverage.of("10.5"), True
    policies.save(policy, person=ANNA, reason="calmer", at=NOW)
    policy.refresh_from_db()
    assert (policy.max_leverage_x, policy.circuit_breaker, policy.version) == (Leverage.of("10.5"), True, 2)
    assert audited() == [("anna", "policy.change", said(leverage="20"), said(leverage="10.5", breaker=True), "calmer")]
    assert AuditRow.objects.get().subject == f"policy:{policy.pk} GLOBAL"


def test_a_removed_policy_is_remembered() -> None:
    policy = PolicyFactory(scope=Scope.SYMBOL, symbol="BTC-USD", max_position_usd_1e6=7)
    policies.remove(policy, person=ANNA, reason="not needed", at=NOW)
    assert Policy.objects.count() == 0
    assert audited() == [("anna", "policy.remove", said(cap=7), {}, "not needed")]
    assert audit_checks.verify().findings == ()


def test_a_policy_that_breaks_a_rule_leaves_no_trace_of_having_been_saved() -> None:
    PolicyFactory()
    with pytest.raises(IntegrityError):
        policies.save(Policy(scope=Scope.GLOBAL), person=ANNA, reason="twice", at=NOW)
    assert Policy.objects.count() == 1
    assert audited() == []


def test_the_first_values_are_the_settings() -> None:
    policies.seed(at=NOW)
    limits = Policy.objects.get().limits
    assert limits == Limits(
        max_position=Usdc.of(100_000),
        max_account_risk=Percent.of(10),
        liquidation_buffer=Percent.of(5),
        max_daily_loss=Percent.of(20),
        max_price_deviation=Percent.of(1),
        max_opens_per_minute=5,
        max_trades_per_day=50,
        max_collateral_per_hour=Usdc.of(10_000),
    )


RISK = Person(name="rita", roles=frozenset({Role.RISK}))
TRADER = Person(name="tom", roles=frozenset({Role.TRADER}), tg_user_id=123)


def own(**limits: Any) -> Policy:
    row: Policy = PolicyFactory(scope=Scope.USER, tg_user_id=123, **limits)
    return row


@pytest.mark.parametrize("person", [RISK, TRADER], ids=lambda each: each.name)
def test_who_may_only_lower_can_lower(person: Person) -> None:
    policy = own(max_open_positions=5, max_account_risk_pct=Percent.of(10))
    policy.max_open_positions = 4
    policies.save(policy, person=person, reason="calmer", at=NOW)
    assert Policy.objects.get().max_open_positions == 4


@pytest.mark.parametrize("person", [RISK, TRADER], ids=lambda each: each.name)
def test_who_may_only_lower_can_not_raise_not_even_beside_a_lowering(person: Person) -> None:
    policy = own(max_open_positions=5, max_account_risk_pct=Percent.of(10))
    policy.max_open_positions, policy.max_account_risk_pct = 6, Percent.of(5)
    with pytest.raises(policies.NotAllowed, match="max_open_positions"):
        policies.save(policy, person=person, reason="more", at=NOW)
    assert Policy.objects.get().max_open_positions == 5
    assert audited() == []


@pytest.mark.parametrize("person", [RISK, TRADER], ids=lambda each: each.name)
def test_who_may_only_lower_can_not_remove_a_limit(person: Person) -> None:
    policy = own(max_open_positions=5)
    with pytest.raises(policies.NotAllowed):
        policies.remove(policy, person=person, reason="away", at=NOW)
    policy.max_open_positions = None
    with pytest.raises(policies.NotAllowed):
        policies.save(policy, person=person, reason="away", at=NOW)
    assert Policy.objects.get().max_open_positions == 5


def test_a_trader_lowers_his_own_limits_and_nobody_elses() -> None:
    strangers = PolicyFactory(scope=Scope.USER, tg_user_id=124, max_open_positions=5)
    of_desk = PolicyFactory(max_open_positions=5)
    for policy in (strangers, of_desk):
        policy.max_open_positions = 1
        with pytest.raises(policies.NotAllowed):
            policies.save(policy, person=TRADER, reason="calmer", at=NOW)
    assert set(Policy.objects.values_list("max_open_positions", flat=True)) == {5}
    policies.save(Policy(scope=Scope.USER, tg_user_id=123, max_open_positions=1), person=TRADER, reason="mine", at=NOW)
    assert Policy.objects.get(tg_user_id=123).max_open_positions == 1


def test_a_super_admin_raises() -> None:
    policy = own(max_open_positions=5)
    policy.max_open_positions = 6
    policies.save(policy, person=ANNA, reason="more", at=NOW)
    assert Policy.objects.get().max_open_positions == 6
    assert audited() == [
        (
            "anna",
            "policy.change",
            {"max_open_positions": 5, "circuit_breaker": False},
            {"max_open_positions": 6, "circuit_breaker": False},
            "more",
        )
    ]


def test_only_the_global_policy_caps_the_whole_desk() -> None:
    with pytest.raises(IntegrityError):
        policies.save(
            Policy(scope=Scope.USER, tg_user_id=123, max_side_exposure_usdc=Usdc.of(1)), person=ANNA, reason="x", at=NOW
        )
