"""Room at the venue: it takes a few market orders of one trader at a time and reverts what is above."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from execution.domain.intent import Blocked
from execution.models import Order, TxIntent
from execution.services import intents
from trading.domain.mode import Book
from trading.kinds import piece

PAUSE = timedelta(seconds=1)


@piece
def fitting(waiting: Sequence[TxIntent], *, at: datetime) -> list[TxIntent]:
    """Those whose trader may have one more order with the keeper; the others wait and say why.

    Our count is never below the venue's: an order of ours counts from its nonce to its end.
    """
    traders = {intent.order.trader_id for intent in waiting}
    pending = Order.objects.filter(trader__in=traders, book=Book.LIVE, ended_at=None, intent__nonce__isnull=False)
    taken = Counter(pending.values_list("trader_id", flat=True))
    fits: list[TxIntent] = []
    crowded: list[TxIntent] = []
    for intent in waiting:
        if intent.book == Book.LIVE:
            taken[intent.order.trader_id] += 1
        has_room = taken[intent.order.trader_id] <= settings.VENUE_MAX_PENDING_ORDERS or intent.book == Book.PAPER
        (fits if has_room else crowded).append(intent)
    intents.block(crowded, Blocked.VENUE, at=at, pause=PAUSE)
    return fits
