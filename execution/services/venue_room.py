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
    live = [intent.order for intent in waiting if intent.order is not None and intent.book == Book.LIVE]
    pending = Order.objects.filter(
        trader__in={order.trader_id for order in live}, book=Book.LIVE, ended_at=None, intent__nonce__isnull=False
    )
    taken = Counter(pending.values_list("trader_id", flat=True))
    crowded: set[int] = set()
    for order in live:
        taken[order.trader_id] += 1
        if taken[order.trader_id] > settings.VENUE_MAX_PENDING_ORDERS:
            crowded.add(order.pk)
    intents.block([intent for intent in waiting if intent.order_id in crowded], Blocked.VENUE, at=at, pause=PAUSE)
    return [intent for intent in waiting if intent.order_id not in crowded]
