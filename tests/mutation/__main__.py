"""`make mutate`: every small change of the rules must make a test fail, and a table of those that don't.

A mutator of our own: mutmut 3 changes code inside functions only, and here limits stand in constants and defaults too.

python -m tests.mutation --only risk --seed 1
"""

import argparse
import sys
from collections.abc import Iterable
from time import monotonic

from tests.mutation import campaign
from tests.mutation.areas import targets
from tests.mutation.campaign import Score, Wish
from tests.mutation.equivalents import FILE, Equivalents

_HEAD = ("module", "mutants", "killed", "equivalent", "survived", "score")


def main() -> int:
    """Try what was asked for; 0 if nothing survived."""
    wanted = _arguments()
    found = list(targets(wanted.only, against=wanted.against))
    if not found:
        raise SystemExit(f"nothing to mutate is named {wanted.only!r}")
    wish = Wish(seed=wanted.seed, take=wanted.take, equivalents=Equivalents.read(FILE.read_text()))
    begun = monotonic()
    _print(_line(_HEAD))
    scores = _shown(campaign.run(each, wish) for each in found)
    return _sum_up(scores, seconds=monotonic() - begun)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make mutate ARGS=...", description="Changes on purpose, and which of them no test saw."
    )
    parser.add_argument("--only", default="", help="an area (risk, trading), or how a path begins")
    parser.add_argument("--against", default="", help="other tests than the area's")
    parser.add_argument("--take", type=int, default=0, help="at most so many mutants of each module, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _shown(scores: Iterable[Score]) -> list[Score]:
    found = []
    for score in scores:
        found.append(score)
        _print(_row(score.path, [score]))
        for line in score.lines():
            _print(f"    {line}")
    return found


def _sum_up(scores: list[Score], *, seconds: float) -> int:
    _print(f"{_row('all', scores)}   {seconds:.0f} s")
    return 1 if any(score.survivors for score in scores) else 0


def _row(name: str, scores: list[Score]) -> str:
    mutants, killed, equivalent = (sum(counts) for counts in zip(*map(_counts, scores), strict=True))
    survived = mutants - killed - equivalent
    share = 100 * (mutants - survived) / mutants if mutants else 100
    return _line((name, str(mutants), str(killed), str(equivalent), str(survived), f"{share:.1f} %"))


def _counts(score: Score) -> tuple[int, int, int]:
    return score.mutants, score.killed, score.equivalent


def _line(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<36}" + "".join(f"{cell:>12}" for cell in cells[1:])


def _print(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
