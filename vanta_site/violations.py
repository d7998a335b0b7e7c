"""What must never happen, looked for in the ledger itself: the code that would do it can't be trusted to tell."""

from threading import Lock

from django.db import connection
from django.db.models import Exists, Max, OuterRef, QuerySet

from execution.domain.intent import LIFECYCLE
from trading.domain.position import FillKind
from trading.models import Event, Fill


def second_opens() -> QuerySet[Fill]:
    """Opening fills of a position that had one already: a position is opened by one effect of one signal."""
    opens = Fill.objects.canonical().filter(kind=FillKind.OPEN)
    return opens.filter(Exists(opens.filter(position=OuterRef("position"), pk__lt=OuterRef("pk"))))


_KINDS = {status: f"intent.{status.lower()}" for status in LIFECYCLE.states}
_LEGAL = [f"{_KINDS[source]}>{_KINDS[target]}" for source, following in LIFECYCLE.moves.items() for target in following]
# Each new move with the one before it of the same intent; a first move has none before it.
_COUNT = """
    SELECT count(*) FROM journal AS moved
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
                self._count += _illegal(after=self._read_up_to, up_to=newest)
            self._read_up_to = newest
            return self._count


def _illegal(*, after: int, up_to: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"after": after, "up_to": up_to, "kinds": list(_KINDS.values()), "legal": _LEGAL})
        return int(cursor.fetchone()[0])
