"""The crash matrix: a worker dies at each named point of an intent's way, while a broadcast's answer is heard, or isn't.

Each cell: some workers work and die at their first reach of the point; their leases end; the source, which heard
nothing, tells everything again; others go on until nothing is owed. Then the effects are counted on the chain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devnet.faults import Fault
from tests.chaos.clerk import Clerk
from tests.chaos.crew import Crew, Doom, Round
from tests.chaos.stand import FINALITY_BLOCKS, SEND, Stand, Team
from tests.chaos.verdict import Verdict
from trading import failpoints

SIGNALS = 3
CROWD = 4
# Rounds in which every point of the way is reached: three blocks for a higher offer, and until it is final.
_ROUNDS = 14


class Hearing(StrEnum):
    """What becomes of the first broadcast."""

    ACCEPTED = "accepted"
    DROPPED = "dropped"
    ANSWER_LOST = "answer lost"


FAULTS = {Hearing.DROPPED: Fault.REQUEST_LOST, Hearing.ANSWER_LOST: Fault.ANSWER_LOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where workers die, what is heard of the first broadcast, and how many of them there are."""

    point: str
    hearing: Hearing
    workers: int = 1

    def __str__(self) -> str:
        return f"{self.point} × {self.hearing} × {self.workers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a cell: how many workers died at its point, the seconds until nothing was owed, and the verdict."""

    cell: Cell
    deaths: int
    seconds: float
    verdict: Verdict

    @property
    def is_clean(self) -> bool:
        """Whether somebody died, and nothing came of it."""
        return self.deaths > 0 and self.verdict.is_clean


def points(stand: Stand, hearing: Hearing) -> list[str]:
    """Every point that the way of an intent reaches, in the order of the first reach: recorded, not listed by hand."""
    reached: dict[str, None] = {}
    team = stand.hire()
    bodies = tuple(told.body for told in stand.draft(team, SIGNALS))
    trouble(stand, hearing, times=1)
    clerk = Clerk(desk=stand.desk(team))
    with failpoints.listening(lambda point: reached.setdefault(point)):
        for number in range(_ROUNDS):
            troubles = clerk(Round(now=stand.now, lanes=team.lanes, bodies=() if number else bodies))
            if troubles:
                raise RuntimeError("\n".join(troubles))
            pass_time(stand, team)
    stand.heal()
    return list(reached)


def cells(ways: dict[Hearing, list[str]], crews: Sequence[int] = (1, CROWD)) -> Iterator[Cell]:
    """Every cell of the matrix."""
    for hearing, way in ways.items():
        yield from (Cell(point=point, hearing=hearing, workers=size) for size in crews for point in way)


def run(stand: Stand, cell: Cell, *, signals: int = SIGNALS, window: int | None = None) -> Trial:
    """One cell, with a team of its own."""
    team = stand.hire(senders=1 if cell.workers == 1 else 2, window=window)
    told = stand.draft(team, signals)
    trouble(stand, cell.hearing, times=cell.workers)
    with stand.crew(team, cell.workers, doom=Doom(point=cell.point)) as doomed:
        _work_to_death(stand, team, doomed, bodies=tuple(each.body for each in told))
    stand.heal()
    # The source heard nothing: it tells everything again.
    stand.tell(told)
    seconds = stand.settle(team, workers=cell.workers)
    return Trial(cell=cell, deaths=doomed.doomed, seconds=seconds, verdict=stand.verdict(team))


def _work_to_death(stand: Stand, team: Team, doomed: Crew, *, bodies: tuple[bytes, ...]) -> None:
    for number in range(_ROUNDS):
        stand.round(team, doomed, bodies=() if number else bodies)
        if not doomed.alive or stand.is_settled(team):
            break
        stand.end_leases()
        pass_time(stand, team)
    if doomed.troubles:
        raise RuntimeError("\n".join(doomed.troubles))


def trouble(stand: Stand, hearing: Hearing, *, times: int) -> None:
    """Let the next broadcasts go unheard."""
    if hearing in FAULTS:
        stand.node.suffer(FAULTS[hearing], times=times, on=SEND)


def pass_time(stand: Stand, team: Team) -> None:
    """A block; as many as it takes to be final, once everything is mined."""
    stand.mine(FINALITY_BLOCKS + 1 if stand.is_mined(team) else 1)
