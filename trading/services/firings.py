"""Firings: each becomes one close, by the one path. The row comes first, and the close's id is made from it.

Whoever dies between the two leaves a row that says what to send; whoever sends it twice finds what is there.
"""

import json
from datetime import datetime
from typing import Any

from trading.domain.guarding import Fate
from trading.domain.guarding import Firing as Reached
from trading.domain.signal import Side, SignalRequest
from trading.domain.units import Price, Usdc
from trading.kinds import piece, step, write
from trading.models import Firing, Protection, Source
from trading.services import journal, signals

# The row whose signals the closes are; each names itself after its position too.
SOURCE = "protection"


@piece
def record(row: Protection, reached: Reached, *, price: Price | None, reduce: Usdc | None, at: datetime) -> Firing:
    """Write down that a level fired; the caller holds the protection's lock and has seen that it may."""
    earlier = Firing.objects.filter(protection=row, level=reached.name).count()
    firing = Firing.objects.create(
        position_id=row.position_id,
        protection=row,
        cause=reached.cause,
        level=reached.name,
        attempt=earlier + 1,
        level_price=reached.level,
        price=price,
        reduce_usdc=reduce,
        hits_before=row.targets_hit,
        fired_at=at,
    )
    facts: dict[str, Any] = {"protection": row.pk, "level": reached.name, "attempt": firing.attempt}
    journal.record("protection.fired", row.position, at=at, **facts, level_price=reached.level, price=price, reduce_usdc=reduce)
    return firing


@step
def send(*, firing_id: int, at: datetime) -> None:
    """Send the close that a firing stands for, however often: it is one signal."""
    firing = Firing.objects.select_related("position__trader", "position__market").get(pk=firing_id)
    if firing.signal_id is None:
        raw = json.dumps(_said(firing)).encode()
        source = Source.objects.get(name=SOURCE)
        accepted = signals.accept(request=_request(firing), raw=raw, source=source, at=at)
        _link(firing_id, signal_id=accepted.signal.pk)


@write
def _link(firing_id: int, *, signal_id: int) -> None:
    Firing.objects.filter(pk=firing_id, fate=Fate.UNDER_WAY).update(signal=signal_id)


def _request(firing: Firing) -> SignalRequest:
    return SignalRequest(
        source=f"{SOURCE}:{firing.position_id}",
        signal_id=str(firing),
        tg_user_id=firing.position.trader.account,
        symbol=firing.position.market.symbol,
        side=Side.CLOSE,
        reduce=firing.reduce_usdc,
        position_id=firing.position_id,
    )


def _said(firing: Firing) -> dict[str, str | int | None]:
    return {
        "source": f"{SOURCE}:{firing.position_id}",
        "signal_id": str(firing),
        "tg_user_id": firing.position.trader.account,
        "symbol": firing.position.market.symbol,
        "side": Side.CLOSE,
        "position": firing.position_id,
        "reduce_usdc": None if firing.reduce_usdc is None else str(firing.reduce_usdc),
    }
