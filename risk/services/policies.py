"""Policies: first values from the environment, edits by people, each with its audit row."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.conf import settings

from risk.domain.policy import Limits, Scope, loosened
from risk.models import Policy
from risk.models.policy import COLUMNS
from trading.domain.errors import Denied
from trading.domain.people import Act, Person, may
from trading.domain.units import Percent, Usdc
from trading.kinds import piece, write
from trading.services import audit

_SAID = ("max_position_usd_1e6", *COLUMNS.values())


class NotAllowed(Denied):
    """A person may lower limits, and not raise them; or may touch none of them."""

    code = "LIMIT_NOT_YOURS"


@write
def seed(*, at: datetime) -> bool:
    """Create the global policy from the environment, once; True if it wasn't there."""
    _, is_new = Policy.objects.get_or_create(
        scope=Scope.GLOBAL, tg_user_id=None, symbol=None, defaults=_first_values() | {"updated_at": at}
    )
    return is_new


def _first_values() -> dict[str, Any]:
    return {
        "max_position_usd_1e6": Usdc.of(settings.MAX_POSITION_SIZE_USD).raw,
        "max_account_risk_pct": Percent.of(settings.MAX_ACCOUNT_RISK_PCT * 100),
        "liquidation_buffer_pct": Percent.of(settings.LIQUIDATION_BUFFER_PCT * 100),
        "max_daily_loss_pct": Percent.of(settings.MAX_DAILY_LOSS_PCT * 100),
        "max_price_deviation_pct": Percent.of(settings.MAX_PRICE_DEVIATION_PCT * 100),
        "max_opens_per_minute": settings.MAX_OPENS_PER_MINUTE or None,
        "max_trades_per_day": settings.MAX_TRADES_PER_DAY or None,
        "max_collateral_per_hour_usdc": _or_none(Usdc.of(settings.MAX_COLLATERAL_PER_HOUR_USD)),
        "max_volume_per_day_usdc": _or_none(Usdc.of(settings.MAX_VOLUME_PER_DAY_USD)),
    }


def _or_none(limit: Usdc) -> Usdc | None:
    return limit or None


@write
def save(policy: Policy, *, person: Person, reason: str, at: datetime) -> Policy:
    """Create or change a policy; what it said before and says now goes into the audit log.

    Raises:
        NotAllowed: if something is raised by one who may only lower, or the account isn't the person's.
    """
    before = Policy.objects.select_for_update().filter(pk=policy.pk).first()
    _refuse(policy, before=before, person=person)
    policy.version = before.version + 1 if before else 1
    policy.updated_at = at
    policy.save()
    _note("policy.change" if before else "policy.create", policy, before=before, person=person, reason=reason, at=at)
    return policy


def act_for(*, scope: Scope, changes: Mapping[str, Any], tg_user_id: int | None, symbol: str | None) -> Act:
    """What a person must be allowed for such a change, as the limits stand now. `amend` asks again, under their lock."""
    before = Policy.objects.filter(scope=scope, tg_user_id=tg_user_id, symbol=symbol).first()
    if before is None:
        return Act.LOWER_LIMITS
    raised = loosened(before.limits, _changed(copy(before), changes).limits)
    return Act.RAISE_LIMITS if raised else Act.LOWER_LIMITS


@write
def amend(
    *,
    scope: Scope,
    changes: Mapping[str, Any],
    person: Person,
    reason: str,
    at: datetime,
    tg_user_id: int | None = None,
    symbol: str | None = None,
) -> Policy:
    """Change some limits at a scope, by their columns; a policy that isn't there yet is made. The others stay.

    Raises:
        NotAllowed: as `save`.
    """
    whom = {"scope": scope, "tg_user_id": tg_user_id, "symbol": symbol}
    Policy.objects.bulk_create([Policy(**whom, version=0, updated_at=at)], ignore_conflicts=True)
    policy = Policy.objects.select_for_update().get(**whom)
    before = copy(policy) if policy.version else None
    _changed(policy, changes)
    _refuse(policy, before=before, person=person)
    policy.version, policy.updated_at = policy.version + 1, at
    policy.save()
    _note("policy.change" if before else "policy.create", policy, before=before, person=person, reason=reason, at=at)
    return policy


@write
def remove(policy: Policy, *, person: Person, reason: str, at: datetime) -> None:
    """Delete a policy; what it said goes into the audit log.

    Raises:
        NotAllowed: unless the person may raise limits, which is what a removal does.
    """
    if not may(person, Act.RAISE_LIMITS) and loosened(policy.limits, Limits()):
        raise NotAllowed("removing limits takes a super-admin")
    _refuse(policy, before=None, person=person)
    subject, before = _subject(policy), _said(policy)
    policy.delete()
    audit.record(actor=person.name, action="policy.remove", subject=subject, before=before, after={}, reason=reason, at=at)


def _changed(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    for column, value in changes.items():
        setattr(policy, column, value)
    return policy


def refuse_stranger(policy: Policy, *, person: Person) -> None:
    """Pass if the person may save a policy as it stands here; the writes ask again.

    Raises:
        NotAllowed: as `save` does.
    """
    _refuse(policy, before=Policy.objects.filter(pk=policy.pk).first(), person=person)


def _refuse(policy: Policy, *, before: Policy | None, person: Person) -> None:
    raised = loosened(before.limits, policy.limits) if before else []
    if raised and not may(person, Act.RAISE_LIMITS):
        raise NotAllowed(f"raising a limit takes a super-admin: {', '.join(raised)}", limits=raised)
    if not may(person, Act.LOWER_LIMITS, account=policy.tg_user_id):
        raise NotAllowed("these limits are not yours to change")


@piece
def _note(action: str, policy: Policy, *, before: Policy | None, person: Person, reason: str, at: datetime) -> None:
    audit.record(
        actor=person.name,
        action=action,
        subject=_subject(policy),
        before=_said(before) if before else {},
        after=_said(policy),
        reason=reason,
        at=at,
    )


def _subject(policy: Policy) -> str:
    return f"policy:{policy.pk} {policy}"


def _said(policy: Policy) -> dict[str, Any]:
    """What a policy limits: the rest it says nothing about."""
    said = {name: getattr(policy, name) for name in _SAID}
    return {name: value if isinstance(value, bool | int) else str(value) for name, value in said.items() if value is not None}
