"""Reading: a range of logs becomes happenings, in the chain's order, each with what must be known of its neighbors."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from execution.desk import Desk
from execution.domain.chain import Block, Log
from execution.domain.events import (
    Costs,
    CostsCharged,
    Happening,
    LimitUpdated,
    OrderInitiated,
    PositionResized,
    TradeExecuted,
    UnknownEvent,
)


def read(entries: Iterable[tuple[Block, Log]], *, desk: Desk) -> tuple[list[Happening], list[Log]]:
    """The venue's events, and the logs that our ABI doesn't know."""
    found: list[Happening] = []
    strange: list[Log] = []
    for block, entry in sorted(entries, key=lambda pair: (pair[1].block_number, pair[1].log_index)):
        try:
            event = desk.venue.decode(entry)
        except UnknownEvent:
            strange.append(entry)
            continue
        if event is not None:
            found.append(Happening(event=event, block=block, log=entry, chain_id=desk.chain.chain_id))
    return _numbered(_with_costs(found)), strange


def _with_costs(happenings: Iterable[Happening]) -> list[Happening]:
    """Each execution with what it cost: the venue tells that right before it, in the same transaction."""
    told: dict[tuple[str, str, int], Costs] = {}
    found: list[Happening] = []
    for each in happenings:
        key = (each.log.tx_hash, each.event.trader, each.event.pair_index)
        match each.event:
            case CostsCharged():
                told[key] = each.event.costs
            case TradeExecuted() | PositionResized():
                found.append(replace(each, event=replace(each.event, costs=told.pop(key, None))))
            case _:
                found.append(each)
    return found


def _numbered(happenings: Iterable[Happening]) -> list[Happening]:
    """Each with the number of orders that its transaction had registered before it."""
    registered: Counter[str] = Counter()
    found: list[Happening] = []
    for each in happenings:
        found.append(replace(each, ordinal=registered[each.log.tx_hash]))
        registered[each.log.tx_hash] += isinstance(each.event, OrderInitiated | LimitUpdated)
    return found
