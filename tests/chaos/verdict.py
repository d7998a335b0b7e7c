"""The verdict on a team's signals: counted on the chain, compared with the books, and the invariants beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from execution.domain.intent import LIFECYCLE, IntentStatus
from execution.models import TxIntent
from tests.chaos import invariants
from tests.fakes import venue

if TYPE_CHECKING:
    from tests.chaos.stand import Stand, Team

# Ends that say "it didn't happen".
_UNDONE = frozenset((IntentStatus.FAILED, IntentStatus.CANCELED, IntentStatus.EXPIRED, IntentStatus.REVERTED))
_ENDED = LIFECYCLE.terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How many signals were told and what became of them; `breaches` are the invariants that don't hold, in words.

    doubled: the chain counts it more than once
    lost: the chain doesn't count it, and our books don't say that it was given up
    falsely_failed: our books gave it up, whatever the chain counts
    unsettled: our books still owe something to it
    """

    signals: int = 0
    once: int = 0
    doubled: int = 0
    lost: int = 0
    falsely_failed: int = 0
    unsettled: int = 0
    breaches: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether each signal was executed exactly once, and everything else holds."""
        return self.once == self.signals and not (self.falsely_failed or self.unsettled or self.breaches)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})


def judge(standing: Stand, team: Team) -> Verdict:
    """The verdict on everything that a team was told."""
    intents = TxIntent.objects.filter(sender__in=team.senders).select_related("order__leg__decision__signal")
    signal_of = {intent.order.leg.decision.signal.signal_id: intent for intent in intents if intent.order}
    statuses = {
        told.chain_key: IntentStatus(signal_of[told.signal_id].status) if told.signal_id in signal_of else None
        for told in team.told
    }
    breaches = invariants.broken(invariants.scene(standing, team))
    return weigh(venue.count(standing.rpc, standing.counter, statuses), statuses, breaches=breaches)


def weigh(counted: Mapping[str, int], statuses: Mapping[str, IntentStatus | None], *, breaches: tuple[str, ...] = ()) -> Verdict:
    """What the chain counted for each key, against what the books say of it (None: they don't know it)."""
    undone = {key for key, status in statuses.items() if status in _UNDONE}
    return Verdict(
        signals=len(statuses),
        once=sum(counted[key] == 1 for key in statuses),
        doubled=sum(counted[key] > 1 for key in statuses),
        lost=sum(counted[key] == 0 and key not in undone for key in statuses),
        falsely_failed=len(undone),
        unsettled=sum(status not in _ENDED for status in statuses.values()),
        breaches=breaches,
    )
