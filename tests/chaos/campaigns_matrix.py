"""The crash matrix over and over, with more signals in each cell than the suite takes."""

import random
from collections.abc import Iterable

from tests.chaos import matrix
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.matrix import CROWD, Cell, Hearing
from tests.chaos.stand import Stand

# All of them in one lane's batch: whoever dies leaves all of them half done.
SIGNALS = 48


def crashes(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Every cell once a round, in an order of its own; a row for each answer and size of the crew."""
    ways = {hearing: matrix.points(stand, hearing) for hearing in Hearing}
    rows = {(hearing, size): Row(fault=_words(hearing, size)) for hearing in Hearing for size in (1, CROWD)}
    chance = random.Random(bounds.seed)
    for _ in bounds.each():
        cells = list(matrix.cells(ways))
        chance.shuffle(cells)
        for cell in cells:
            if bounds.is_over:
                break
            _try(stand, cell, rows[cell.hearing, cell.workers])
    return [row for row in rows.values() if row.recoveries]


def _try(stand: Stand, cell: Cell, row: Row) -> None:
    try:
        trial = matrix.run(stand, cell, signals=SIGNALS, window=SIGNALS)
    except RuntimeError as troubles:
        row.violations.append(f"{cell}: {troubles}")
        return
    row.add(trial.verdict, seconds=trial.seconds)
    if not trial.is_clean:
        row.violations.append(f"{cell}: {trial.deaths} died, {trial.verdict}")


def _words(hearing: Hearing, size: int) -> str:
    return f"crash, broadcast {hearing}, {size} worker{'s' if size > 1 else ''}"


CAMPAIGNS = (Campaign(name="matrix", run=crashes, account_slots=SIGNALS),)
