"""Copying: what a leader's trade becomes for a follower: signals, or a reason why not.

Sending stores signals whose ids are the copy's own, so whoever works it, however often and wherever he dies, the
follower's account gets one.
"""

import json
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, Sum

from risk.domain import copying as domain
from risk.domain.copying import CopyKind, CopyStatus, LeadersTrade, Plan, Skip, Stand
from risk.domain.decision import Action
from risk.domain.following import FollowMode
from risk.models import Copy, Following, Leg
from risk.services import copies, followings
from trading.domain.signal import ENTRY_LIFETIME, Side, SignalRequest, SignalStatus, Size, SizeKind
from trading.domain.units import Usdc
from trading.kinds import piece, step, write
from trading.models import Position, Signal, Source
from trading.services import mode, signals
from trading.services.mode import COPY_SOURCE

BATCH = 100


@step
def work(*, following_id: int, at: datetime) -> int:
    """Work what a following owes, in the order of the leader's trades; how many rows."""
    waiting = Copy.objects.due(at=at).filter(following=following_id)
    # What was tried before goes last: if it raises, it takes nobody along.
    numbers = list(waiting.order_by("attempts", "id").values_list("pk", flat=True)[:BATCH])
    for pk in numbers:
        _work(pk, at=at)
    return len(numbers)


def _work(pk: int, *, at: datetime) -> None:
    copy = copies.claim(pk, at=at)
    if copy is None:
        return
    if copy.status == CopyStatus.SENT:
        copies.judge(pk, at=at)
    elif copy.kind == CopyKind.OPEN:
        _open(pk, at=at)
    else:
        _close(pk, at=at)


# --- opens


def _open(pk: int, *, at: datetime) -> None:
    planned = _plan(pk, at=at)
    if planned is None or planned.status != CopyStatus.PLANNED:
        return
    request, raw = _entry(planned)
    try:
        signals.accept(request=request, raw=raw, source=Source.objects.get(name=COPY_SOURCE), at=at)
    except signals.UnknownTrader:
        copies.skip(pk, Skip.FOLLOWER, at=at)
    except signals.UnknownSymbol:
        copies.skip(pk, Skip.MARKET, at=at)
    else:
        copies.conclude(pk, at=at)


@write
def _plan(pk: int, *, at: datetime) -> Copy | None:
    """Settle an open's size under the following's lock, where the day's cap is counted; None: it waits."""
    following = followings.locked(Copy.objects.values_list("following_id", flat=True).get(pk=pk))
    copy = copies.locked(pk)
    if copy.status == CopyStatus.PLANNED:
        return _planned_before(copy, at=at)
    if copy.status != CopyStatus.OWED:
        return copy
    followings.review(following.follower, at=at)
    following.refresh_from_db(fields=["mode"])
    found = domain.plan(_trade(copy), terms=following.terms, stand=_stand(following, at=at))
    if not copy.fill.is_canonical:
        if not _is_late(copy, at=at):
            # It may come again in another block.
            copies.wait(copy, at=at)
            return None
        found = Skip.REORGED
    return copies.skipped(copy, found, at=at) if isinstance(found, Skip) else _planned(copy, found, following=following)


def _is_late(copy: Copy, *, at: datetime) -> bool:
    return at - copy.fill.filled_at > ENTRY_LIFETIME


@piece
def _planned_before(copy: Copy, *, at: datetime) -> Copy:
    """One whose worker died: too late to send it now, unless he had."""
    is_lost = _is_late(copy, at=at) and not copies.stored(copy).exists()
    return copies.skipped(copy, Skip.STALE, at=at) if is_lost else copy


def _trade(copy: Copy) -> LeadersTrade:
    fill, market = copy.fill, copy.position.market
    return LeadersTrade(
        symbol=market.symbol,
        collateral=fill.collateral_usdc + fill.fee_usdc,
        leverage=fill.leverage_x,
        traded_at=fill.filled_at,
        min_leverage=market.min_leverage_x,
    )


def _stand(following: Following, *, at: datetime) -> Stand:
    return Stand(
        mode=FollowMode(following.mode),
        used=_used(following, at=at),
        is_paused=mode.is_automation_paused(),
        is_watched=following.leader.is_enabled,
        may_enter=following.follower.is_enabled,
        at=at,
    )


@piece
def _used(following: Following, *, at: datetime) -> Usdc:
    """What this UTC day's copies put up in the book of the next one, or may still; what was denied put up nothing."""
    begins_at = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = following.copies.filter(kind=CopyKind.OPEN, created_at__gte=begins_at)
    of_the_book = Q(signals=None) | Q(signals__signal__book=mode.copy_book())
    counted = today.filter(of_the_book, status__in=[CopyStatus.PLANNED, CopyStatus.SENT])
    promised = Sum("signals__signal__decisions__legs__collateral_usdc")
    columns = ("promised", "signals__signal__status", "collateral_usdc", "at_most_usdc")
    return sum((_room(*row) for row in counted.annotate(promised=promised).values_list(*columns)), Usdc.zero())


def _room(promised: Usdc | None, status: str | None, collateral: Usdc | None, at_most: Usdc | None) -> Usdc:
    if promised is not None:
        return promised
    is_open = status in (None, SignalStatus.AWAITING, SignalStatus.RECEIVED)
    return (collateral or at_most or Usdc.zero()) if is_open else Usdc.zero()


@piece
def _planned(copy: Copy, plan: Plan, *, following: Following) -> Copy:
    copy.move(CopyStatus.PLANNED)
    copy.collateral_usdc, copy.share_pct, copy.at_most_usdc = plan.collateral, plan.share, plan.at_most
    copy.leverage_x, copy.cuts = plan.leverage, list(plan.cuts)
    copy.slippage_pct, copy.price = following.max_slippage_pct, copy.fill.price
    copy.save(update_fields=_PLANNED)
    return copy


_PLANNED = ["status", "collateral_usdc", "share_pct", "at_most_usdc", "leverage_x", "cuts", "slippage_pct", "price"]


def _entry(copy: Copy) -> tuple[SignalRequest, bytes]:
    """An open's signal, from nothing but the row: whoever sends it again says the same bytes."""
    asked: dict[str, Any] = {"leverage": copy.leverage_x, "price": copy.price, "slippage": copy.slippage_pct}
    asked |= {"collateral": copy.collateral_usdc, "at_most": copy.at_most_usdc}
    who = _who(copy)
    request = SignalRequest(
        **who,
        **asked,
        side=Side(copy.position.direction),
        size=None if copy.share_pct is None else Size(kind=SizeKind.EQUITY_PCT, share=copy.share_pct),
        max_deviation=copy.slippage_pct,
    )
    return request, _raw(who | asked | {"side": copy.position.direction, "equity_pct": copy.share_pct})


# --- closes


def _close(pk: int, *, at: datetime) -> None:
    """Close the leader's share of each position that came of his: whatever the mode, however late."""
    copy = copies.with_neighbors().get(pk=pk)
    opened = _opened(copy)
    if opened is None or not copy.fill.is_canonical:
        copies.look_again(pk, at=at)
        return
    source = Source.objects.get(name=COPY_SOURCE)
    for position in Position.objects.open().filter(signal__in=opened).order_by("pk"):
        request, raw = _exit(copy, position)
        signals.accept(request=request, raw=raw, source=source, at=at)
    copies.conclude(pk, at=at)


def _opened(copy: Copy) -> list[int] | None:
    """The signals that opened what a close is about; None while one of them may still become a position."""
    opens = copies.with_neighbors().filter(following=copy.following_id, position=copy.position_id, kind=CopyKind.OPEN)
    before = list(opens.filter(pk__lt=copy.pk))
    if any(each.status in (CopyStatus.OWED, CopyStatus.PLANNED) for each in before):
        return None
    sent = Signal.objects.filter(intent_key__in=[copies.key_of(each) for each in before])
    undecided = sent.filter(status__in=[SignalStatus.AWAITING, SignalStatus.RECEIVED])
    promised = Leg.objects.holding_room().filter(decision__signal__in=sent, action=Action.OPEN)
    return None if undecided.exists() or promised.exists() else list(sent.values_list("pk", flat=True))


def _exit(copy: Copy, position: Position) -> tuple[SignalRequest, bytes]:
    who = _who(copy)
    who["signal_id"] += f":{position.pk}"
    asked = {"reduce_share": copy.closed_pct, "position_id": position.pk}
    return SignalRequest(**who, **asked, side=Side.CLOSE), _raw(who | asked | {"side": Side.CLOSE})


def _who(copy: Copy) -> dict[str, Any]:
    return {
        "source": copies.source_of(copy),
        "signal_id": copies.signal_id(copy),
        "tg_user_id": copy.following.follower.account,
        "symbol": copy.position.market.symbol,
    }


def _raw(said: dict[str, Any]) -> bytes:
    plain = {name: value if isinstance(value, int) else str(value) for name, value in said.items() if value is not None}
    return json.dumps(plain).encode()
