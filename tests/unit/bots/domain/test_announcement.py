"""What goes out of an event: what the table names, and nothing else."""

import json
from dataclasses import replace

import pytest

from bots.domain import announcement
from bots.domain.announcement import ANNOUNCEMENTS, WITH_EVERY, Happening
from tests.factories import NOW

FILL = Happening(
    kind="position.filled",
    number=7,
    subject="position:3",
    trace_id="t" * 32,
    at=NOW,
    facts={"kind": "OPEN", "price": "60000.5", "collateral_usdc": "12.5", "tx_hash": "0x1", "secret": "canary", "body": "canary"},
    intent_key="sig:desk:1",
    account=123,
    book="LIVE",
)


def test_a_message_to_the_byte() -> None:
    assert announcement.body(FILL) == (
        '{"type":"position.filled","timestamp":"2026-01-02T03:04:05.000Z","data":{"event":7,"stage":"position",'
        f'"subject":"position:3","trace_id":"{"t" * 32}","intent_key":"sig:desk:1","account":123,"book":"LIVE",'
        '"kind":"OPEN","price":"60000.5","collateral_usdc":"12.5","realised_pnl_usdc":null,"tx_hash":"0x1"}}'
    )


@pytest.mark.parametrize("kind", [each.kind for each in ANNOUNCEMENTS])
def test_no_event_says_more_than_its_row(kind: str) -> None:
    (row,) = [each for each in ANNOUNCEMENTS if each.kind == kind]
    facts = dict.fromkeys((*row.facts, "secret", "signature", "calldata", "raw"), "1")

    said = json.loads(announcement.body(replace(FILL, kind=kind, facts=facts)))

    assert set(said) == {"type", "timestamp", "data"}
    assert set(said["data"]) == {*WITH_EVERY, *row.facts}


def test_a_trace_is_told_in_order_and_without_one_its_row() -> None:
    assert (FILL.thread, replace(FILL, trace_id="").thread) == ("t" * 32, "position:3")
