"""Exposures: what is open and promised, summed where a cap is as wide, under a lock as wide.

Nothing is counted up and down in a row of its own: the sum over positions and legs can't drift.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import BooleanField, Case, Count, DecimalField, F, QuerySet, Sum, Value, When
from django.db.models.functions import Ceil

from risk.domain.decision import Action
from risk.domain.policy import Limits, Scope
from risk.domain.situation import Exposed
from risk.models import Leg, Policy
from trading import locks
from trading.domain.mode import Book
from trading.domain.position import Direction
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.models import Position, Signal, Trader

_WHOLE = DecimalField(max_digits=60, decimal_places=0)
# In millionths, each rounded up as `notional` does.
_NOTIONAL = Sum(Ceil(F("collateral_usdc") * F("leverage_x") * Value(10**Usdc.SCALE), output_field=_WHOLE))
_DESK_WIDE = ("max_exposure", "max_side_exposure", "max_group_exposure", "max_source_exposure")


@piece
def lock(signals: Sequence[Signal], *, policies: Iterable[Policy]) -> bool:
    """Take the caps that reach beyond the account and speak about these signals; whether there are any."""
    keys = {key for policy in policies for key in _keys(policy, signals)}
    keys |= {f"source:{each.source_id}" for each in signals if each.source.max_exposure_usdc is not None}
    locks.usage(keys)
    return bool(keys)


def _keys(policy: Policy, signals: Sequence[Signal]) -> list[str]:
    if policy.scope == Scope.GLOBAL:
        return ["desk"] if _is_wide(policy.limits) else []
    is_capped = policy.scope == Scope.SYMBOL and policy.max_exposure_usdc is not None
    return [f"symbol:{policy.symbol}"] if is_capped and any(each.market.symbol == policy.symbol for each in signals) else []


def _is_wide(limits: Limits) -> bool:
    return any(getattr(limits, name) is not None for name in _DESK_WIDE)


@piece
def of(trader: Trader, *, is_wide: bool) -> dict[Book, list[Exposed]]:
    """What is open or promised, of the account or of the whole desk, in one statement.

    In one, since a leg becomes a position between two: either it would count twice or not at all.
    """
    positions, legs = Position.objects.open().ours(), Leg.objects.holding_room().filter(action=Action.OPEN)
    if not is_wide:
        positions, legs = positions.filter(trader=trader), legs.filter(trader=trader)
    found: dict[Book, list[Exposed]] = {book: [] for book in Book}
    for row in _summed(positions, trader, source="signal").union(_summed(legs, trader, source="decision__signal"), all=True):
        found[Book(row["book"])].append(_exposed(row))
    return found


def _summed(rows: QuerySet[Any], trader: Trader, *, source: str) -> QuerySet[Any, dict[str, Any]]:
    is_own = Case(When(trader=trader, then=Value(True)), default=Value(False), output_field=BooleanField())  # noqa: FBT003 - SQL's own words
    named = rows.annotate(
        is_own=is_own, symbol=F("market__symbol"), group=F("market__group_name"), sender=F(f"{source}__source__name")
    )
    grouped = named.order_by().values("book", "is_own", "symbol", "group", "direction", "sender")
    summed: QuerySet[Any, dict[str, Any]] = grouped.annotate(notional=_NOTIONAL, rows=Count("pk"))
    return summed


def _exposed(row: dict[str, Any]) -> Exposed:
    return Exposed(
        is_own=row["is_own"],
        symbol=row["symbol"],
        group=row["group"],
        direction=Direction(row["direction"]),
        source=row["sender"] or "",
        notional=Usdc.from_raw(int(row["notional"])),
        positions=row["rows"],
    )
