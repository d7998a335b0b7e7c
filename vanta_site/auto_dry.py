"""Violations stop us by themselves: each is written down once, audited, and sets DRY.

A person who goes LIVE again has seen it; what was answered for isn't counted again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db.models import Max

from execution.domain.reconciliation import GRAVE
from execution.models import Difference
from trading import locks
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode
from trading.kinds import step, write
from trading.models import Event, Fill
from trading.ports import ModeSwitch
from trading.services import audit, mode, switching
from vanta_site import violations
from vanta_site.models import Violation

log = structlog.get_logger(__name__)

ACTOR = "violation"
ERROR_WINDOW = timedelta(minutes=5)
# How far behind the newest row a look begins: further than rows are written between two looks, or commit late.
MARGIN = 20_000
_JOURNAL_MARGIN = 2_000
# As much as a violation's row has room for.
_DETAIL = 200


class Kind(StrEnum):
    """What must never happen."""

    DUPLICATE = "duplicate"
    ILLEGAL_MOVE = "illegal transition"
    ERROR_RATE = "error rate"
    DIFFERENCE = "reconciliation difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation, and the row that shows it."""

    kind: Kind
    subject: str
    detail: str


def _duplicates(_: datetime) -> Iterator[Finding]:
    newest = Fill.objects.aggregate(newest=Max("pk"))["newest"] or 0
    for fill_id in violations.second_opens().filter(pk__gt=newest - MARGIN).values_list("pk", flat=True):
        yield Finding(kind=Kind.DUPLICATE, subject=f"fill:{fill_id}", detail="a second opening fill of its position")


def _illegal_moves(_: datetime) -> Iterator[Finding]:
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    for event_id in violations.illegal_moves(after=newest - _JOURNAL_MARGIN, up_to=newest):
        yield Finding(kind=Kind.ILLEGAL_MOVE, subject=f"event:{event_id}", detail="a move that the table doesn't have")


def _error_rate(at: datetime) -> Iterator[Finding]:
    answered_at = Violation.objects.filter(kind=Kind.ERROR_RATE).aggregate(last=Max("found_at"))["last"]
    rate = violations.error_rate(since=max(answered_at or at - ERROR_WINDOW, at - ERROR_WINDOW))
    if rate.is_too_high:
        detail = f"{len(rate.errors)} of {rate.ended} transactions went wrong within {ERROR_WINDOW}"
        yield Finding(kind=Kind.ERROR_RATE, subject=f"intent:{rate.errors[-1]}", detail=detail)


def _differences(_: datetime) -> Iterator[Finding]:
    grave = Difference.objects.standing().filter(kind__in=[str(kind) for kind in GRAVE])
    for row in grave.order_by("pk"):
        detail = f"{row.kind} {row.what}: ours {row.ours}, the venue's {row.theirs}"
        yield Finding(kind=Kind.DIFFERENCE, subject=f"difference:{row.pk}", detail=detail[:_DETAIL])


# One line for each thing that is looked for.
FINDERS: tuple[Callable[[datetime], Iterable[Finding]], ...] = (_duplicates, _illegal_moves, _error_rate, _differences)


@step
def act(*, switch: ModeSwitch, at: datetime) -> int:
    """Look for violations; what is new is written down and sets DRY, unless that is switched off. How many were new."""
    found = [finding for find in FINDERS for finding in find(at)]
    if not found or not (news := _answer(found, at=at)):
        return 0
    for finding in news:
        log.error("violation.found", kind=finding.kind, subject=finding.subject, detail=finding.detail)
    if settings.AUTO_DRY_ON_VIOLATION:
        _tell(switch, at=at)
    return len(news)


@write
def _answer(found: list[Finding], *, at: datetime) -> list[Finding]:
    """Those that nobody had found before; the wish for DRY commits with them, or neither does."""
    # Two looks at once would both find it new.
    locks.mode_state()
    known = set(Violation.objects.filter(subject__in=[each.subject for each in found]).values_list("kind", "subject"))
    news = [each for each in found if (each.kind, each.subject) not in known]
    Violation.objects.bulk_create(_row(each, at=at) for each in news)
    if news and settings.AUTO_DRY_ON_VIOLATION:
        mode.choose(mode=Mode.DRY, actor=ACTOR, reason="; ".join(_words(each) for each in news[:3]), at=at)
    for each in news:
        audit.record(
            actor=ACTOR,
            action="violation.found",
            subject=each.subject,
            before={},
            after={"kind": each.kind},
            reason=each.detail,
            at=at,
        )
    return news


def _row(finding: Finding, *, at: datetime) -> Violation:
    return Violation(kind=finding.kind, subject=finding.subject, detail=finding.detail, found_at=at)


def _words(finding: Finding) -> str:
    return f"{finding.kind}: {finding.detail} ({finding.subject})"


def _tell(switch: ModeSwitch, *, at: datetime) -> None:
    try:
        switching.tell(switch=switch, at=at)
    except Unavailable as error:
        # The wish is in the database: the watch brings it to the switch before LIVE can hold again.
        log.warning("mode.switch_unreachable", words="FAILING SAFE TO DRY", **error.facts)
