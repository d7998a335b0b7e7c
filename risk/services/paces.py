"""Paces: how much an account did lately, from what was approved. PostgreSQL counts: Redis may be gone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DecimalField, F, Min, Q, Sum, Value
from django.db.models.functions import Ceil

from risk.domain.decision import Action
from risk.domain.situation import Pace
from risk.models import Leg
from trading.domain.mode import Book
from trading.domain.units import Usdc
from trading.kinds import piece
from trading.models import Trader

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)

_WHOLE = DecimalField(max_digits=60, decimal_places=0)
_NOTIONAL = Ceil(F("collateral_usdc") * F("leverage_x") * Value(10**Usdc.SCALE), output_field=_WHOLE)


@piece
def of(trader: Trader, *, at: datetime) -> dict[Book, Pace]:
    """The windows of an account as of an instant, in one query."""
    legs = Leg.objects.filter(trader=trader, decision__decided_at__gt=at - DAY)
    opens = Q(action=Action.OPEN)
    in_minute, in_hour = (opens & Q(decision__decided_at__gt=at - window) for window in (MINUTE, HOUR))
    decided = "decision__decided_at"
    rows = (
        legs.order_by()
        .values("book")
        .annotate(
            opens=Count("pk", filter=in_minute),
            opens_since=Min(decided, filter=in_minute),
            trades=Count("pk"),
            trades_since=Min(decided),
            collateral=Sum("collateral_usdc", filter=in_hour),
            collateral_since=Min(decided, filter=in_hour),
            volume=Sum(_NOTIONAL),
        )
    )
    found = {book: Pace() for book in Book}
    return found | {Book(row["book"]): _pace(row) for row in rows}


def _pace(row: Mapping[str, Any]) -> Pace:
    return Pace(
        opens_in_minute=row["opens"],
        opens_free_at=_after(row["opens_since"], MINUTE),
        trades_in_day=row["trades"],
        trades_free_at=_after(row["trades_since"], DAY),
        collateral_in_hour=row["collateral"] or Usdc.zero(),
        collateral_free_at=_after(row["collateral_since"], HOUR),
        volume_in_day=Usdc.from_raw(int(row["volume"] or 0)),
        volume_free_at=_after(row["trades_since"], DAY),
    )


def _after(since: datetime | None, window: timedelta) -> datetime | None:
    return None if since is None else since + window
