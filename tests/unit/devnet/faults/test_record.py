import json
from time import monotonic, time

from devnet.faults.record import Record
from devnet.faults.transaction import Transaction


def offer(name: str) -> Transaction:
    return Transaction(hash=name, raw=f"raw of {name}", chain_id=1, sender="0xaa", nonce=3, fee_cap=200, tip_cap=20)


def test_a_hash_keeps_its_first_arrival() -> None:
    record = Record()
    before = (time(), monotonic())
    record.arrived(offer("0x01"))
    (first,) = record.sends()
    record.arrived(offer("0x01"))
    record.forwarded(offer("0x01"))
    (later,) = record.sends()
    assert before[0] <= first.seen_at == later.seen_at <= time()
    assert before[1] <= first.seen_monotonic == later.seen_monotonic <= monotonic()
    assert (later.seen, later.forwarded) == (2, 1)


def test_what_was_told_before_does_not_change() -> None:
    record = Record()
    record.arrived(offer("0x01"))
    (told,) = record.sends()
    record.arrived(offer("0x01"))
    assert told.seen == 1


def test_a_line_says_everything_but_the_bytes() -> None:
    record = Record()
    record.arrived(offer("0x01"))
    (line,) = (json.loads(line) for line in record.lines())
    (sight,) = record.sends()
    assert line == {
        "hash": "0x01",
        "chain_id": 1,
        "sender": "0xaa",
        "nonce": 3,
        "fee_cap": 200,
        "tip_cap": 20,
        "seen_at": sight.seen_at,
        "seen_monotonic": sight.seen_monotonic,
        "seen": 1,
        "forwarded": 0,
    }


def test_beyond_its_limit_the_oldest_is_let_go_and_counted() -> None:
    record = Record(limit=2)
    for name in ("0x01", "0x02", "0x01", "0x03"):
        record.arrived(offer(name))
    record.forwarded(offer("0x01"))
    assert [(sight.hash, sight.seen, sight.forwarded) for sight in record.sends()] == [("0x02", 1, 0), ("0x03", 1, 0)]
    assert record.forgotten == 1


def test_some_are_picked() -> None:
    record = Record()
    for name in ("0x01", "0x02"):
        record.arrived(offer(name))
    record.forwarded(offer("0x02"))
    assert [sight.hash for sight in record.sends(lambda sight: sight.forwarded > 0)] == ["0x02"]
