"""Refunds: what came back with a cancellation, seen on the chain before the books believe that it did."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from execution.desk import Desk
from execution.domain.events import Happening, LimitCanceled, OrderCanceled
from execution.models import VenueOrder
from trading.kinds import piece
from trading.models import Trader
from trading.services import journal

log = structlog.get_logger(__name__)


def look(happenings: Sequence[Happening], *, desk: Desk) -> list[Happening]:
    """Each cancellation of a followed trader's with what its own transaction gave back; the chain is asked for nobody else's."""
    canceled = {each.event.trader for each in happenings if _pays_back(each)}
    followed = set(Trader.objects.filter(address__in=canceled).values_list("address", flat=True)) if canceled else set()
    return [_seen(each, desk=desk) if _pays_back(each) and each.event.trader in followed else each for each in happenings]


@piece
def judge(order: VenueOrder, happening: Happening) -> None:
    """Ask for a person if what an order had in escrow isn't seen to have come back."""
    if happening.refund is None or happening.refund >= order.collateral_usdc:
        return
    facts: dict[str, Any] = {"venue_order_id": order.venue_order_id, "tx_hash": happening.log.tx_hash}
    facts |= {"put_up_usdc": order.collateral_usdc, "refund_usdc": happening.refund}
    journal.record("venue.refund_unseen", order.trader, at=happening.block.mined_at, **facts)
    log.error("venue.refund_unseen", trader=order.trader.address, advice="compare the trader's balance with the venue's", **facts)


def _pays_back(happening: Happening) -> bool:
    event = happening.event
    return isinstance(event, LimitCanceled) or (isinstance(event, OrderCanceled) and event.pays_back)


def _seen(happening: Happening, *, desk: Desk) -> Happening:
    entry = happening.log
    refund = desk.venue.refunded(happening.event.trader, block_number=entry.block_number, tx_hash=entry.tx_hash, chain=desk.chain)
    return replace(happening, refund=refund)
