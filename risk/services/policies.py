"""Policies: first values from the environment, edits by people, each with its audit row."""

from datetime import datetime
from typing import Any

from django.conf import settings

from risk.domain.policy import Scope
from risk.models import Policy
from trading.domain.units import Usdc
from trading.kinds import write
from trading.services import audit

_LIMITS = ("max_leverage_x", "max_position_usd_1e6", "circuit_breaker")


@write
def seed(*, at: datetime) -> bool:
    """Create the global policy from the environment, once; True if it wasn't there."""
    cap = Usdc.of(settings.MAX_POSITION_SIZE_USD)
    _, is_new = Policy.objects.get_or_create(
        scope=Scope.GLOBAL,
        tg_user_id=None,
        symbol=None,
        defaults={"max_position_usd_1e6": cap.raw, "updated_at": at},
    )
    return is_new


@write
def save(policy: Policy, *, actor: str, reason: str, at: datetime) -> Policy:
    """Create or change a policy; what it said before and says now goes into the audit log."""
    before = Policy.objects.select_for_update().filter(pk=policy.pk).first()
    policy.updated_at = at
    policy.save()
    audit.record(
        actor=actor,
        action="policy.change" if before else "policy.create",
        subject=f"policy:{policy.pk} {policy}",
        before=_limits(before) if before else {},
        after=_limits(policy),
        reason=reason,
        at=at,
    )
    return policy


@write
def remove(policy: Policy, *, actor: str, reason: str, at: datetime) -> None:
    """Delete a policy; what it said goes into the audit log."""
    subject, before = f"policy:{policy.pk} {policy}", _limits(policy)
    policy.delete()
    audit.record(actor=actor, action="policy.remove", subject=subject, before=before, after={}, reason=reason, at=at)


def _limits(policy: Policy) -> dict[str, Any]:
    said = {name: getattr(policy, name) for name in _LIMITS}
    return said | {"max_leverage_x": None if said["max_leverage_x"] is None else str(said["max_leverage_x"])}
