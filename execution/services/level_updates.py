"""The venue's own levels, kept in step with ours: a target for all of it, and the stop where it stands now.

The row comes before the signature, the signature before the wire, and the venue's event before belief. What gets lost
is asked for again when its time is over: setting a level twice does no harm.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from execution.desk import Desk
from execution.domain.events import Happening, LevelChanged
from execution.domain.levels import LIFETIME, PAUSE, LevelsIntent, LevelsRefused, UpdateStatus
from execution.models import Delegation, LevelUpdate
from execution.ports import Signer
from trading.domain.errors import Unavailable
from trading.domain.mode import Book
from trading.domain.position import LevelKind, Levels
from trading.domain.units import Price
from trading.kinds import piece, step, write
from trading.models import Position, Protection
from trading.services import mode

log = structlog.get_logger(__name__)

# A block's time is in whole seconds, and its clock isn't ours.
_CLOCKS = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a position's levels at the venue are to be, and what was asked for last."""

    protection: Protection
    levels: Levels
    last: LevelUpdate | None

    @property
    def position(self) -> Position:
        return self.protection.position

    @property
    def is_met(self) -> bool:
        """Whether the venue said so; what it makes of a level, for its own limits, is its business."""
        if self.last is None:
            return self.levels == Levels(take_profit=self.position.take_profit, stop_loss=self.position.stop_loss)
        return self.last.status == UpdateStatus.SET and self.last.levels == self.levels

    def is_due(self, *, at: datetime) -> bool:
        """Whether it is time to ask: not too often, and not again while the same may still be heard."""
        if self.last is None:
            return True
        is_heard = self.last.levels == self.levels and self.last.status == UpdateStatus.ASKED
        return at > self.last.deadline_at if is_heard else at - self.last.asked_at >= PAUSE


def due(before: datetime) -> Iterable[int]:
    """Live positions whose stop has moved since the venue last heard of it. Two queries."""
    return [wish.position.pk for wish in _wishes() if wish.is_met or wish.is_due(at=before)]


@step
def keep_in_step(*, position_id: int, desk: Desk, at: datetime) -> bool:
    """Ask the venue for a position's levels as ours stand, if it is time; whether it was asked."""
    wish = next(iter(_wishes(position=position_id)), None)
    if wish is None:
        return False
    if wish.is_met:
        _note_met(wish.protection.pk, levels=wish.levels)
        return False
    if not wish.is_due(at=at):
        return False
    signer = _signer(wish.position, desk=desk, at=at)
    if signer is None or not mode.current(switch=desk.switch, at=at).may_sign:
        return False
    intent = _record(wish, at=at)
    signature = signer.sign_levels(intent)
    _tell(intent, signature, desk=desk, position_id=position_id)
    return True


@piece
def confirm(event: LevelChanged, happening: Happening, *, position: Position | None) -> None:
    """Take what was asked for last as done, once the venue tells of the stop, the last of both: not for an older word of its."""
    if position is None or event.level is not LevelKind.STOP_LOSS:
        return
    last = LevelUpdate.objects.filter(position=position).order_by("-pk").first()
    if last is None or last.status != UpdateStatus.ASKED or happening.block.mined_at < last.asked_at - _CLOCKS:
        return
    last.status, last.set_in_block = UpdateStatus.SET, happening.log.block_hash
    last.save(update_fields=["status", "set_in_block"])


@piece
def take_back(block_hashes: list[str]) -> None:
    """Doubt what blocks said that the chain no longer has: it is asked for again."""
    gone = LevelUpdate.objects.filter(set_in_block__in=block_hashes)
    positions = list(gone.values_list("position_id", flat=True))
    gone.update(status=UpdateStatus.ASKED, set_in_block="")
    Protection.objects.standing().filter(position__in=positions).update(is_venue_behind=True)


def _wishes(**about: int) -> list[_Wish]:
    behind = Protection.objects.live().filter(is_venue_behind=True, position__book=Book.LIVE, **about)
    protections = list(behind.select_related("position__trader", "position__market").order_by("pk"))
    asked = LevelUpdate.objects.filter(position__in=[each.position_id for each in protections])
    last = {each.position_id: each for each in asked.order_by("position", "-pk").distinct("position")}
    return [_Wish(protection=each, levels=_levels(each), last=last.get(each.position_id)) for each in protections]


def _levels(protection: Protection) -> Levels:
    """The furthest target, where the targets leave nothing; the venue closes all of a position at its one."""
    guard = protection.as_guard
    furthest: Price | None = guard.rungs[-1].price if guard.closes_all else None
    return Levels(take_profit=furthest, stop_loss=protection.stop_price)


def _signer(position: Position, *, desk: Desk, at: datetime) -> Signer | None:
    able = Delegation.objects.filter(trader=position.trader_id, expires_at__gt=at).select_related("sender")
    found = (desk.signer_of(each.sender.address) for each in able.order_by("-is_home", "pk"))
    return next((signer for signer in found if signer is not None), None)


@write
def _note_met(protection_id: int, *, levels: Levels) -> None:
    rows = Protection.objects.select_for_update(no_key=True).filter(pk=protection_id)
    # It may have moved meanwhile.
    if [_levels(row) for row in rows.select_related(None)] == [levels]:
        rows.update(is_venue_behind=False)


@write
def _record(wish: _Wish, *, at: datetime) -> LevelsIntent:
    nonce, deadline = secrets.randbits(256), at + LIFETIME
    LevelUpdate.objects.create(
        position=wish.position,
        take_profit=wish.levels.take_profit,
        stop_loss=wish.levels.stop_loss,
        nonce=f"{nonce:064x}",
        asked_at=at,
        deadline_at=deadline,
    )
    return LevelsIntent(
        trader=wish.position.trader.address,
        pair_index=wish.position.market.pair_index,
        venue_index=wish.position.venue_index,
        levels=wish.levels,
        asked_at=at,
        deadline=deadline,
        nonce=nonce,
    )


def _tell(intent: LevelsIntent, signature: str, *, desk: Desk, position_id: int) -> None:
    try:
        desk.venue.set_levels(intent, signature=signature)
    except (Unavailable, LevelsRefused) as error:
        # Ours stand whatever the venue holds. It is asked again when this one's time is over.
        log.warning("levels.not_set", position=position_id, code=error.code, **error.facts)
        return
    log.info("levels.asked", position=position_id, take_profit=intent.levels.take_profit, stop_loss=intent.levels.stop_loss)
