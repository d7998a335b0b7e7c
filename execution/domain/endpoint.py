"""How we think of one endpoint of the chain: whether it is worth asking, and whether its chain is the newest there is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

# A node more than this many blocks behind the highest head seen isn't read from.
MAX_LAG_BLOCKS = 3
# So many faults in a row, and a node is only probed.
FAULTS_TO_OPEN = 5
# Pauses before a probe double from the first to the longest, in seconds.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
# Half of a pause at most is added by chance: processes that lost a node together don't all come back together.
JITTER = 0.5
# A second endpoint is asked after the first one's 95th percentile, within these bounds, in seconds.
SOONEST_HEDGE = 0.05
LATEST_HEDGE = 1.0
# What one knows too little of: of a node with fewer answers than this nobody knows the percentile.
ANSWERS_TO_KNOW = 8
UNKNOWN_HEDGE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Whether an endpoint is asked at all. Instants are seconds of one monotonic clock."""

    faults: int = 0
    probe_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is only probed."""
        return self.faults >= FAULTS_TO_OPEN

    def may_be_asked(self, *, now: float) -> bool:
        """Whether a question may go there now: as one of many, or as a probe."""
        return not self.is_open or now >= self.probe_at

    def faulted(self, *, now: float, chance: float) -> "Circuit":
        """After one more fault; `chance` is drawn from 0 to 1."""
        faults = self.faults + 1
        return Circuit(faults=faults, probe_at=now + _pause(faults, chance=chance))

    def opened(self, *, now: float, chance: float) -> "Circuit":
        """After a fault that no second one has to confirm."""
        faults = max(self.faults + 1, FAULTS_TO_OPEN)
        return Circuit(faults=faults, probe_at=now + _pause(faults, chance=chance))

    def probing(self, *, now: float, chance: float) -> "Circuit":
        """While a probe is under way: nobody else goes there meanwhile."""
        return Circuit(faults=self.faults, probe_at=now + _pause(self.faults, chance=chance))


def _pause(faults: int, *, chance: float) -> float:
    # The exponent is bounded: a node that is gone for a month mustn't overflow a float.
    doublings = min(max(faults - FAULTS_TO_OPEN, 0), 10)
    pause: float = min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
    return pause * (1 + JITTER * chance)


def is_current(head: int, *, peak: int, others: Collection[int]) -> bool:
    """Whether a node's head is new enough to read from it: `peak` is the head it was last believed at.

    A head that went back is believed if nobody is ahead of it: then the chain itself did, in a reorg.
    """
    highest = max(others, default=head)
    lag = highest - head
    return lag <= 0 if head < peak else lag <= MAX_LAG_BLOCKS


def hedge_delay(latencies: Sequence[float]) -> float:
    """After how many seconds without an answer a second endpoint is asked as well."""
    if len(latencies) < ANSWERS_TO_KNOW:
        return UNKNOWN_HEDGE
    percentile = sorted(latencies)[len(latencies) * 95 // 100]
    return min(max(percentile, SOONEST_HEDGE), LATEST_HEDGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """An endpoint as this process knows it; it is named by its place in the list, since its address may hold a key."""

    endpoint: int
    is_healthy: bool
    is_primary: bool
    faults: int
    head: int | None

    @property
    def needs_a_look(self) -> bool:
        """Whether it fails, or is behind. One that wasn't heard yet does neither."""
        return self.faults > 0 or (self.head is not None and not self.is_healthy)
