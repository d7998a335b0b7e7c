"""Whether the audit log is the one that was written: rows changed, taken out, put elsewhere, slipped in, cut off its end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection

from trading.kinds import write
from trading.models import AuditCheck, AuditRow
from trading.services.audit import GENESIS, hash_of

log = structlog.get_logger(__name__)

# Enough to see what was done; a log that was made anew would have one for each row.
SHOWN_AT_MOST = 20
# What a pass reads: a second of work.
STRETCH = 5_000
# What a page reads besides.
GLANCE = 500
# Within a round every row is read once; then the next begins at the first row.
ROUND = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A place in the log: after so many rows, the last of them with this key and hash."""

    number: int
    last_id: int
    hash: str


BEGINNING = End(number=0, last_id=0, hash=GENESIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How far the log was read, whether that is its end, and what is wrong with it, a sentence each."""

    end: End
    is_at_end: bool
    findings: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found so far."""
        return not self.findings


def verify() -> Verdict:
    """Read the whole log."""
    return _read(BEGINNING, limit=None)


def anchor_finding(*, number: int, last_hash: str) -> str:
    """What speaks against an end of the log that was noted elsewhere earlier; empty: the log still has it."""
    row = AuditRow.objects.filter(hash=last_hash).first()
    if row is None:
        return f"the log once had {number} rows and ended with {last_hash}: it has no such row anymore"
    stands_at = AuditRow.objects.filter(pk__lte=row.pk).count()
    return "" if stands_at == number else f"row {row.pk} was number {number} and is number {stands_at}"


def glance() -> Verdict:
    """What the newest check found, and the rows since then, at most GLANCE of them."""
    newest = _newest()
    return _read(_end_of(newest), limit=GLANCE, findings=_findings_of(newest))


@write
def go_on(*, at: datetime) -> Verdict:
    """Read the next stretch, or begin the next round, and keep what was found. Nothing new is nothing to keep."""
    newest = _newest()
    is_over = newest is None or (newest.is_at_end and at - newest.round_began_at >= ROUND)
    begun = None if is_over else newest
    verdict = _read(_end_of(begun), limit=STRETCH, findings=_findings_of(begun))
    if begun is None or verdict != _verdict_of(begun):
        _keep(verdict, round_began_at=at if begun is None else begun.round_began_at, at=at)
    return verdict


def _newest() -> AuditCheck | None:
    return AuditCheck.objects.order_by("-pk").first()


def _end_of(check: AuditCheck | None) -> End:
    return BEGINNING if check is None else End(number=check.number, last_id=check.last_id, hash=check.last_hash)


def _findings_of(check: AuditCheck | None) -> tuple[str, ...]:
    return () if check is None else tuple(check.findings)


def _verdict_of(check: AuditCheck) -> Verdict:
    return Verdict(end=_end_of(check), is_at_end=check.is_at_end, findings=_findings_of(check))


def _keep(verdict: Verdict, *, round_began_at: datetime, at: datetime) -> None:
    AuditCheck.objects.create(
        at=at,
        round_began_at=round_began_at,
        number=verdict.end.number,
        last_id=verdict.end.last_id,
        last_hash=verdict.end.hash,
        is_at_end=verdict.is_at_end,
        findings=list(verdict.findings),
    )
    if not verdict.is_whole:
        log.error("audit.broken", findings=verdict.findings)


def _read(begun: End, *, limit: int | None, findings: tuple[str, ...] = ()) -> Verdict:
    head, last_id = _head()
    rows = AuditRow.objects.filter(pk__gt=begun.last_id, pk__lte=last_id).order_by("pk")[:limit]
    end, found = _walk(rows.iterator(), begun=begun)
    is_at_end = end.last_id >= last_id
    last = _about_the_end(end, head=head) if is_at_end else []
    said = dict.fromkeys((*findings, *_about_the_beginning(begun), *found, *last))
    return Verdict(end=end, is_at_end=is_at_end, findings=tuple(said)[:SHOWN_AT_MOST])


def _head() -> tuple[End, int]:
    """The log's end as its head says, and the newest row's key: in one statement, so that no new row comes between."""
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, {"genesis": GENESIS})
        number, last_hash, last_id = cursor.fetchone()
    return End(number=number, last_id=last_id, hash=last_hash), last_id


_HEAD = """
    SELECT coalesce((SELECT number FROM audit_heads), 0), coalesce((SELECT hash FROM audit_heads), %(genesis)s),
           coalesce((SELECT max(id) FROM audit_log), 0)
"""


def _walk(rows: Iterable[AuditRow], *, begun: End) -> tuple[End, list[str]]:
    end, findings = begun, list[str]()
    for row in rows:
        if len(findings) < SHOWN_AT_MOST:
            findings += _about(row, after=end)
        end = End(number=end.number + 1, last_id=row.pk, hash=row.hash)
    return end, findings


def _about(row: AuditRow, *, after: End) -> list[str]:
    if row.hash != hash_of(row):
        return [f"row {row.pk} was changed: {row}"]
    if row.previous_hash == after.hash:
        return []
    continued = AuditRow.objects.filter(hash=row.previous_hash).first()
    if continued is not None:
        return [f"row {row.pk} was moved: it continues row {continued.pk} and stands after row {after.last_id}"]
    return [f"before row {row.pk} a row is gone or rewritten: it continues none that is there, and stands after {after.last_id}"]


def _about_the_beginning(begun: End) -> list[str]:
    """Where the last reading ended there must still be what was there."""
    if begun == BEGINNING or AuditRow.objects.filter(pk=begun.last_id, hash=begun.hash).exists():
        return []
    return [f"row {begun.last_id} is gone or rewritten since it was last read"]


def _about_the_end(end: End, *, head: End) -> list[str]:
    findings = list[str]()
    if end.hash != head.hash:
        is_there = head.hash == GENESIS or AuditRow.objects.filter(hash=head.hash).exists()
        what = f"up to row {end.last_id} rows were slipped in" if is_there else "the newest rows are gone or rewritten"
        findings.append(f"{what}: the desk's last row was number {head.number} with hash {head.hash}")
    if end.number != head.number:
        findings.append(f"there are {end.number} rows and {head.number} were written")
    return findings
