"""What a person wants a position guarded by: checked like an entry's stop, told, and standing from then on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from risk.domain import authority, sizing
from risk.domain.decision import Denial
from risk.domain.policy import EffectivePolicy, in_effect
from risk.models import Equity, Policy
from risk.services import facts
from trading import locks, selectors
from trading.domain import guarding
from trading.domain.errors import Conflict, Denied, Invalid
from trading.domain.guarding import Guard, StopReason
from trading.domain.people import Act, Person
from trading.domain.position import Direction, PositionStatus
from trading.domain.protection import Protection
from trading.domain.units import Percent, Price, Usdc, notional
from trading.kinds import piece, write
from trading.models import Position
from trading.models import Protection as ProtectionRow
from trading.services import audit, protections
from trading.services.signals import UnknownPosition


class PositionNotOpen(Conflict):
    """There is nothing left to guard."""

    code = "POSITION_NOT_OPEN"


class NotProtected(Conflict):
    """Nothing guards the position."""

    code = "POSITION_NOT_PROTECTED"


class StopOnWrongSide(Invalid):
    """The stop would fire at once."""

    code = Denial.STOP_ON_WRONG_SIDE


class StopBeyondLiquidation(Denied):
    """The venue would liquidate before the stop, or close to it."""

    code = Denial.STOP_BEYOND_LIQUIDATION


class RiskAboveMax(Denied):
    """Further away than now, the stop would risk more of the equity than one position may."""

    code = Denial.ACCOUNT_RISK_ABOVE_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A person's word for one change."""

    person: Person
    reason: str
    at: datetime


@write
def protect(*, position_id: int, wanted: Protection, by: Word) -> ProtectionRow:
    """Guard a position by this from now on, in place of what guards it.

    Raises:
        NotAllowed: if the person may not trade for the account.
        PositionNotOpen: if there is nothing left to guard.
        StopOnWrongSide, StopBeyondLiquidation, RiskAboveMax: if its stop is no stop, or risks too much.
    """
    position = _open(position_id, by=by)
    before = protections.standing(position)
    _check(position, _stop_of(position, wanted), stands=before.stop_price if before else None, at=by.at)
    if before is not None:
        protections.end(before, by=by.person.name, at=by.at)
    row = protections.place(position, wanted, by=by.person.name, at=by.at)
    _note("protection.set", position, before=_said(before), after=_said(row), by=by)
    return row


@write
def unprotect(*, position_id: int, by: Word) -> ProtectionRow:
    """Let nothing of ours guard a position; what the venue holds for it stays there.

    Raises:
        NotProtected: if nothing does.
    """
    position = _open(position_id, by=by)
    row = _standing(position)
    _check_risk(position, None, stands=row.stop_price)
    protections.end(row, by=by.person.name, at=by.at)
    _note("protection.removed", position, before=_said(row), after={}, by=by)
    return row


@write
def to_breakeven(*, position_id: int, by: Word) -> ProtectionRow:
    """Move a position's stop to where closing it costs nothing; one that stands closer stays.

    Raises:
        StopOnWrongSide: if the price isn't beyond that yet.
    """
    position = _open(position_id, by=by)
    row = protections.standing(position) or protections.place(position, Protection(), by=by.person.name, at=by.at)
    before, guard = _said(row), row.as_guard
    _check_side(position, guard.breakeven, at=by.at)
    row.remember(guarding.tightened(guard, row.memory, stop=guard.breakeven, reason=StopReason.BREAKEVEN), guard=guard)
    protections.keep(row, at=by.at)
    _note("protection.breakeven", position, before=before, after=_said(row), by=by)
    return row


@piece
def _open(position_id: int, *, by: Word) -> Position:
    found = Position.objects.ours().select_related("trader").filter(pk=position_id).first()
    if found is None:
        raise UnknownPosition("there is no such position", field="position")
    authority.check(by.person, Act.TRADE, reason=by.reason, account=found.trader.account)
    # A fill takes the same two.
    locks.accounts([found.trader_id])
    (position,) = locks.positions([position_id])
    if position.status != PositionStatus.OPEN:
        raise PositionNotOpen(f"position {position_id} is {position.status}: nothing is left to guard")
    return position


def _standing(position: Position) -> ProtectionRow:
    row = protections.standing(position)
    if row is None:
        raise NotProtected(f"nothing of ours guards position {position.pk}")
    return row


def _check(position: Position, stop: Price | None, *, stands: Price | None, at: datetime) -> None:
    if stop is not None:
        _check_side(position, stop, at=at)
        _check_liquidation(position, stop)
    _check_risk(position, stop, stands=stands)


def _check_side(position: Position, stop: Price, *, at: datetime) -> None:
    view = selectors.price_views(now=at, symbols=[position.market.symbol])[position.market.symbol]
    guard = _bare(position)
    if view.last_known is not None and guard.gain(view.last_known.price) <= guard.gain(stop):
        raise StopOnWrongSide(f"the stop ${stop} is reached at ${view.last_known.price}: it would fire at once", field="stop")


def _check_liquidation(position: Position, stop: Price) -> None:
    buffer = _policy(position).overall.liquidation_buffer or Percent.zero()
    furthest = sizing.furthest_stop(entry=position.entry_price, leverage=position.leverage_x, buffer=buffer)
    away = -_bare(position).gain(stop)
    if away > furthest:
        raise StopBeyondLiquidation(f"the stop lies ${away} away, liquidation less {buffer}% is ${furthest} away", field="stop")


def _check_risk(position: Position, stop: Price | None, *, stands: Price | None) -> None:
    """Further away than it stands, or gone, a stop must not risk more of the equity than an entry may."""
    guard, share = _bare(position), _policy(position).overall.max_account_risk
    is_closer = stop is not None and (stands is None or guard.gain(stop) >= guard.gain(stands))
    equity = Equity.objects.filter(trader=position.trader_id, book=position.book).values_list("equity_usdc", flat=True).first()
    if share is None or equity is None or is_closer or (stop is None and stands is None):
        return
    limit, risked = equity.times_down(share.raw, Percent.HUNDRED), _loss(position, stop)
    if risked > limit:
        raise RiskAboveMax(f"risks ${risked}, {share}% of the equity is ${limit}", field="stop")


def _loss(position: Position, stop: Price | None) -> Usdc:
    """What is lost at a stop, costs included, and never more than was put up."""
    collateral: Usdc = position.collateral_usdc
    if stop is None:
        return collateral
    size = notional(collateral, position.leverage_x)
    if _bare(position).gain(stop) >= Price.zero():
        return Usdc.zero()
    return min(sizing.loss_at(stop, entry=position.entry_price, notional=size, cost=position.market.round_trip_pct), collateral)


def _policy(position: Position) -> EffectivePolicy:
    return in_effect(
        [policy.as_row() for policy in Policy.objects.all()],
        source=facts.source_limits(position.signal.source) if position.signal else facts.NO_LIMITS,
        ceiling=facts.ceiling(),
        tg_user_id=position.trader.account,
        symbol=position.market.symbol,
    )


def _bare(position: Position) -> Guard:
    return Guard(direction=Direction(position.direction), entry=position.entry_price, rungs=(), breakeven=position.entry_price)


def _stop_of(position: Position, wanted: Protection) -> Price | None:
    return guarding.begin(wanted, entry=position.entry_price, direction=Direction(position.direction)).stop


def _said(row: ProtectionRow | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"protection": row.pk, "guard": row.guard, "stop": None if row.stop_price is None else str(row.stop_price)}


def _note(action: str, position: Position, *, before: dict[str, Any], after: dict[str, Any], by: Word) -> None:
    audit.record(
        actor=by.person.name,
        action=action,
        subject=f"position:{position.pk}",
        before=before,
        after=after,
        reason=by.reason,
        at=by.at,
    )
