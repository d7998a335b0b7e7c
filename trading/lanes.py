"""Takes and frees a lane: the rows that must be worked one at a time.

A lane is leased for a few seconds by one conditional UPDATE, on the database's clock. Whoever
finds it taken leaves a mark (`rung_at`) that the holder reads before it lets go, so no ring is lost.
A holder that dies is succeeded when its lease ends; one that only slept finds its epoch gone,
and each of its writes raises `LeaseLost` instead of touching a row.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import connection
from django.db.models import DateTimeField, Func

from trading import failpoints
from trading.domain.errors import Conflict
from trading.kinds import step
from trading.models.lane import Lane

log = structlog.get_logger(__name__)

LEASE_SECONDS = 10


class ClockTimestamp(Func):
    """The database's clock at this very moment, not at the transaction's start."""

    function = "clock_timestamp"
    output_field = DateTimeField()


class LeaseLost(Conflict):
    """Somebody else works the lane now; what this holder meant to write isn't written."""

    code = "LEASE_LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to one lane while its epoch stands."""

    model: type[Lane]
    pk: int
    epoch: int

    def renew(self) -> None:
        """Hold the lane for another LEASE_SECONDS; called before each ask.

        Raises:
            LeaseLost: if it is somebody else's by now.
        """
        if not _update(self, "leased_until = clock_timestamp() + %s * interval '1 second'", LEASE_SECONDS):
            raise LeaseLost(f"lane {self.pk} has another holder", lane=self.pk, epoch=self.epoch)


@step
def drain(model: type[Lane], pk: int, work: Callable[[Lease], None]) -> bool:
    """Take the lane, do the work, do it again if somebody rang meanwhile, let go. False if the lane is taken."""
    lease = _take(model, pk)
    if lease is None:
        return False
    try:
        work(lease)
        while not _release(lease):
            lease.renew()
            work(lease)
    except LeaseLost as lost:
        log.warning("lane.lost", **lost.facts | {"lane": f"{model.__name__}:{pk}", "epoch": lease.epoch})
    finally:
        _update(lease, "leased_until = NULL")
    return True


def _take(model: type[Lane], pk: int) -> Lease | None:
    # The second try is for a holder that let go between our first try and our mark.
    lease = _try(model, pk)
    if lease is None:
        model._default_manager.filter(pk=pk).update(rung_at=ClockTimestamp())
        lease = _try(model, pk)
    return lease


def _try(model: type[Lane], pk: int) -> Lease | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET epoch = epoch + 1, rung_at = NULL,"  # noqa: S608 - a table's name of ours
            " leased_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE id = %s AND (leased_until IS NULL OR leased_until < clock_timestamp()) RETURNING epoch",
            [LEASE_SECONDS, pk],
        )
        row = cursor.fetchone()
    failpoints.reach("trading.lanes.take", "committed")
    return Lease(model=model, pk=pk, epoch=row[0]) if row else None


def _release(lease: Lease) -> bool:
    """Let go, unless somebody rang; then the mark is cleared and the lane is still ours."""
    if _update(lease, "leased_until = NULL", where="rung_at IS NULL"):
        return True
    if not _update(lease, "rung_at = NULL"):
        raise LeaseLost(f"lane {lease.pk} has another holder", held_epoch=lease.epoch)
    return False


def _update(lease: Lease, change: str, *values: int, where: str = "TRUE") -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {lease.model._meta.db_table} SET {change} WHERE id = %s AND epoch = %s AND {where}",  # noqa: S608 - words of ours
            [*values, lease.pk, lease.epoch],
        )
        is_ours = bool(cursor.rowcount == 1)
    failpoints.reach("trading.lanes.update", "committed")
    return is_ours
