"""What the database says at one moment, read in a few queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from execution.domain.intent import LIFECYCLE, IntentStatus
from execution.models import ChainBlock, Cursor, Sender, TxIntent, TxReceipt, TxSend
from execution.models.send import Purpose
from risk.models import Leg
from tests.fakes.venue import close_key, open_key
from tests.machine.stand import Stand
from trading.models import Event, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The rows that the invariants are about. `moves` is each intent's way by the journal; `signed` counts signed calls."""

    at: datetime
    may_sign: bool
    signed: int
    intents: Mapping[int, TxIntent]
    sends: Sequence[TxSend]
    receipts: Sequence[TxReceipt]
    senders: Mapping[int, Sender]
    signals: Sequence[Signal]
    legs: Sequence[Leg]
    cursor: Cursor
    blocks: Mapping[int, str]
    moves: Mapping[int, Sequence[str]]
    last_event: int

    def sends_of(self, intent_id: int) -> list[TxSend]:
        """An intent's offers in their order."""
        return [send for send in self.sends if send.intent_id == intent_id]


def take(stand: Stand, *, before: Snapshot | None) -> Snapshot:
    """How things stand now; the journal is read from where `before` ended."""
    events = Event.objects.filter(pk__gt=before.last_event if before else 0).order_by("pk")
    fresh = list(events.values_list("pk", "kind", "subject"))
    return Snapshot(
        at=stand.ledger.time,
        may_sign=stand.may_sign,
        signed=sum(call.target != signer.address for signer in stand.signers for call in signer.signed),
        intents=TxIntent.objects.select_related("order", "sender").in_bulk(),
        sends=list(TxSend.objects.order_by("intent_id", "seq")),
        receipts=list(TxReceipt.objects.filter(is_canonical=True)),
        senders=Sender.objects.in_bulk(),
        signals=list(Signal.objects.order_by("pk")),
        legs=list(Leg.objects.order_by("pk")),
        cursor=Cursor.objects.get(),
        blocks=dict(ChainBlock.objects.canonical().values_list("number", "hash")),
        moves=_moves(fresh, before=before.moves if before else {}),
        last_event=fresh[-1][0] if fresh else (before.last_event if before else 0),
    )


_MOVES = {f"intent.{status.lower()}": str(status) for status in IntentStatus}


def _moves(events: Sequence[tuple[int, str, str]], *, before: Mapping[int, Sequence[str]]) -> dict[int, list[str]]:
    moves: defaultdict[int, list[str]] = defaultdict(list, {pk: list(way) for pk, way in before.items()})
    for _, kind, subject in events:
        if kind in _MOVES:
            moves[int(subject.removeprefix("txintent:"))].append(_MOVES[kind])
    return dict(moves)


def key_of(intent: TxIntent) -> str:
    """What an intent's call counts on the chain."""
    key = open_key if intent.order.action == "OPEN" else close_key
    return key(intent.order.collateral_usdc)


def is_ended(intent: TxIntent) -> bool:
    """Whether nothing is owed to an intent anymore."""
    return IntentStatus(intent.status) in LIFECYCLE.terminal


def is_call(send: TxSend) -> bool:
    """Whether an offer is for the call itself, and no cancellation."""
    return send.purpose == Purpose.CALL
