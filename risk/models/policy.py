"""Limits that operators edit."""

from dataclasses import fields

from django.db import models
from django.db.models import Q

from risk.domain.policy import Limits, PolicyRow, Scope
from trading.domain.units import Usdc
from trading.models.fields import LeverageField, PercentField, UsdcField
from trading.models.lifecycle import choices, known_words

# A comparison with null is unknown, and a check lets the unknown pass.
_NOT_BELOW_NOTHING = (
    "max_exposure_usdc",
    "max_side_exposure_usdc",
    "max_group_exposure_usdc",
    "max_source_exposure_usdc",
    "max_account_risk_pct",
    "liquidation_buffer_pct",
    "max_price_deviation_pct",
    "max_daily_loss_pct",
    "max_drawdown_pct",
    "max_collateral_per_hour_usdc",
    "max_volume_per_day_usdc",
)


class Policy(models.Model):
    """Limits at one scope; the strictest of all that apply holds."""

    scope = models.CharField(max_length=8, choices=choices(Scope))
    # Set exactly for the scope USER.
    tg_user_id = models.BigIntegerField(null=True, blank=True)
    # Set exactly for the scope SYMBOL.
    symbol = models.CharField(max_length=16, null=True, blank=True)
    # Null in any of these: this policy says nothing about it. What each means: `risk.domain.policy.Limits`.
    max_leverage_x = LeverageField(null=True, blank=True)
    # In millionths of a dollar, as operators' queries know it.
    max_position_usd_1e6 = models.BigIntegerField(null=True, blank=True)
    max_exposure_usdc = UsdcField(null=True, blank=True)
    max_side_exposure_usdc = UsdcField(null=True, blank=True)
    max_group_exposure_usdc = UsdcField(null=True, blank=True)
    max_source_exposure_usdc = UsdcField(null=True, blank=True)
    max_open_positions = models.PositiveIntegerField(null=True, blank=True)
    max_account_risk_pct = PercentField(null=True, blank=True)
    liquidation_buffer_pct = PercentField(null=True, blank=True)
    max_price_deviation_pct = PercentField(null=True, blank=True)
    max_daily_loss_pct = PercentField(null=True, blank=True)
    max_drawdown_pct = PercentField(null=True, blank=True)
    max_opens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    max_trades_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_collateral_per_hour_usdc = UsdcField(null=True, blank=True)
    max_volume_per_day_usdc = UsdcField(null=True, blank=True)
    cooldown_minutes = models.PositiveIntegerField(null=True, blank=True)
    stop_loss_guard = models.PositiveIntegerField(null=True, blank=True)
    stop_loss_minutes = models.PositiveIntegerField(null=True, blank=True)
    min_profit_usdc = UsdcField(null=True, blank=True)
    min_profit_minutes = models.PositiveIntegerField(null=True, blank=True)
    # True: exits only.
    circuit_breaker = models.BooleanField(default=False)
    # Counts its changes; what each of them said is in the audit log.
    version = models.PositiveIntegerField(default=1)
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
                name="policy_caps_the_whole_desk_at_the_global_scope_only",
                condition=Q(scope=Scope.GLOBAL)
                | Q(max_side_exposure_usdc=None, max_group_exposure_usdc=None, max_source_exposure_usdc=None),
            ),
            models.CheckConstraint(
                name="policy_limits_are_positive",
                condition=(Q(max_leverage_x=None) | Q(max_leverage_x__gte=1))
                & (Q(max_position_usd_1e6=None) | Q(max_position_usd_1e6__gte=0)),
            ),
            models.CheckConstraint(
                name="policy_sums_and_shares_are_not_below_nothing",
                condition=Q(*((f"{name}__gte", 0) for name in _NOT_BELOW_NOTHING)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.tg_user_id or self.symbol or ''}".strip()

    def as_row(self) -> PolicyRow:
        """The policy in the domain's words."""
        return PolicyRow(scope=Scope(self.scope), limits=self.limits, tg_user_id=self.tg_user_id, symbol=self.symbol)

    @property
    def limits(self) -> Limits:
        """What it allows."""
        cap = self.max_position_usd_1e6
        said = {limit: getattr(self, column) for limit, column in COLUMNS.items()}
        return Limits(max_position=None if cap is None else Usdc.from_raw(cap), **said)


def _column(limit: str) -> str:
    return next(name for name in _FIELDS if name in {limit, f"{limit}_x", f"{limit}_usdc", f"{limit}_pct"})


_FIELDS = {each.name for each in Policy._meta.local_fields}
# Each limit's column; the cap of a position has a unit of its own.
COLUMNS = {each.name: _column(each.name) for each in fields(Limits) if each.name != "max_position"}
