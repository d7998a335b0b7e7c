"""The invariants of `docs/invariants.md`, each a question to the chain and to the database: what breaks it, in words.

`ALWAYS` holds after every step, `AT_REST` once faults have stopped and nothing is left to do.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from execution.domain.intent import LIFECYCLE, UNMINED, WITHOUT_NONCE, IntentStatus
from execution.models import TxSend
from execution.models.send import Purpose
from execution.models.sender import SenderStatus
from tests.fakes import transaction as transactions
from tests.machine.snapshot import Snapshot, is_call, is_ended, key_of
from tests.machine.stand import Broken, Stand
from trading.domain.mode import Book
from trading.domain.signal import SignalStatus

_S = IntentStatus
# What nodes demand of a replacement, on both fields: their rule, and no number of ours.
LEAST_BUMP = (11, 10)
Breaches = Iterator[str]
Invariant = Callable[[Stand, Snapshot, Snapshot], Breaches]


def one_transaction_is_mined_for_an_intent(stand: Stand, _: Snapshot, now: Snapshot) -> Breaches:
    """I1."""
    owners = {send.tx_hash: send.intent_id for send in now.sends}
    mined = Tally(owners[found.transaction.tx_hash] for found in stand.ledger.mined())
    yield from (f"intent {pk} is mined {count} times" for pk, count in mined.items() if count > 1)
    yield from (f"{key} is executed {count} times" for key, count in stand.ledger.effects().items() if count > 1)


def a_nonce_is_bound_for_life(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I2."""
    for pk, intent in before.intents.items():
        if intent.nonce is not None and now.intents[pk].nonce != intent.nonce:
            yield f"intent {pk} had nonce {intent.nonce} and has {now.intents[pk].nonce}"
    held = Tally((intent.sender_id, intent.nonce) for intent in now.intents.values() if intent.nonce is not None)
    yield from (f"nonce {place} belongs to {count} intents" for place, count in held.items() if count > 1)


def what_a_node_saw_was_stored(stand: Stand, _: Snapshot, now: Snapshot) -> Breaches:
    """I3; that it was stored before, the stand asks at each arrival."""
    stored = {send.tx_hash: send.created_at for send in now.sends}
    for tx_hash, arrived_at in stand.ledger.arrivals.items():
        if tx_hash not in stored or stored[tx_hash] > arrived_at:
            yield f"{tx_hash} arrived at {arrived_at} and was stored at {stored.get(tx_hash)}"


def bytes_say_what_their_row_says(stand: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I4, I15 and I16: sender, nonce, target and chain."""
    for send in _new_sends(before, now):
        intent, said = now.intents[send.intent_id], transactions.read(send.raw)
        own = intent.sender.address.lower()
        wanted = (own, intent.nonce, stand.ledger.chain_id, intent.target.lower() if is_call(send) else own, send.tx_hash)
        if (said.sender, said.nonce, said.chain_id, said.target, said.tx_hash) != wanted:
            yield f"send {send.pk} isn't what its row says"
        if is_call(send) and said.target != stand.ledger.counter.address:
            yield f"send {send.pk} calls {said.target}"


def offers_rise_and_stay_below_the_ceiling(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I5."""
    for send in _new_sends(before, now):
        sends = [each for each in now.sends_of(send.intent_id) if each.seq <= send.seq]
        for lower, higher in pairwise(sends):
            if not _is_raised(lower, higher):
                yield f"send {higher.pk} offers too little more than {lower.pk}"
        ceiling = now.senders[now.intents[send.intent_id].sender_id].fee_ceiling_wei
        if send.fee_cap_wei > ceiling:
            yield f"send {send.pk} offers {send.fee_cap_wei}, the ceiling is {ceiling}"


def _is_raised(lower: TxSend, higher: TxSend) -> bool:
    pairs = ((lower.fee_cap_wei, higher.fee_cap_wei), (lower.tip_cap_wei, higher.tip_cap_wei))
    return all(more >= less.times_up(*LEAST_BUMP) for less, more in pairs)


def paper_never_reaches_a_node(_: Stand, __: Snapshot, now: Snapshot) -> Breaches:
    """I6."""
    paper = {pk for pk, intent in now.intents.items() if intent.book == Book.PAPER}
    yield from (f"paper intent {pk} has a nonce" for pk in paper if now.intents[pk].nonce is not None)
    yield from (f"paper intent {send.intent_id} has a send" for send in now.sends if send.intent_id in paper)


def failed_means_never_a_nonce(_: Stand, __: Snapshot, now: Snapshot) -> Breaches:
    """I7."""
    for pk, intent in now.intents.items():
        if IntentStatus(intent.status) in WITHOUT_NONCE and (intent.nonce is not None or now.sends_of(pk)):
            yield f"intent {pk} is {intent.status} with nonce {intent.nonce}"


def an_end_on_the_chain_is_what_the_chain_says(stand: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I8 and I18: whatever one node said, final, reverted and canceled are proven by a receipt of an own hash."""
    view = stand.ledger.view()
    for pk, intent in now.intents.items():
        if not is_ended(intent) or intent.nonce is None or _had_ended(before, pk):
            continue
        truth = next(((send, found) for send in now.sends_of(pk) if (found := view.receipt(send.tx_hash))), None)
        kept = {(receipt.send_id, receipt.block_hash) for receipt in now.receipts}
        if truth is None or (truth[0].pk, truth[1].block_hash) not in kept:
            yield f"intent {pk} is {intent.status}, and the chain has no receipt of it that we keep"
        elif intent.status != _end(truth[0], is_success=truth[1].is_success):
            yield f"intent {pk} is {intent.status}, and the chain says otherwise"


def _end(send: TxSend, *, is_success: bool) -> IntentStatus:
    if send.purpose == Purpose.CANCELLATION:
        return _S.CANCELED
    return _S.FINAL if is_success else _S.REVERTED


def _had_ended(before: Snapshot, pk: int) -> bool:
    return pk in before.intents and is_ended(before.intents[pk])


def what_ended_stays(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I9."""
    for pk, intent in before.intents.items():
        if is_ended(intent) and now.intents[pk].status != intent.status:
            yield f"intent {pk} was {intent.status} and is {now.intents[pk].status}"


def every_move_is_of_the_table_and_written_down(_: Stand, __: Snapshot, now: Snapshot) -> Breaches:
    """I10."""
    for pk, intent in now.intents.items():
        way = [str(_S.CREATED), *now.moves.get(pk, ())]
        strange = [(a, b) for a, b in pairwise(way) if _S(b) not in LIFECYCLE.moves[_S(a)]]
        if strange or way[-1] != intent.status or len(way) != intent.version + 1:
            yield f"intent {pk} is {intent.status}, version {intent.version}, and went {way}"


def an_effect_is_owed_once(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I11: nothing that was asked changes; one intent for a leg, one leg for a close or an open."""
    for old, new in zip(before.signals, now.signals, strict=False):
        if (old.signal_id, old.fingerprint, old.body) != (new.signal_id, new.fingerprint, new.body):
            yield f"signal {old.signal_id} is another one now"
    yield from (f"{key} twice" for key, count in Tally(each.intent_key for each in now.signals).items() if count > 1)
    live = [intent for intent in now.intents.values() if intent.book == Book.LIVE and intent.order.action == "OPEN"]
    yield from (f"{key} is owed twice" for key, count in Tally(key_of(intent) for intent in live).items() if count > 1)


def a_sender_that_isnt_active_gets_no_nonce(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I12."""
    for pk, sender in before.senders.items():
        if sender.status != SenderStatus.ACTIVE and now.senders[pk].next_nonce != sender.next_nonce:
            yield f"sender {pk} was {sender.status} and gave a nonce"


def no_more_are_in_flight_than_may_be(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I13; a reorganization can put more back in flight, but then nothing new goes out."""
    for pk, sender in now.senders.items():
        flying = sum(intent.sender_id == pk and intent.status in UNMINED for intent in now.intents.values())
        if sender.next_nonce != before.senders[pk].next_nonce and flying > sender.max_in_flight:
            yield f"sender {pk} has {flying} in flight of {sender.max_in_flight}"


def nothing_new_is_signed_late_or_stopped(_: Stand, before: Snapshot, now: Snapshot) -> Breaches:
    """I17; the mode doesn't change within a step."""
    if now.signed != before.signed and not (before.may_sign and now.may_sign):
        yield f"{now.signed - before.signed} calls were signed while nothing may be"
    for send in _new_sends(before, now):
        if is_call(send) and now.intents[send.intent_id].is_late(at=send.created_at):
            yield f"send {send.pk} was signed after its deadline"


def nobody_else_uses_a_key(_: Stand, __: Snapshot, now: Snapshot) -> Breaches:
    """I18: only foreign use sets a sender aside, there is none here, and one node that claims it proves nothing."""
    for pk, sender in now.senders.items():
        if sender.status == SenderStatus.QUARANTINED:
            yield f"sender {pk} is in quarantine: {sender.status_reason}"


def what_was_read_is_the_chain(stand: Stand, _: Snapshot, now: Snapshot) -> Breaches:
    """I19, without a venue: as far as it was read, blocks and receipts are those of a fresh look at the chain."""
    view, read = stand.ledger.view(), now.cursor.number
    if not view.has(number=read, block_hash=now.cursor.hash):
        return
    for number, kept in now.blocks.items():
        if not view.has(number=number, block_hash=kept):
            yield f"block {number} isn't the chain's"
    for receipt in now.receipts:
        if receipt.block_number <= read and not view.has(number=receipt.block_number, block_hash=receipt.block_hash):
            yield f"receipt {receipt.pk} stands in block {receipt.block_number} that is gone"


def whoever_waits_is_due(_: Stand, __: Snapshot, now: Snapshot) -> Breaches:
    """L7."""
    yield from (f"intent {pk} waits for ever" for pk, each in now.intents.items() if is_ended(each) == bool(each.next_action_at))
    taken = {intent.order.leg_id for intent in now.intents.values()}
    yield from (f"leg {leg.pk} waits for ever" for leg in now.legs if (leg.pk in taken) == bool(leg.next_action_at))
    for signal in now.signals:
        if (signal.status == SignalStatus.RECEIVED) != bool(signal.next_action_at):
            yield f"signal {signal.signal_id} is {signal.status}, due {signal.next_action_at}"


def nonces_are_all_used(stand: Stand, _: Snapshot, now: Snapshot) -> Breaches:
    """L2."""
    for sender in now.senders.values():
        if stand.ledger.nonce(sender.address) != sender.next_nonce:
            yield f"{sender}: the chain counts {stand.ledger.nonce(sender.address)}, we {sender.next_nonce}"


def what_isnt_refused_is_executed_once(stand: Stand, _: Snapshot, now: Snapshot) -> Breaches:
    """L1 and L5: final is executed once, everything else never, and each approved signal has an intent that ended."""
    wanted = Tally(key_of(intent) for intent in now.intents.values() if intent.status == _S.FINAL)
    if wanted != stand.ledger.effects():
        yield f"final: {dict(wanted)}; on the chain: {dict(stand.ledger.effects())}"
    yield from (f"intent {pk} is {intent.status}" for pk, intent in now.intents.items() if not is_ended(intent))
    owing = Tally(leg.decision_id for leg in now.legs)
    approved = sum(signal.status == SignalStatus.APPROVED for signal in now.signals)
    if len(owing) != approved or len(now.legs) != len(now.intents):
        yield f"{approved} approved signals, {len(now.legs)} legs, {len(now.intents)} intents"


def _new_sends(before: Snapshot, now: Snapshot) -> list[TxSend]:
    known = {send.pk for send in before.sends}
    return [send for send in now.sends if send.pk not in known]


ALWAYS: Mapping[str, Invariant] = {
    "I1": one_transaction_is_mined_for_an_intent,
    "I2": a_nonce_is_bound_for_life,
    "I3": what_a_node_saw_was_stored,
    "I4, I15, I16": bytes_say_what_their_row_says,
    "I5": offers_rise_and_stay_below_the_ceiling,
    "I6": paper_never_reaches_a_node,
    "I7": failed_means_never_a_nonce,
    "I8, I18": an_end_on_the_chain_is_what_the_chain_says,
    "I9": what_ended_stays,
    "I10": every_move_is_of_the_table_and_written_down,
    "I11": an_effect_is_owed_once,
    "I12": a_sender_that_isnt_active_gets_no_nonce,
    "I13": no_more_are_in_flight_than_may_be,
    "I17": nothing_new_is_signed_late_or_stopped,
    "I18": nobody_else_uses_a_key,
    "I19": what_was_read_is_the_chain,
    "L7": whoever_waits_is_due,
}
AT_REST: Mapping[str, Invariant] = {"L2": nonces_are_all_used, "L1, L5": what_isnt_refused_is_executed_once}


def check(invariants: Mapping[str, Invariant], stand: Stand, *, before: Snapshot, now: Snapshot) -> None:
    """Pass if all of them hold.

    Raises:
        Broken: naming those that don't.
    """
    breaches = [f"{number}: {breach}" for number, holds in invariants.items() for breach in holds(stand, before, now)]
    if breaches:
        raise Broken("; ".join(breaches))
