"""Flattening: closing everything in a scope as one job."""

from dataclasses import dataclass
from enum import StrEnum

from trading.domain.lifecycle import Lifecycle
from trading.domain.units import Usdc


class FlattenStatus(StrEnum):
    """How far a job came."""

    RUNNING = "RUNNING"  # something in its scope is still open, or may yet be opened
    DONE = "DONE"  # nothing is open
    DONE_WITH_FAILURES = "DONE_WITH_FAILURES"  # what is still open, nobody is closing: a person must look


LIFECYCLE = Lifecycle(
    name="flatten",
    initial=(FlattenStatus.RUNNING,),
    moves={
        FlattenStatus.RUNNING: (FlattenStatus.DONE, FlattenStatus.DONE_WITH_FAILURES),
        FlattenStatus.DONE: (),
        FlattenStatus.DONE_WITH_FAILURES: (),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The positions of a job by what became of them, and the opens in its scope that are still under way."""

    closed: int
    waiting: int
    failed: int
    opening: int

    @property
    def status(self) -> FlattenStatus:
        """Where the job stands."""
        if self.waiting or self.opening:
            return FlattenStatus.RUNNING
        return FlattenStatus.DONE_WITH_FAILURES if self.failed else FlattenStatus.DONE

    def __str__(self) -> str:
        return f"{self.closed} closed, {self.waiting} waiting, {self.failed} failed, {self.opening} still opening"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What a job would close."""

    positions: int
    accounts: int
    collateral: Usdc

    def __str__(self) -> str:
        return f"{_so_many(self.positions, 'position')} of {_so_many(self.accounts, 'account')}, ${self.collateral} of collateral"


def _so_many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
