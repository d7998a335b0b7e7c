"""Limits: read by everybody whom they touch, lowered by who may, raised by a super-admin."""

from typing import Any

from django.db.models import Q, QuerySet

from risk.domain.policy import Scope
from risk.models import Policy
from risk.services import policies
from trading.api.fields import Amount, Flag, Line, Plain, Strict, Whole, Word
from trading.api.forms import REASON, Form, PageQuery, Said
from trading.api.shapes import Shape
from trading.api.views import Needed, Resource, Wish
from trading.domain.form import FormError
from trading.domain.signal import normalized_symbol
from trading.domain.units import Leverage, Percent, Usdc

_INT32 = 2**31 - 1
_LIMITS = (
    *("max_leverage_x", "max_exposure_usdc", "max_side_exposure_usdc", "max_group_exposure_usdc", "max_source_exposure_usdc"),
    *("max_open_positions", "max_account_risk_pct", "liquidation_buffer_pct", "max_price_deviation_pct", "max_daily_loss_pct"),
    *("max_drawdown_pct", "max_opens_per_minute", "max_trades_per_day", "max_collateral_per_hour_usdc"),
    *("max_volume_per_day_usdc", "cooldown_minutes", "stop_loss_guard", "stop_loss_minutes", "min_profit_usdc"),
    *("min_profit_minutes", "circuit_breaker"),
)
# Sums of the whole desk: at the global scope only.
_OF_THE_DESK = ("max_side_exposure_usdc", "max_group_exposure_usdc", "max_source_exposure_usdc")


class PolicyShape(Shape):
    """Limits at one scope; null: it says nothing about that one. The strictest of all that apply holds."""

    max_position_usd = Plain(source="limits.max_position", read_only=True, allow_null=True)

    class Meta:
        model = Policy
        fields = ("id", "scope", "tg_user_id", "symbol", "max_position_usd", *_LIMITS, "version", "updated_at")


class PolicyQuery(PageQuery):
    """Which policies."""

    scope = Word(Scope, required=False)
    tg_user_id = Whole(min_value=1, required=False)
    symbol = Line(max_length=16, required=False)


def _limit(field: type[Strict], *args: Any, **kwargs: Any) -> Any:
    return field(*args, required=False, allow_null=True, **kwargs)


class PolicyForm(Form):
    """Whose limits, those of them that change, and why. What isn't said stays; null takes a limit away."""

    scope = Word(Scope)
    tg_user_id = Whole(min_value=1, required=False, help_text="For USER.")
    symbol = Line(max_length=16, required=False, help_text="For SYMBOL.")
    max_position_usd = _limit(Amount, Usdc, least="0")
    max_leverage_x = _limit(Amount, Leverage, least="1")
    max_exposure_usdc = _limit(Amount, Usdc, least="0")
    max_side_exposure_usdc = _limit(Amount, Usdc, least="0")
    max_group_exposure_usdc = _limit(Amount, Usdc, least="0")
    max_source_exposure_usdc = _limit(Amount, Usdc, least="0")
    max_open_positions = _limit(Whole, max_value=_INT32)
    max_account_risk_pct = _limit(Amount, Percent, least="0")
    liquidation_buffer_pct = _limit(Amount, Percent, least="0")
    max_price_deviation_pct = _limit(Amount, Percent, least="0")
    max_daily_loss_pct = _limit(Amount, Percent, least="0")
    max_drawdown_pct = _limit(Amount, Percent, least="0")
    max_opens_per_minute = _limit(Whole, max_value=_INT32)
    max_trades_per_day = _limit(Whole, max_value=_INT32)
    max_collateral_per_hour_usdc = _limit(Amount, Usdc, least="0")
    max_volume_per_day_usdc = _limit(Amount, Usdc, least="0")
    cooldown_minutes = _limit(Whole, max_value=_INT32)
    stop_loss_guard = _limit(Whole, max_value=_INT32)
    stop_loss_minutes = _limit(Whole, max_value=_INT32)
    min_profit_usdc = _limit(Amount, Usdc, least="-999999999999")
    min_profit_minutes = _limit(Whole, max_value=_INT32)
    circuit_breaker = Flag(required=False, help_text="True: exits only.")
    reason = Line(max_length=REASON)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What names the scope, and nothing that it can't limit.

        Raises:
            FormError: if the scope doesn't fit the rest.
        """
        scope = attrs["scope"]
        for field, needed in (("tg_user_id", Scope.USER), ("symbol", Scope.SYMBOL)):
            if (field in attrs) is not (scope is needed):
                raise FormError(f"exactly for {needed}", field=field)
        for field in _OF_THE_DESK:
            if scope is not Scope.GLOBAL and attrs.get(field) is not None:
                raise FormError("a limit of the whole desk: only for GLOBAL", field=field)
        return attrs


class Policies(Resource):
    """Change some limits at a scope: lower is at once, higher takes a super-admin."""

    shape = PolicyShape
    query = PolicyQuery
    form = PolicyForm
    # More caution never waits; which one it is nobody knows before it is read.
    is_exit = True

    def rows(self) -> QuerySet[Policy]:
        """Every policy."""
        return Policy.objects.all()

    def within(self, accounts: frozenset[int]) -> Q:
        """What limits everybody, and what limits the accounts."""
        return ~Q(scope=Scope.USER) | Q(tg_user_id__in=accounts)

    def needs(self, wish: Wish) -> Needed:
        """Who may lower them, or raise one."""
        whom = _whom(wish.said)
        return Needed(act=policies.act_for(**whom, changes=_columns(wish.said)), account=whom["tg_user_id"])

    def do(self, wish: Wish) -> Policy:
        """Change them."""
        return policies.amend(
            **_whom(wish.said),
            changes=_columns(wish.said),
            person=wish.person,
            reason=wish.reason,
            at=wish.at,
        )


def _whom(said: Said) -> dict[str, Any]:
    symbol = said.get("symbol")
    spelled = None if symbol is None else normalized_symbol(symbol) or symbol
    return {"scope": said["scope"], "tg_user_id": said.get("tg_user_id"), "symbol": spelled}


def _columns(said: Said) -> dict[str, Any]:
    """The changes by their columns; the cap of a position is kept in millionths."""
    changes = {column: said[column] for column in _LIMITS if column in said}
    if "max_position_usd" in said:
        cap = said["max_position_usd"]
        changes["max_position_usd_1e6"] = None if cap is None else cap.raw
    return changes
