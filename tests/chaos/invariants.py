"""What must never break, asked from outside: one small function each, by its number in `docs/invariants.md`.

Each looks at a scene, the rows of some senders beside what the chain and the node know, and yields what is wrong.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.conf import settings

from devnet.faults import transaction
from devnet.faults.transaction import Transaction
from execution.domain.intent import LIFECYCLE, UNMINED, IntentStatus
from execution.models import Sender, TxIntent, TxReceipt, TxSend
from execution.models.send import Purpose
from trading.domain.mode import Book
from trading.models import Event, Signal

if TYPE_CHECKING:
    from tests.chaos.stand import Stand, Team

_STATES = {f"intent.{status.lower()}": status for status in IntentStatus}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Some senders' rows, as they are now, and what the chain and the node say of them."""

    senders: Sequence[Sender]
    intents: Sequence[TxIntent]
    sends: Sequence[TxSend]
    receipts: Sequence[TxReceipt]
    signals: Sequence[Signal]
    # In the order written.
    journal: Sequence[Event]
    # Of each send's hash: the chain's receipt, None without one.
    on_chain: dict[str, Any]
    # Of each sender's address: how many transactions the chain has mined.
    mined: dict[str, int]
    # What reached a node before it was stored.
    unstored: Sequence[dict[str, Any]]

    @cached_property
    def moves(self) -> dict[int, list[IntentStatus]]:
        """Of each intent: the states that it was moved to, in order."""
        moved: dict[int, list[IntentStatus]] = {intent.pk: [] for intent in self.intents}
        for event in self.journal:
            if event.kind in _STATES:
                moved[_subject(event)].append(_STATES[event.kind])
        return moved

    @cached_property
    def decoded(self) -> dict[int, Transaction | None]:
        """Of each send: what its bytes say."""
        return {send.pk: transaction.decode(send.raw) for send in self.sends}

    @cached_property
    def by_intent(self) -> dict[int, list[TxSend]]:
        """Of each intent: its sends, in order."""
        found: dict[int, list[TxSend]] = defaultdict(list)
        for send in self.sends:
            found[send.intent_id].append(send)
        return found


def scene(standing: Stand, team: Team) -> Scene:
    """A team's scene."""
    intents = list(TxIntent.objects.filter(sender__in=team.senders).select_related("sender").order_by("pk"))
    sends = list(TxSend.objects.filter(intent__in=intents).select_related("intent__sender").order_by("intent", "seq"))
    subjects = [f"txintent:{intent.pk}" for intent in intents] + [f"sender:{pk}" for pk in team.senders]
    hashes = [send.tx_hash for send in sends]
    receipts = standing.rpc.batch([("eth_getTransactionReceipt", (each,)) for each in hashes])
    counts = standing.rpc.batch([("eth_getTransactionCount", (each, "latest")) for each in team.addresses])
    return Scene(
        senders=list(Sender.objects.filter(pk__in=team.senders)),
        intents=intents,
        sends=sends,
        receipts=list(TxReceipt.objects.filter(send__in=sends)),
        signals=list(Signal.objects.filter(trader__in=team.traders)),
        journal=list(Event.objects.filter(subject__in=subjects).order_by("pk")),
        on_chain=dict(zip(hashes, receipts, strict=True)),
        mined=dict(zip(team.addresses, (int(count, 16) for count in counts), strict=True)),
        unstored=[each for each in standing.node.unstored() if each["sender"] in team.addresses],
    )


def one_mined_transaction(seen: Scene) -> Iterator[str]:
    """I1: at most one mined transaction for an intent on the canonical chain."""
    mined = Counter(send.intent_id for send in seen.sends if seen.on_chain[send.tx_hash] is not None)
    yield from (f"intent {pk} was mined {count} times" for pk, count in mined.items() if count > 1)


def one_nonce_for_life(seen: Scene) -> Iterator[str]:
    """I2: (sender, nonce) and intent are one to one, and that never changes."""
    given = [(_subject(event), event.facts["nonce"]) for event in seen.journal if "nonce" in event.facts]
    held = {intent.pk: intent.nonce for intent in seen.intents}
    yield from (f"intent {pk} got nonce {nonce} and holds {held.get(pk)}" for pk, nonce in given if held.get(pk) != nonce)
    times = Counter(pk for pk, _ in given)
    yield from (f"intent {pk} got a nonce {count} times" for pk, count in times.items() if count > 1)
    owners = Counter((intent.sender_id, intent.nonce) for intent in seen.intents if intent.nonce is not None)
    yield from (f"nonce {place} has {count} intents" for place, count in owners.items() if count > 1)


def stored_before_seen(seen: Scene) -> Iterator[str]:
    """I3: every hash seen by a node was committed before it first arrived there."""
    yield from (f"{each['hash']} (nonce {each['nonce']}) arrived before it was stored" for each in seen.unstored)


def bytes_say_their_row(seen: Scene) -> Iterator[str]:
    """I4: raw bytes decode to their row's sender, nonce and hash."""
    for send in seen.sends:
        read = seen.decoded[send.pk]
        row = (send.tx_hash, send.intent.sender.address, send.intent.nonce)
        if read is None or (read.hash, read.sender, read.nonce) != row:
            yield f"send {send.pk} says {read}, its row {row}"


def offers_rise(seen: Scene) -> Iterator[str]:
    """I5: offers of a nonce rise by a tenth on both fields, and never pass the ceiling."""
    for sends in seen.by_intent.values():
        for before, after in pairwise(sends):
            rises = [(before.fee_cap_wei, after.fee_cap_wei), (before.tip_cap_wei, after.tip_cap_wei)]
            if any(10 * high.raw < 11 * low.raw for low, high in rises):
                yield f"send {after.pk} offers less than a tenth more than {before.pk}"
        for send in sends:
            ceiling = send.intent.fee_ceiling_wei or send.intent.sender.fee_ceiling_wei
            if send.fee_cap_wei > ceiling or send.tip_cap_wei > send.fee_cap_wei:
                yield f"send {send.pk} offers {send.fee_cap_wei}, the ceiling is {ceiling}"


def paper_stays_paper(seen: Scene) -> Iterator[str]:
    """I6: PAPER intents have no nonce and no signature."""
    paper = [intent for intent in seen.intents if intent.book == Book.PAPER]
    yield from (f"PAPER intent {each.pk} was signed" for each in paper if each.nonce is not None or each.pk in seen.by_intent)


def failed_had_no_nonce(seen: Scene) -> Iterator[str]:
    """I7: FAILED means that no nonce was ever reserved."""
    failed = [intent for intent in seen.intents if intent.status == IntentStatus.FAILED]
    yield from (
        f"intent {each.pk} failed with nonce {each.nonce}" for each in failed if IntentStatus.SENDING in seen.moves[each.pk]
    )


def final_has_its_receipt(seen: Scene) -> Iterator[str]:
    """I8: FINAL means a receipt of an own hash, with status 1, in the block that the chain has."""
    kept = {receipt.send_id: receipt for receipt in seen.receipts if receipt.is_canonical and receipt.is_success}
    for intent in seen.intents:
        if intent.status == IntentStatus.FINAL and not any(_is_held(send, kept, seen) for send in seen.by_intent[intent.pk]):
            yield f"intent {intent.pk} is FINAL without a receipt that the chain has"


def _is_held(send: TxSend, kept: dict[int, TxReceipt], seen: Scene) -> bool:
    ours, theirs = kept.get(send.pk), seen.on_chain[send.tx_hash]
    return ours is not None and theirs is not None and (theirs["blockHash"], theirs["status"]) == (ours.block_hash, "0x1")


def ended_stays_ended(seen: Scene) -> Iterator[str]:
    """I9: nothing leaves a terminal state."""
    for pk, moves in seen.moves.items():
        if any(state in LIFECYCLE.terminal for state in moves[:-1]):
            yield f"intent {pk} went on after its end: {moves}"


def moves_are_journaled(seen: Scene) -> Iterator[str]:
    """I10: only moves of the table, each with its row in the journal."""
    for intent in seen.intents:
        way = [IntentStatus.CREATED, *seen.moves[intent.pk]]
        if len(way) - 1 != intent.version or way[-1] != intent.status:
            yield f"intent {intent.pk} is {intent.status} after {intent.version} moves, its journal says {way}"
        illegal = [pair for pair in pairwise(way) if not LIFECYCLE.allows(source=pair[0], target=pair[1])]
        yield from (f"intent {intent.pk} went {source} → {target}" for source, target in illegal)


def one_intent_for_each_key(seen: Scene) -> Iterator[str]:
    """I11: the same key gives the same signal and intent, however often it comes."""
    keys = Counter(signal.intent_key for signal in seen.signals) + Counter()
    owed = Counter(intent.idempotency_key for intent in seen.intents)
    yield from (f"{key} is there {count} times" for key, count in (keys | owed).items() if count > 1)


def stopped_senders_take_nothing(seen: Scene) -> Iterator[str]:
    """I12: a sender that is set aside gets no new nonce."""
    sender_of = {intent.pk: intent.sender_id for intent in seen.intents}
    stopped: set[int] = set()
    for event in seen.journal:
        if event.kind in ("sender.quarantined", "sender.paused", "sender.draining"):
            stopped.add(_subject(event))
        elif event.kind.startswith("sender."):
            stopped.discard(_subject(event))
        elif _STATES.get(event.kind) is IntentStatus.SENDING and "nonce" in event.facts and sender_of[_subject(event)] in stopped:
            yield f"sender {sender_of[_subject(event)]} was set aside and gave nonce {event.facts['nonce']}"


def flight_has_its_cap(seen: Scene) -> Iterator[str]:
    """I13: never more in flight than the sender's cap when a nonce is given."""
    cap = {sender.pk: sender.max_in_flight for sender in seen.senders}
    sender_of = {intent.pk: intent.sender_id for intent in seen.intents}
    flying: dict[int, set[int]] = defaultdict(set)
    for event in seen.journal:
        state = _STATES.get(event.kind)
        if state is None:
            continue
        up = flying[sender_of[_subject(event)]]
        (up.add if state in UNMINED else up.discard)(_subject(event))
        if "nonce" in event.facts and len(up) > cap[sender_of[_subject(event)]]:
            yield f"sender {sender_of[_subject(event)]} had {len(up)} in flight"


def bytes_are_for_our_chain(seen: Scene) -> Iterator[str]:
    """I16: the chain that the bytes name is the configured one."""
    named = {pk: read.chain_id for pk, read in seen.decoded.items() if read is not None}
    yield from (f"send {pk} is for chain {chain_id}" for pk, chain_id in named.items() if chain_id != settings.CHAIN_ID)


def nothing_signed_too_late(seen: Scene) -> Iterator[str]:
    """I17: after the deadline nothing is signed but cancellations."""
    for send in seen.sends:
        if send.purpose == Purpose.CALL and send.intent.is_late(at=send.created_at):
            yield f"send {send.pk} was signed at {send.created_at}, its deadline was {send.intent.deadline_at}"


def idle_nonces_agree(seen: Scene) -> Iterator[str]:
    """L2: where nothing is owed, the chain has mined exactly the nonces that we gave."""
    busy = {intent.sender_id for intent in seen.intents if intent.closed_at is None}
    for sender in seen.senders:
        if sender.pk not in busy and seen.mined[sender.address] != sender.next_nonce:
            yield f"sender {sender.pk} is idle: next nonce {sender.next_nonce}, mined {seen.mined[sender.address]}"


def open_rows_are_due(seen: Scene) -> Iterator[str]:
    """L7: whatever isn't at its end will be looked at."""
    yield from (f"intent {each.pk} waits for nothing" for each in seen.intents if not each.closed_at and not each.next_action_at)
    yield from (
        f"signal {each.pk} waits for nothing" for each in seen.signals if each.decided_at is None and not each.next_action_at
    )


INVARIANTS: dict[str, Callable[[Scene], Iterator[str]]] = {
    "I1": one_mined_transaction,
    "I2": one_nonce_for_life,
    "I3": stored_before_seen,
    "I4": bytes_say_their_row,
    "I5": offers_rise,
    "I6": paper_stays_paper,
    "I7": failed_had_no_nonce,
    "I8": final_has_its_receipt,
    "I9": ended_stays_ended,
    "I10": moves_are_journaled,
    "I11": one_intent_for_each_key,
    "I12": stopped_senders_take_nothing,
    "I13": flight_has_its_cap,
    "I16": bytes_are_for_our_chain,
    "I17": nothing_signed_too_late,
    "L2": idle_nonces_agree,
    "L7": open_rows_are_due,
}


def broken(seen: Scene) -> tuple[str, ...]:
    """What doesn't hold, each with its number."""
    return tuple(f"{number}: {words}" for number, look in INVARIANTS.items() for words in look(seen))


def _subject(event: Event) -> int:
    return int(re.sub(r"^\w+:", "", event.subject))
