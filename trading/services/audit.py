"""The audit log: append-only, each row's hash over the row before it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import transaction

from trading.kinds import piece
from trading.models import AuditHead, AuditRow

log = structlog.get_logger(__name__)

# What the first row continues.
GENESIS = "0" * 64


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
    head = _locked_head()
    row = AuditRow(
        at=at, actor=actor, action=action, subject=subject, before=before, after=after, reason=reason, trace_id=trace_id
    )
    row.previous_hash = head.hash
    row.hash = hash_of(row)
    row.save(force_insert=True)
    # A trigger has moved the head on.
    _tell(row, number=head.number + 1)
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


def _locked_head() -> AuditHead:
    """The log's end. Its lock makes writers take turns: the chain has one end."""
    heads = AuditHead.objects.select_for_update(no_key=True)
    return heads.get_or_create(pk=1, defaults={"number": 0, "hash": GENESIS})[0]


def _tell(row: AuditRow, *, number: int) -> None:
    """The log files are a second place: whoever owns the database can make a chain of his own, but not there."""
    said = {"number": number, "hash": row.hash, "actor": row.actor, "action": row.action, "subject": row.subject}
    transaction.on_commit(lambda: log.info("audit.recorded", **said))
