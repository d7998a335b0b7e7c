"""When a source was last heard: noted now and then, never with each signal; and told when it falls silent."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.domain.source import HEARD_RESOLUTION, USED_RESOLUTION, is_silent
from trading.kinds import piece, step, write
from trading.models import Source, SourceSecret
from trading.services import journal
from trading.services.proofs import Proven


@step
def note(proven: Proven, *, at: datetime) -> None:
    """Keep that a source was heard and its secret used, if that wasn't kept a moment ago: mostly this does nothing."""
    if _is_due(proven, at=at):
        _note(proven, at=at)


@write
def find_silent(*, at: datetime) -> int:
    """Say once of each source that it has been silent for longer than it may; of how many."""
    silent = [source for source in _awaited() if _has_fallen_silent(source, at=at)]
    for source in silent:
        source.silent_at = at
        source.save(update_fields=["silent_at"])
        last = source.last_heard_at.isoformat() if source.last_heard_at else "never"
        journal.record("source.silent", source, at=at, source=source.name, last_heard_at=last)
    return len(silent)


def _is_due(proven: Proven, *, at: datetime) -> bool:
    source, secret = proven.source, proven.secret
    if source.silent_at is not None or _is_old(source.last_heard_at, at, HEARD_RESOLUTION):
        return True
    return secret is not None and _is_old(secret.last_used_at, at, USED_RESOLUTION)


def _is_old(noted_at: datetime | None, at: datetime, resolution: timedelta) -> bool:
    return noted_at is None or at - noted_at >= resolution


@write
def _note(proven: Proven, *, at: datetime) -> None:
    # Whoever finds the row locked leaves it: somebody else is noting the same.
    source = Source.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=proven.source.pk).first()
    if source is None:
        return
    if proven.secret is not None:
        SourceSecret.objects.filter(pk=proven.secret.pk, revoked_at=None).update(last_used_at=at)
    if source.silent_at is not None:
        journal.record("source.heard", source, at=at, source=source.name, silent_since=source.silent_at.isoformat())
    source.last_heard_at, source.silent_at = at, None
    source.save(update_fields=["last_heard_at", "silent_at"])


@piece
def _awaited() -> Iterable[Source]:
    """Sources that have a heartbeat and aren't known to be silent; those that are written to now wait for the next look."""
    rows = Source.objects.filter(is_enabled=True, heartbeat_seconds__isnull=False, silent_at=None).order_by("pk")
    return rows.select_for_update(no_key=True, skip_locked=True)


def _has_fallen_silent(source: Source, *, at: datetime) -> bool:
    heard_at = source.last_heard_at or source.created_at
    return is_silent(heard_at=heard_at, heartbeat_seconds=source.heartbeat_seconds or 0, now=at)
