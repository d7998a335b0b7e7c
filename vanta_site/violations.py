"""What must never happen, looked for in the ledger itself: the code that would do it can't be trusted to tell."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from threading import Lock

from django.db import connection
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from execution.domain.intent import LIFECYCLE, IntentStatus
from execution.models import TxIntent
from trading.domain.mode import Book
from trading.domain.position import FillKind
from trading.models import Event, Fill

# Of what ended in a span, so much may have gone wrong.
ERROR_LIMIT = Decimal("0.01")
# One revert among ten trades is a trade that the venue refused; a third one is a pattern.
LEAST_ERRORS = 3
# Why a cancellation took a nonce, where that is an error; the others are somebody's wish, or time.
OUR_FAULTS = ("CONTENT_REFUSED", "SIGNING_")


def second_opens() -> QuerySet[Fill]:
    """Opening fills of a position that had one already: a position is opened by one effect of one signal."""
    opens = Fill.objects.canonical().ours().filter(kind=FillKind.OPEN)
    return opens.filter(Exists(opens.filter(position=OuterRef("position"), pk__lt=OuterRef("pk"))))


_KINDS = {status: f"intent.{status.lower()}" for status in LIFECYCLE.states}
_LEGAL = [f"{_KINDS[source]}>{_KINDS[target]}" for source, following in LIFECYCLE.moves.items() for target in following]
# Each new move with the one before it of the same intent; a first move has none before it.
_ILLEGAL = """
    SELECT moved.id FROM journal AS moved
    CROSS JOIN LATERAL (
        SELECT earlier.kind FROM journal AS earlier
        WHERE earlier.subject = moved.subject AND earlier.id < moved.id AND earlier.kind = ANY(%(kinds)s)
        ORDER BY earlier.id DESC LIMIT 1
    ) AS before
    WHERE moved.id > %(after)s AND moved.id <= %(up_to)s AND moved.kind = ANY(%(kinds)s)
    AND before.kind || '>' || moved.kind <> ALL(%(legal)s)
"""


class IllegalMoves:
    """Counts moves of intents that the table doesn't have, from the moment it is made."""

    def __init__(self) -> None:
        self._count = 0
        self._read_up_to: int | None = None
        self._lock = Lock()

    def read(self) -> int:
        """The count as of now."""
        with self._lock:
            newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
            if self._read_up_to is not None and newest > self._read_up_to:
                self._count += len(illegal_moves(after=self._read_up_to, up_to=newest))
            self._read_up_to = newest
            return self._count


def illegal_moves(*, after: int, up_to: int) -> list[int]:
    """The journal's rows within a range that are moves which the table doesn't have."""
    with connection.cursor() as cursor:
        cursor.execute(_ILLEGAL, {"after": after, "up_to": up_to, "kinds": list(_KINDS.values()), "legal": _LEGAL})
        return [int(event_id) for (event_id,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate:
    """How the transactions of a span ended. `errors`: the intents whose end is nobody's wish, oldest first."""

    ended: int
    errors: tuple[int, ...]

    @property
    def is_too_high(self) -> bool:
        """Whether so many went wrong that it is no accident."""
        return len(self.errors) >= LEAST_ERRORS and len(self.errors) > self.ended * ERROR_LIMIT


def error_rate(*, since: datetime) -> ErrorRate:
    """How what had a nonce has ended since an instant."""
    ended = TxIntent.objects.filter(book=Book.LIVE, closed_at__gt=since, nonce__isnull=False)
    reasons = [Q(failure_code__startswith=reason) for reason in OUR_FAULTS]
    wrong = Q(status=IntentStatus.REVERTED) | Q(reduce(or_, reasons), status=IntentStatus.CANCELED)
    return ErrorRate(
        ended=ended.count(), errors=tuple(ended.filter(wrong).order_by("closed_at", "pk").values_list("pk", flat=True))
    )
