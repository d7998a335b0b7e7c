"""Processes of a whole running desk killed, paused and emptied under signed traffic, round after round."""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict
from tests.e2e import faults, verdict
from tests.e2e.desk import RunningDesk, copy_of_checkout
from tests.e2e.traffic import Traffic, admit_traders

LEAD_SECONDS = 2.0
PATIENCE_SECONDS = 180.0


def run(_stand: Stand, bounds: Bounds) -> Iterator[Row]:
    """Every fault in every round, on a desk of our own: its processes can't be forked from here."""
    rows = {name: Row(fault=f"processes: {name}") for name in faults.FAULTS}
    with tempfile.TemporaryDirectory(prefix="vanta-chaos-") as folder:
        desk = RunningDesk(folder=copy_of_checkout(Path(folder)))
        try:
            desk.start()
            admit_traders(desk)
            for number in bounds.each():
                for name, row in rows.items():
                    if not bounds.is_over:
                        _trial(desk, name, row, seed=f"{bounds.seed}-{number}")
        finally:
            desk.make("down", seconds=120)
    yield from (row for row in rows.values() if row.recoveries)


def _trial(desk: RunningDesk, name: str, row: Row, *, seed: str) -> None:
    """One fault under traffic, and what became of each signal."""
    with Traffic(desk=desk, source=f"{name}-{seed}") as traffic:
        time.sleep(LEAD_SECONDS)
        faults.FAULTS[name](desk, random.Random(f"{name}-{seed}"))
        ended_at = time.time()
        time.sleep(LEAD_SECONDS)
    is_settled = desk.until(lambda: faults.is_settled(desk), seconds=PATIENCE_SECONDS)
    found = verdict.of(desk, source=traffic.source, taken=traffic.taken, fault_ended_at=ended_at)
    row.add(_counted(found, is_settled=is_settled), seconds=found.recovery_seconds)
    row.violations += [f"{key} took effect twice" for key in found.doubled]
    row.violations += [f"a nonce is open: {each}" for each in verdict.nonces(desk) if is_settled and each[0] != each[1]]


def _counted(found: verdict.Verdict, *, is_settled: bool) -> Verdict:
    """In a campaign's words; what a rule refused owes nothing."""
    strange = sum(found.unexplained.values())
    return Verdict(
        signals=found.filled + strange + len(found.lost),
        once=found.filled,
        lost=len(found.lost),
        falsely_failed=strange,
        unsettled=0 if is_settled else 1,
    )


CAMPAIGNS = (Campaign(name="processes", run=run),)
