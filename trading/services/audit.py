"""The audit log: append-only, each row's hash over the row before it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from trading.kinds import piece
from trading.models import AuditRow

GENESIS = "0" * 64
# One writer at a time: the chain has one end. Any number of our own would do.
_CHAIN_LOCK = 7_204_117


@piece
def record(
    *,
    actor: str,
    action: str,
    subject: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    at: datetime,
    trace_id: str = "",
) -> AuditRow:
    """Append one row in the caller's transaction: the change and its trace commit together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
    row = AuditRow(
        at=at, actor=actor, action=action, subject=subject, before=before, after=after, reason=reason, trace_id=trace_id
    )
    row.previous_hash = AuditRow.objects.order_by("-pk").values_list("hash", flat=True).first() or GENESIS
    row.hash = hash_of(row)
    row.save(force_insert=True)
    return row


def hash_of(row: AuditRow) -> str:
    """sha256 over the previous hash and everything that the row says."""
    said = [
        row.previous_hash,
        # In UTC, as PostgreSQL will give it back.
        row.at.astimezone(UTC).isoformat(),
        row.actor,
        row.action,
        row.subject,
        row.before,
        row.after,
        row.reason,
        row.trace_id,
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def first_broken() -> AuditRow | None:
    """The first row that doesn't continue the chain before it, or None if every row does."""
    previous = GENESIS
    for row in AuditRow.objects.order_by("pk").iterator():
        if row.previous_hash != previous or row.hash != hash_of(row):
            return row
        previous = row.hash
    return None
