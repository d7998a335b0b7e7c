"""Protections: what guards a position, from the fill that opens it until somebody wants it otherwise."""

from datetime import datetime

from trading import locks
from trading.domain import guarding
from trading.domain.position import Direction
from trading.domain.protection import Protection, as_json, of_json, plain
from trading.kinds import piece
from trading.models import Firing, Position, Signal
from trading.models import Protection as ProtectionRow
from trading.models.protection import MEMORY
from trading.services import journal

# Who replaces a guard whose position turned out to be another one.
REORGANIZATION = "a reorganization"


@piece
def attach(position: Position, *, at: datetime) -> None:
    """Guard a position as the signal that opened it asked, measured from its real entry; again only if that has changed.

    The caller holds the account's lock and the position's.
    """
    standing = ProtectionRow.objects.standing().filter(position=position).first()
    if standing is None:
        _place_asked(position, at=at)
    elif (standing.direction, standing.signal_id) != (position.direction, position.signal_id):
        # Reorganized: another order holds the slot now.
        end(standing, by=REORGANIZATION, at=at)
        _place_asked(position, at=at)
    elif standing.entry_price != position.entry_price:
        end(standing, by=REORGANIZATION, at=at)
        place(position, of_json(standing.guard), by=standing.placed_by, at=at)


@piece
def place(position: Position, wanted: Protection, *, by: str, at: datetime) -> ProtectionRow:
    """Guard a position from now on; the caller has ended what guarded it before."""
    row = ProtectionRow(
        position=position,
        signal_id=position.signal_id,
        guard=as_json(wanted),
        direction=position.direction,
        entry_price=position.entry_price,
        guarded_usdc=position.collateral_usdc,
        cost_pct=position.market.round_trip_pct,
        placed_by=by,
        placed_at=at,
    )
    memory = guarding.begin(wanted, entry=position.entry_price, direction=Direction(position.direction))
    row.remember(memory, guard=row.as_guard)
    row.save(force_insert=True)
    journal.record("protection.placed", position, at=at, protection=row.pk, guard=row.guard, stop=row.stop_price, by=by)
    return row


@piece
def keep(row: ProtectionRow, *, at: datetime) -> None:
    """Keep what a guard remembers from now on."""
    row.save(update_fields=MEMORY)
    journal.record("protection.moved", row.position, at=at, protection=row.pk, stop=row.stop_price, why=row.stop_reason)


@piece
def end(row: ProtectionRow, *, by: str, at: datetime) -> None:
    """Let a guard stand no longer. What it fired goes on."""
    row.replaced_at, row.replaced_by = at, by[:200]
    row.save(update_fields=["replaced_at", "replaced_by"])
    journal.record("protection.ended", row.position, at=at, protection=row.pk, by=by)


@piece
def standing(position: Position) -> ProtectionRow | None:
    """What guards an open position, locked; None: nothing does."""
    found = ProtectionRow.objects.live().filter(position=position).values_list("pk", flat=True)
    return next(iter(locks.protections(found)), None)


@piece
def doubt(position_ids: list[int]) -> None:
    """Look again at what became of closes: a reorganization may have taken a fill away."""
    fired = Firing.objects.filter(position__in=position_ids)
    if fired.filter(fate=guarding.Fate.FILLED).update(fate=guarding.Fate.UNDER_WAY):
        ProtectionRow.objects.filter(firings__in=fired.filter(fate=guarding.Fate.UNDER_WAY)).update(is_waiting=True)


def asked(signal: Signal) -> Protection:
    """What a signal wants its position guarded by: its guard, or its two plain prices."""
    if signal.protection is not None:
        return of_json(signal.protection)
    return plain(take_profit=signal.take_profit, stop_loss=signal.stop_loss)


def _place_asked(position: Position, *, at: datetime) -> None:
    wanted = None if position.signal is None else asked(position.signal)
    if position.signal is not None and wanted and wanted != Protection():
        place(position, wanted, by=position.signal.intent_key, at=at)
