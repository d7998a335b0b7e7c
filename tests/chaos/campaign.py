"""Campaigns: faults on purpose, over and over, bounded in time and in count; each row of the table is one fault."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic

import tests.chaos
from devnet.faults.pool import ACCOUNT_SLOTS
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a campaign may go on: so many rounds, and not past an instant of the monotonic clock."""

    rounds: int
    seed: int = 0
    until: float = float("inf")

    def each(self) -> Iterator[int]:
        """The rounds that may still begin."""
        for number in range(self.rounds):
            if self.is_over:
                return
            yield number

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self.until


@dataclass(kw_only=True)
class Row:
    """What came of one fault: the verdict on all its signals, and the seconds of each recovery from its end on."""

    fault: str
    verdict: Verdict = field(default_factory=Verdict)
    recoveries: list[float] = field(default_factory=list)
    # What was seen, for whoever reads the table.
    notes: list[str] = field(default_factory=list)
    # Anything that no verdict has a place for; one makes the run fail.
    violations: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self.verdict.is_clean and not self.violations

    def add(self, verdict: Verdict, *, seconds: float) -> None:
        """Count one more trial."""
        self.verdict += verdict
        self.recoveries.append(seconds)

    @property
    def recovery_p95(self) -> float:
        """The seconds that 95 of 100 recoveries stayed below."""
        ordered = sorted(self.recoveries)
        return ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)] if ordered else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One kind of faults, under the name that `--only` takes."""

    name: str
    run: Callable[[Stand, Bounds], Iterable[Row]]
    # How many transactions of one account its node holds.
    account_slots: int = ACCOUNT_SLOTS


def every() -> dict[str, Campaign]:
    """Those of each module `campaigns*` in this package: its `CAMPAIGNS`."""
    names = [each.name for each in pkgutil.iter_modules(tests.chaos.__path__) if each.name.startswith("campaigns")]
    modules = [importlib.import_module(f"tests.chaos.{name}") for name in sorted(names)]
    return {campaign.name: campaign for module in modules for campaign in getattr(module, "CAMPAIGNS", ())}
