"""A market day of fifty traders and a thousand orders; afterwards the books are the venue's to the last unit, twice read."""

import random
from collections.abc import Iterable
from time import monotonic

from execution.domain.venue_order import VenueOrderKind
from execution.models import VenueOrder
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.campaigns_reorgs import fresh_world
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict
from tests.scenario import day_verdict
from tests.scenario.day import Day, Size
from trading.models import Fill

TRADERS, ORDERS = 50, 1_000


def day(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """One day after another, each drawn from its own seed."""
    row = Row(fault=f"a market day: {TRADERS} traders, {ORDERS} orders")
    for number in bounds.each():
        begun = monotonic()
        with fresh_world(stand) as world:
            lived = Day(world=world, size=Size(traders=TRADERS, orders=ORDERS), draw=random.Random(f"{bounds.seed}/{number}"))
            lived.begin()
            lived.live()
            found = day_verdict.judge(lived)
            row.add(_counted(), seconds=monotonic() - begun)
        row.violations += [f"day {number}: {each}" for each in found.differences]
        row.notes.append(f"day {number}: {dict(lived.did)}; {found}")
    return [row]


def _counted() -> Verdict:
    """Of the venue's orders: none but limits may wait at the end of a day; and no fill is told twice."""
    orders = VenueOrder.objects.canonical()
    waiting = VenueOrder.objects.pending().exclude(kind=VenueOrderKind.LIMIT)
    told = list(Fill.objects.canonical().values_list("tx_hash", "log_index"))
    return Verdict(signals=orders.count(), once=orders.count() - waiting.count(), doubled=len(told) - len(set(told)))


CAMPAIGNS = (Campaign(name="day", run=day),)
