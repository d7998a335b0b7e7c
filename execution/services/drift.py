"""Drift reports: a sender's rows against what every node says. Nothing is changed by asking."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from execution.desk import Desk
from execution.domain import drift, fees
from execution.domain.drift import Facts, Line, Nodes, Rows, Verdict
from execution.domain.intent import Blocked
from execution.models import Sender, TxIntent
from execution.models.send import SendState
from execution.services import nonces
from trading.kinds import step

# Gaps are looked for among so many of the newest nonces.
LOOK_BACK = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A sender as it stands, what was found, and every line that was made of it."""

    sender: Sender
    facts: Facts
    lines: tuple[Line, ...]

    @property
    def differences(self) -> tuple[Line, ...]:
        """The lines that won't mend by themselves."""
        return tuple(line for line in self.lines if line.verdict is Verdict.DIFFERS)

    @property
    def nonce_differences(self) -> tuple[Line, ...]:
        """Those of them that keep a sender in quarantine."""
        return tuple(line for line in self.differences if line.is_about_nonces)


@step
def report(*, sender_id: int, desk: Desk, at: datetime) -> Report:
    """Compare a sender's rows with what the nodes say.

    Raises:
        Unavailable: if no node answers.
    """
    # Our rows first: what the chain mines meanwhile is an advance of the chain, never of ours.
    sender = Sender.objects.get(pk=sender_id)
    facts = Facts(rows=_rows(sender, at=at), nodes=_nodes(sender, desk=desk))
    return Report(sender=sender, facts=facts, lines=drift.compare(facts))


def _rows(sender: Sender, *, at: datetime) -> Rows:
    lane = TxIntent.objects.of_lane(sender.pk)
    since = max(sender.next_nonce - LOOK_BACK, 0)
    open_ones = list(lane.unmined().order_by("nonce"))
    # What something else has used is never mined: it says nothing about how far we are.
    foreign = [intent for intent in open_ones if intent.blocked_reason == Blocked.NONCE]
    waiting = [intent for intent in open_ones if intent not in foreign]
    sent = set(lane.unmined().filter(sends__state=SendState.SENT).values_list("pk", flat=True))
    return Rows(
        next_nonce=sender.next_nonce,
        held=frozenset(nonce for nonce in lane.filter(nonce__gte=since).values_list("nonce", flat=True) if nonce is not None),
        since=since,
        lowest=next((intent.nonce for intent in waiting), None),
        lowest_waits=at - next((intent.reserved_at for intent in waiting if intent.reserved_at is not None), at),
        unsent=next((intent.nonce for intent in waiting if intent.pk not in sent), None),
        doubted=tuple(intent.intent_key for intent in waiting if intent.doubted_at_block is not None),
        foreign=tuple(intent.intent_key for intent in foreign),
        by_status=_counted(lane, "status"),
        by_reason=_counted(lane, "blocked_reason"),
        floor=sender.gas_floor_wei,
    )


def _counted(lane: QuerySet[TxIntent], column: str) -> dict[str, int]:
    return dict(lane.filter(closed_at=None).order_by().values_list(column).annotate(rows=Count("pk")))


def _nodes(sender: Sender, *, desk: Desk) -> Nodes:
    chain = desk.chain
    testimonies = chain.testimonies([], address=sender.address)
    _, pooled = chain.nonce(sender.address)
    offer = fees.first_offer(chain.fees(), ceiling=fees.call_ceiling(sender.fee_ceiling_wei))
    return Nodes(
        endpoints=chain.endpoints,
        mined={said.endpoint: said.mined for said in testimonies},
        pooled=pooled,
        balance=chain.balance(sender.address),
        promised=nonces.promised(sender, cap=offer.fee_cap),
    )
