"""Policies are seeded once and edited with their trace."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from risk.domain.policy import Scope
from risk.models import Policy
from risk.services import policies
from tests.factories import NOW
from tests.factories.risk import PolicyFactory
from trading.domain.units import Leverage
from trading.models import AuditRow
from trading.services import audit

pytestmark = pytest.mark.django_db


def audited() -> list[tuple[str, str, dict[str, Any], dict[str, Any], str]]:
    return [(row.actor, row.action, row.before, row.after, row.reason) for row in AuditRow.objects.order_by("pk")]


def said(*, leverage: str | None = None, cap: int | None = None, breaker: bool = False) -> dict[str, Any]:
    return {"max_leverage_x": leverage, "max_position_usd_1e6": cap, "circuit_breaker": breaker}


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
    policy = policies.save(wanted, actor="anna", reason="new here", at=NOW)
    assert Policy.objects.get() == policy
    assert policy.updated_at == NOW
    assert audited() == [("anna", "policy.create", {}, said(leverage="20", cap=5), "new here")]


def test_a_changed_policy_says_what_it_said_before() -> None:
    policy = PolicyFactory(max_leverage_x=Leverage.of(20))
    policy.max_leverage_x, policy.circuit_breaker = Leverage.of("10.5"), True
    policies.save(policy, actor="anna", reason="calmer", at=NOW)
    policy.refresh_from_db()
    assert (policy.max_leverage_x, policy.circuit_breaker) == (Leverage.of("10.5"), True)
    assert audited() == [("anna", "policy.change", said(leverage="20"), said(leverage="10.5", breaker=True), "calmer")]
    assert AuditRow.objects.get().subject == f"policy:{policy.pk} GLOBAL"


def test_a_removed_policy_is_remembered() -> None:
    policy = PolicyFactory(scope=Scope.SYMBOL, symbol="BTC-USD", max_position_usd_1e6=7)
    policies.remove(policy, actor="anna", reason="not needed", at=NOW)
    assert Policy.objects.count() == 0
    assert audited() == [("anna", "policy.remove", said(cap=7), {}, "not needed")]
    assert audit.first_broken() is None


def test_a_policy_that_breaks_a_rule_leaves_no_trace_of_having_been_saved() -> None:
    PolicyFactory()
    with pytest.raises(IntegrityError):
        policies.save(Policy(scope=Scope.GLOBAL), actor="anna", reason="twice", at=NOW)
    assert Policy.objects.count() == 1
    assert audited() == []
