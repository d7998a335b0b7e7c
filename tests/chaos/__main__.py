"""`make chaos`: the campaigns on servers of their own, and a table of what came of them.

python -m tests.chaos --only matrix --seed 7 --rounds 20 --minutes 10
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.campaign import Bounds, Campaign, Row

_HEAD = ("fault", "signals", "once", "doubled", "lost", "falsely failed", "recovery p95")


def main() -> int:
    """Run what was asked for; 0 if nothing was violated."""
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    # Only now: this import starts nothing, but puts the servers' addresses into the environment.
    from tests.servers import servers

    try:
        servers.start()
        return _run(_arguments())
    finally:
        servers.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=...", description="Faults on purpose, and what became of each signal.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20, help="of each campaign, at most")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all of them, at most; what has begun is ended")
    parser.add_argument("--only", default="", help="names, separated by commas")
    return parser.parse_args()


def _run(wanted: argparse.Namespace) -> int:
    import django

    django.setup()
    from tests.chaos import campaign, ground

    chosen = _chosen(campaign.every(), wanted.only)
    begun = monotonic()
    rows: list[Row] = []
    with ground.database():
        for number, each in enumerate(chosen):
            # What one leaves of its share is the next ones'.
            share = (begun + wanted.minutes * 60 - monotonic()) / (len(chosen) - number)
            rows += _tried(each, campaign.Bounds(rounds=wanted.rounds, seed=wanted.seed, until=monotonic() + share))
    return _sum_up(rows, seconds=monotonic() - begun)


def _tried(wanted: "Campaign", bounds: "Bounds") -> "list[Row]":
    """A campaign's rows, on a stand of its own."""
    from tests.chaos import ground, stand

    url, slots = os.environ["BASE_RPC_URL"], wanted.account_slots
    with ground.database(), stand.ready(url, seed=bounds.seed, account_slots=slots) as ready:
        return _shown(wanted.run(ready, bounds))


def _chosen(known: "dict[str, Campaign]", only: str) -> "list[Campaign]":
    names = [name for name in only.split(",") if name] or list(known)
    strange = [name for name in names if name not in known]
    if strange:
        raise SystemExit(f"no campaign {', '.join(strange)}; there are {', '.join(known)}")
    return [known[name] for name in names]


def _shown(rows: "Iterable[Row]") -> "list[Row]":
    found = list(rows)
    for row in found:
        said = row.verdict
        counts = (said.signals, said.once, said.doubled, said.lost, said.falsely_failed)
        _print(_line((row.fault, *map(str, counts), f"{row.recovery_p95:.2f} s")))
        for words in (*row.notes, *said.breaches, *row.violations):
            _print(f"    {words}")
    return found


def _sum_up(rows: "Sequence[Row]", *, seconds: float) -> int:
    signals = sum(row.verdict.signals for row in rows)
    dirty = [row.fault for row in rows if not row.is_clean]
    _print(f"{signals} signals in {seconds:.0f} s; " + (f"VIOLATED: {', '.join(dirty)}" if dirty else "nothing violated"))
    return 1 if dirty or not signals else 0


def _line(cells: Sequence[str]) -> str:
    return f"{cells[0]:<44}" + "".join(f"{cell:>15}" for cell in cells[1:])


def _print(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _print(_line(_HEAD))
    sys.exit(main())
