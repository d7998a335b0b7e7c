"""Drift: where a sender's rows and the chain disagree. Each rule reads the same facts and says one line or more."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from execution.domain.finality import WITNESSES
from execution.domain.intent import Blocked
from trading.domain.units import Wei

# A nonce that waits longer than this is worth a look; on Base it is thirty blocks.
LONG = timedelta(seconds=60)
# So many missing nonces are named; more are counted.
_NAMED = 10


class Verdict(StrEnum):
    """What a line means for a person."""

    OK = "ok"
    WATCH = "watch"  # it may pass by itself: look again
    DIFFERS = "differs"  # it won't


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was compared. A sender isn't released while a line about its nonces differs."""

    name: str
    value: str
    expected: str
    verdict: Verdict
    is_about_nonces: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What our rows say about a sender.

    `held` are the nonces of its intents as far back as gaps are looked for (`since`). `lowest` is the lowest nonce
    that is still to be mined, `unsent` the lowest of which no node can have bytes; None: there is none.
    """

    next_nonce: int
    held: frozenset[int]
    since: int
    lowest: int | None
    lowest_waits: timedelta
    unsent: int | None
    doubted: tuple[str, ...]
    foreign: tuple[str, ...]
    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    floor: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """What the nodes say: each one's own count of what is mined, one's count with its pool, and the money.

    `promised` is what everything in flight may cost at the present price.
    """

    endpoints: int
    mined: Mapping[int, int]
    pooled: int
    balance: Wei
    promised: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Both sides of what is compared."""

    rows: Rows
    nodes: Nodes


Rule = Callable[[Facts], Iterable[Line]]


def nodes(facts: Facts) -> Iterable[Line]:
    """Enough nodes answer, and none is left out for being behind."""
    needed = min(facts.nodes.endpoints, WITNESSES)
    verdict = Verdict.OK if len(facts.nodes.mined) == facts.nodes.endpoints else Verdict.WATCH
    verdict = verdict if len(facts.nodes.mined) >= needed else Verdict.DIFFERS
    value = f"{len(facts.nodes.mined)} of {facts.nodes.endpoints} answer"
    yield Line(name="nodes", value=value, expected=f"at least {needed}", verdict=verdict)


def mined(facts: Facts) -> Iterable[Line]:
    """Each node has mined what we know to be mined, and nothing that we didn't send."""
    least = facts.rows.next_nonce if facts.rows.lowest is None else facts.rows.lowest
    for endpoint, count in facts.nodes.mined.items():
        verdict = Verdict.OK if count >= least else Verdict.WATCH
        verdict = Verdict.DIFFERS if count > facts.rows.next_nonce else verdict
        expected = str(least) if least == facts.rows.next_nonce else f"{least} to {facts.rows.next_nonce}"
        yield Line(name=f"mined, by node {endpoint}", value=str(count), expected=expected, verdict=verdict)


def pooled(facts: Facts) -> Iterable[Line]:
    """The pool holds what we sent and nothing above: more are sends that a node knows and we don't."""
    least = facts.rows.next_nonce if facts.rows.unsent is None else facts.rows.unsent
    verdict = Verdict.OK if facts.nodes.pooled >= least else Verdict.WATCH
    verdict = Verdict.DIFFERS if facts.nodes.pooled > facts.rows.next_nonce else verdict
    expected = str(least) if least == facts.rows.next_nonce else f"{least} to {facts.rows.next_nonce}"
    yield Line(name="mined and in the pool", value=str(facts.nodes.pooled), expected=expected, verdict=verdict)


def gaps(facts: Facts) -> Iterable[Line]:
    """Every nonce from the chain's count to ours belongs to an intent; one that doesn't stops all above it."""
    first = max(min(facts.nodes.mined.values(), default=facts.nodes.pooled), facts.rows.since)
    missing = [nonce for nonce in range(first, facts.rows.next_nonce) if nonce not in facts.rows.held]
    named = ", ".join(map(str, missing[:_NAMED])) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
    yield Line(name="gaps", value=named or "none", expected="none", verdict=Verdict.DIFFERS if missing else Verdict.OK)


def lowest(facts: Facts) -> Iterable[Line]:
    """The lowest open nonce is mined soon."""
    nonce, waits = facts.rows.lowest, facts.rows.lowest_waits
    value = "none" if nonce is None else f"{nonce}, since {round(waits.total_seconds())} s"
    verdict = Verdict.WATCH if nonce is not None and waits > LONG else Verdict.OK
    yield Line(name="lowest open nonce", value=value, expected=f"mined within {round(LONG.total_seconds())} s", verdict=verdict)


def doubts(facts: Facts) -> Iterable[Line]:
    """No node calls a nonce used without showing a transaction of ours."""
    for name, keys, loud in (
        ("in doubt", facts.rows.doubted, Verdict.WATCH),
        ("used by something else", facts.rows.foreign, Verdict.DIFFERS),
    ):
        verdict = loud if keys else Verdict.OK
        yield Line(name=f"nonces {name}", value=", ".join(keys) or "none", expected="none", verdict=verdict)


def purse(facts: Facts) -> Iterable[Line]:
    """The balance pays the floor and everything in flight."""
    needed = facts.rows.floor + facts.nodes.promised
    verdict = Verdict.OK if facts.nodes.balance >= needed else Verdict.DIFFERS
    expected = f"at least {needed} wei: {facts.rows.floor} floor, {facts.nodes.promised} promised"
    yield Line(name="balance", value=f"{facts.nodes.balance} wei", expected=expected, verdict=verdict, is_about_nonces=False)


def waiting(facts: Facts) -> Iterable[Line]:
    """What is open, and what it waits for."""
    reasons = {reason: count for reason, count in facts.rows.by_reason.items() if reason != Blocked.NONE}
    for name, counts, verdict in (
        ("open intents", facts.rows.by_status, Verdict.OK),
        ("waiting for", reasons, Verdict.WATCH if reasons else Verdict.OK),
    ):
        said = ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))
        yield Line(name=name, value=said or "none", expected="any", verdict=verdict, is_about_nonces=False)


RULES: tuple[Rule, ...] = (nodes, mined, pooled, gaps, lowest, doubts, purse, waiting)


def compare(facts: Facts, *, rules: tuple[Rule, ...] = RULES) -> tuple[Line, ...]:
    """Every rule's lines, in the order of the rules."""
    return tuple(line for rule in rules for line in rule(facts))


def is_count_proven(facts: Facts, *, count: int) -> bool:
    """Whether enough nodes have mined exactly this many, none more, and the pool holds nothing above."""
    agreeing = sum(said == count for said in facts.nodes.mined.values())
    is_highest = all(said <= count for said in facts.nodes.mined.values()) and facts.nodes.pooled == count
    return agreeing >= min(facts.nodes.endpoints, WITNESSES) and is_highest
