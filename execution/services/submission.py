"""Submission: reserve, sign, store, broadcast, conclude.

The process may die between any two of these; the next drain finds the row in its state and takes the
same next step with the same function. There is no separate recovery code.
"""

from datetime import datetime, timedelta

import pgbulk

from execution import locks
from execution.desk import Clock, Desk
from execution.domain import window
from execution.domain.broadcast import Answer, Meaning
from execution.domain.intent import Blocked, IntentStatus
from execution.domain.window import Window
from execution.models import Sender, TxIntent, TxSend
from execution.models.send import Purpose, SendState
from execution.models.sender import SenderStatus
from execution.services import intents, nonces, offers
from execution.services.intents import Move
from trading.domain.mode import Book
from trading.kinds import piece, step, write
from trading.lanes import Lease
from trading.services import journal, mode

BATCH = 100
FUNDS = "not enough gas money"
_PAUSE = timedelta(seconds=1)
_FUNDS_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE_SECONDS = 60


@step
def submit_due(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    """Give nonces to what is built, and bring everything that holds one onto the wire."""
    _reserve(lease, desk=desk, clock=clock)
    while offers.sign_due(lease, desk=desk, clock=clock):
        _broadcast(lease, desk=desk, clock=clock)
    _broadcast(lease, desk=desk, clock=clock)


@step
def _broadcast(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    while ready := _ready_sends(lease, at=clock()):
        # Right before the wire: a holder that slept too long must not speak.
        lease.renew()
        answers = desk.chain.broadcast([send.raw for send in ready])
        _conclude(lease, dict(zip((send.pk for send in ready), answers, strict=True)), at=clock())
        if len(ready) < BATCH:
            return


@step
def _reserve(lease: Lease, *, desk: Desk, clock: Clock) -> None:
    built = TxIntent.objects.of_lane(lease.pk).due(at=clock()).filter(status=IntentStatus.BUILT, book=Book.LIVE)
    sizes = [len(data) // 2 for data in built.values_list("calldata", flat=True)]
    if not sizes:
        return
    address = Sender.objects.values_list("address", flat=True).get(pk=lease.pk)
    quote, balance = desk.chain.fees(), desk.chain.balance(address)
    (l1_fee,) = desk.chain.l1_fees([max(sizes)])
    asked_at = clock()
    effective = mode.current(switch=desk.switch, at=asked_at)
    lease.renew()
    nonces.reserve(
        lease,
        effective=effective,
        asked_at=asked_at,
        has_key=desk.signer_of(address) is not None,
        purse=nonces.Purse(quote=quote, balance=balance, l1_fee=l1_fee),
        at=clock(),
    )


@write
def _ready_sends(lease: Lease, *, at: datetime) -> list[TxSend]:
    """The stored bytes to go out now, in nonce order; those above a nonce that isn't on the wire wait for it."""
    locks.sender(lease)
    unmined = TxIntent.objects.of_lane(lease.pk).unmined()
    offered = TxSend.objects.filter(state__in=[SendState.READY, SendState.SENT])
    bare = unmined.exclude(pk__in=offered.values("intent_id")).order_by("nonce").values_list("nonce", flat=True).first()
    ready = TxSend.objects.filter(state=SendState.READY, intent__in=unmined.due(at=at)).select_related("intent")
    sends = list(ready.order_by("intent__nonce")[:BATCH])
    held = [send.intent_id for send in sends if bare is not None and (send.intent.nonce or 0) > bare]
    if held:
        intents.block(locks.intents(held), Blocked.LOWER_NONCE, at=at, pause=_PAUSE)
    return [send for send in sends if send.intent_id not in held]


@write
def _conclude(lease: Lease, answers: dict[int, Answer], *, at: datetime) -> None:
    sender = locks.sender(lease)
    sends = {send.intent_id: send for send in TxSend.objects.filter(pk__in=answers)}
    locked = locks.intents(sends)
    others = TxSend.objects.filter(intent__in=sends, state=SendState.SENT).exclude(pk__in=answers)
    live = set(others.values_list("intent_id", flat=True))
    verdicts = [_verdict(intent, sends[intent.pk], answers, is_live=intent.pk in live, at=at) for intent in locked]
    for send in sends.values():
        _note(send, answers[send.pk], at=at)
    pgbulk.update(TxSend, list(sends.values()), ["state", "first_sent_at", "last_sent_at", "times_sent", "last_answer"])
    _carry_out(verdicts, at=at)
    _learn(sender, [answer.meaning for answer in answers.values()], at=at)


def _note(send: TxSend, answer: Answer, *, at: datetime) -> None:
    send.first_sent_at = send.first_sent_at or at
    send.last_sent_at = at
    send.times_sent += 1
    send.last_answer = answer.text


# The answers after which some node has the bytes, or may have them. Unknown is never "failed".
POSSIBLY_LIVE = frozenset((Meaning.ACCEPTED, Meaning.CONSUMED, Meaning.UNKNOWN))
# Surely refused for a reason that a new offer for the same nonce mends.
_MENDED_BY_OFFER = {
    Meaning.SIBLING_LIVE: Blocked.FEES,
    Meaning.UNDERPRICED: Blocked.FEES,
    Meaning.FATAL: Blocked.CONTENT,
}
# Surely refused for a reason that passes by itself: the same bytes go again.
_PASSING = {Meaning.BACKPRESSURE: Blocked.BACKPRESSURE, Meaning.FUNDS: Blocked.FUNDS}

Verdict = tuple[TxIntent, IntentStatus, Blocked, timedelta, dict[str, object]]


def _verdict(intent: TxIntent, send: TxSend, answers: dict[int, Answer], *, is_live: bool, at: datetime) -> Verdict:
    """What an answer means for a send and its intent. `is_live`: some node may hold an older offer for the same nonce."""
    answer = answers[send.pk]
    facts: dict[str, object] = {"tx_hash": send.tx_hash, "answer": answer.meaning, "seq": send.seq}
    if answer.meaning in POSSIBLY_LIVE:
        send.state = SendState.SENT
        return intent, IntentStatus.SENT, Blocked.NONE, _PAUSE, facts
    if answer.meaning in _MENDED_BY_OFFER:
        send.state = SendState.REFUSED
        if answer.meaning is Meaning.FATAL and not is_live:
            intent.cancel_reason = intent.cancel_reason or f"CONTENT_REFUSED: {answer.text}"[:200]
        pause = timedelta(seconds=min(2 ** (send.seq - 1), _LONGEST_PAUSE_SECONDS))
        return intent, _refused(intent), _MENDED_BY_OFFER[answer.meaning], pause, facts
    if send.purpose == Purpose.CALL and intent.is_late(at=at) and not is_live:
        # No node has it, and its time has passed: a cancellation takes its place.
        send.state = SendState.REFUSED
    return intent, _refused(intent), _PASSING[answer.meaning], _spread(intent, answer.meaning), facts


def _refused(intent: TxIntent) -> IntentStatus:
    """Where an intent stands after a refusal: one with an older offer on the wire goes on trying to offer more."""
    is_raising = intent.status == IntentStatus.RBF_PENDING
    return IntentStatus.RBF_PENDING if is_raising else IntentStatus.RETRYING


def _spread(intent: TxIntent, meaning: Meaning) -> timedelta:
    """A pause that differs from nonce to nonce, the lower ones first, so that they don't all come back at once."""
    base = _FUNDS_PAUSE if meaning is Meaning.FUNDS else _PAUSE
    return base * (1 + (intent.nonce or 0) % 8 / 8)


@piece
def _carry_out(verdicts: list[Verdict], *, at: datetime) -> None:
    moves = [
        Move(intent=intent, target=target, due=pause, facts=facts)
        for intent, target, _, pause, facts in verdicts
        if intent.status != target
    ]
    intents.move_all(moves, at=at)
    pgbulk.update(TxIntent, [intent for intent, *_ in verdicts if intent.cancel_reason], ["cancel_reason"])
    waiting: dict[tuple[Blocked, timedelta], list[TxIntent]] = {}
    for intent, _, reason, pause, _ in verdicts:
        if reason:
            waiting.setdefault((reason, pause), []).append(intent)
    for (reason, pause), together in waiting.items():
        intents.block(together, reason, at=at, pause=pause)


@piece
def _learn(sender: Sender, meanings: list[Meaning], *, at: datetime) -> None:
    """What the answers say about the sender: that its window is too wide, that its purse is empty."""
    if Meaning.BACKPRESSURE in meanings:
        narrow = window.narrowed(Window(size=sender.window_size, threshold=sender.window_threshold))
        sender.window_size, sender.window_threshold = narrow.size, narrow.threshold
        sender.save(update_fields=["window_size", "window_threshold"])
    if Meaning.FUNDS in meanings and sender.status == SenderStatus.ACTIVE:
        sender.status, sender.status_reason = SenderStatus.DRAINING, FUNDS
        sender.save(update_fields=["status", "status_reason"])
        journal.record("sender.draining", sender, at=at, reason=FUNDS)


@write
def note_resent(lease: Lease, answers: dict[int, Answer], *, at: datetime) -> None:
    """Write down that stored bytes went out again; whatever the answer, only a receipt ends a send."""
    locks.sender(lease)
    sends = list(TxSend.objects.filter(pk__in=answers))
    for send in sends:
        _note(send, answers[send.pk], at=at)
    pgbulk.update(TxSend, sends, ["first_sent_at", "last_sent_at", "times_sent", "last_answer"])
