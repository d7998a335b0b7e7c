"""Stumbles: an event that raises whenever it is settled holds the stream up for a while, and then goes on without it.

What raised is known by its count in this process: nothing is caught, so nothing is hidden. A database that
doesn't answer, or a lane that was lost, says nothing about an event, and isn't counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError

from execution.domain.events import Happening
from execution.models import Cursor
from execution.services import settlement
from trading import lanes
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import journal

log = structlog.get_logger(__name__)

# After so many failures a block is read by itself, and its events one by one.
SLOW = 2
# An event that raised this often is left out.
MAX_TRIES = 8
# No word about what was tried.
_ELSEWHERE = (OperationalError, InterfaceError, lanes.LeaseLost)

_ADVICE = "look for what its settling raised: until it is mended its position differs from the venue's"

_tries: Counter[str] = Counter()


@contextmanager
def counted(what: str) -> Iterator[int]:
    """Try something that may raise; how often it did before."""
    before = _tries[what]
    _tries[what] += 1
    try:
        yield before
    except _ELSEWHERE:
        _tries[what] -= 1
        raise
    del _tries[what]


def tries(what: str) -> int:
    """How often something has raised in this process, since it last didn't."""
    return _tries[what]


@step
def creep(lease: Lease, happenings: Sequence[Happening]) -> list[Happening]:
    """Settle events one by one, each in a write of its own; those that raised too often are left out, and returned.

    Settling one again changes nothing, so a pass that ends in the middle is begun anew.
    """
    left_out = [each for each in happenings if tries(_name(each)) >= MAX_TRIES]
    for each in happenings:
        if each not in left_out:
            lease.renew()
            with counted(_name(each)):
                _settle(each)
    return left_out


@write
def _settle(happening: Happening) -> None:
    settlement.settle([happening])


@piece
def note(cursor: Cursor, left_out: Sequence[Happening]) -> None:
    """Write down what was left out: one row of the journal each, and an ERROR that asks for a person."""
    for each in left_out:
        facts: dict[str, Any] = {"what": type(each.event).__name__, "tx_hash": each.log.tx_hash, "log_index": each.log.log_index}
        journal.record("venue.event_unsettled", cursor, at=each.block.mined_at, **facts)
        log.error(
            "venue.event_unsettled",
            advice="look for what its settling raised: until then its position differs from the venue's",
            **facts,
        )
        del _tries[_name(each)]


def _name(happening: Happening) -> str:
    return f"{happening.log.block_hash}:{happening.log.log_index}"
