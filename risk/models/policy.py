"""Limits that operators edit."""

from django.db import models
from django.db.models import Q

from risk.domain.policy import Limits, PolicyRow, Scope
from trading.domain.units import Usdc
from trading.models.fields import LeverageField
from trading.models.lifecycle import choices, known_words


class Policy(models.Model):
    """Limits at one scope; the strictest of all that apply holds."""

    scope = models.CharField(max_length=8, choices=choices(Scope))
    # Set exactly for the scope USER.
    tg_user_id = models.BigIntegerField(null=True, blank=True)
    # Set exactly for the scope SYMBOL.
    symbol = models.CharField(max_length=16, null=True, blank=True)
    # Null: this policy says nothing about it.
    max_leverage_x = LeverageField(null=True, blank=True)
    # In millionths of a dollar, as operators' queries know it. Null: says nothing.
    max_position_usd_1e6 = models.BigIntegerField(null=True, blank=True)
    # True: exits only.
    circuit_breaker = models.BooleanField(default=False)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "user_risk_policies"
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                name="one_policy_for_each_scope", fields=["scope", "tg_user_id", "symbol"], nulls_distinct=False
            ),
            known_words("policy_scope_is_known", Scope, field="scope"),
            models.CheckConstraint(
                name="policy_names_whom_its_scope_needs",
                condition=Q(scope=Scope.GLOBAL, tg_user_id=None, symbol=None)
                | Q(scope=Scope.SYMBOL, tg_user_id=None, symbol__isnull=False)
                | Q(scope=Scope.USER, tg_user_id__isnull=False, symbol=None),
            ),
            models.CheckConstraint(
                name="policy_limits_are_positive",
                condition=(Q(max_leverage_x=None) | Q(max_leverage_x__gte=1))
                & (Q(max_position_usd_1e6=None) | Q(max_position_usd_1e6__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.tg_user_id or self.symbol or ''}".strip()

    def as_row(self) -> PolicyRow:
        """The policy in the domain's words."""
        cap = self.max_position_usd_1e6
        limits = Limits(
            max_leverage=self.max_leverage_x,
            max_position=None if cap is None else Usdc.from_raw(cap),
            circuit_breaker=self.circuit_breaker,
        )
        return PolicyRow(scope=Scope(self.scope), limits=limits, tg_user_id=self.tg_user_id, symbol=self.symbol)
