"""The machine's own proof: each break of a promise is found within few runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from execution.domain import fees
from execution.domain.broadcast import Answer, Meaning
from execution.models import TxSend
from execution.services import nonces, offers, submission, watching
from tests.machine import running
from tests.machine.stand import Broken

RUNS = 40
Patch = pytest.MonkeyPatch


@contextmanager
def _without_triggers() -> Iterator[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def broadcast_before_it_is_stored(patch: Patch) -> None:
    sign_due, record = offers.sign_due, offers._record

    def signing(lease: Any, *, desk: Any, clock: Any) -> None:
        def too_late(lease: Any, signed: list[TxSend], **rest: Any) -> None:
            desk.chain.broadcast([send.raw for send in signed])
            record(lease, signed, **rest)

        patch.setattr(offers, "_record", too_late)
        sign_due(lease, desk=desk, clock=clock)

    patch.setattr(offers, "sign_due", signing)


def _after_an_answer(patch: Patch, meaning: Meaning, statement: str) -> None:
    note = submission._note

    def noting(send: TxSend, answer: Answer, *, at: datetime) -> None:
        note(send, answer, at=at)
        if answer.meaning is meaning:
            with _without_triggers() as cursor:
                cursor.execute(statement, {"intent": send.intent_id, "at": at})

    patch.setattr(submission, "_note", noting)


def another_nonce_after_nonce_too_low(patch: Patch) -> None:
    statement = """
        UPDATE tx_intents SET nonce = senders.next_nonce FROM senders WHERE senders.id = sender_id AND tx_intents.id = %(intent)s;
        UPDATE senders SET next_nonce = next_nonce + 1 WHERE id = (SELECT sender_id FROM tx_intents WHERE id = %(intent)s)
    """
    _after_an_answer(patch, Meaning.CONSUMED, statement)


def given_up_after_silence(patch: Patch) -> None:
    note_resent = submission.note_resent

    def noting(lease: Any, answers: dict[int, Answer], *, at: datetime) -> None:
        note_resent(lease, answers, at=at)
        silent = [pk for pk, answer in answers.items() if answer.meaning is Meaning.UNKNOWN]
        given_up = list(TxSend.objects.filter(pk__in=silent).values_list("intent_id", flat=True))
        with _without_triggers() as cursor:
            cursor.execute(
                "UPDATE tx_intents SET status = 'CANCELED', failure_code = 'TIMEOUT', closed_at = %s, next_action_at = NULL"
                " WHERE id = ANY(%s)",
                [at, given_up],
            )

    patch.setattr(submission, "note_resent", noting)


def only_the_last_send_is_looked_up(patch: Patch) -> None:
    watched = watching._watched
    patch.setattr(
        watching, "_watched", lambda lease, *, at: list({send.intent_id: send for send in watched(lease, at=at)}.values())
    )


def a_reorganization_takes_nothing_back(patch: Patch) -> None:
    patch.setattr(watching, "take_back", lambda *_, **__: None)


def bumped_by_five_percent(patch: Patch) -> None:
    for name in ("BUMP", "STEEP_BUMP", "LEAST_BUMP"):
        patch.setattr(fees, name, (21, 20))


def the_window_is_open(patch: Patch) -> None:
    patch.setattr(nonces, "free_places", lambda _: 99)


BREAKS: dict[Callable[[Patch], None], str] = {
    broadcast_before_it_is_stored: "I3",
    another_nonce_after_nonce_too_low: "I2",
    given_up_after_silence: "I8",
    only_the_last_send_is_looked_up: "I18|L1",
    a_reorganization_takes_nothing_back: "I19",
    bumped_by_five_percent: "I5",
    the_window_is_open: "I13",
}


@pytest.mark.slow
@pytest.mark.parametrize(("breaks", "number"), BREAKS.items(), ids=lambda each: getattr(each, "__name__", each))
def test_a_break_is_found(transactional_db: None, monkeypatch: Patch, breaks: Callable[[Patch], None], number: str) -> None:
    breaks(monkeypatch)

    with pytest.raises(Broken, match=number):
        running.run(runs=RUNS)
