"""What each endpoint's troubles do to what the desk is told, and never to the ledger."""

from collections.abc import Callable

import pytest

from execution.domain.broadcast import Answer, Meaning
from execution.domain.chain import ReceiptFacts
from tests.fakes.chain import MAX_LAG_BLOCKS, FakeChain
from tests.fakes.endpoints import SILENT, Fault
from tests.fakes.ledger import COUNTER, GWEI
from tests.unit.fakes.bench import Bench, key
from trading import failpoints
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

STRANGER = "0x" + "77" * 20


@pytest.mark.parametrize(
    ("fault", "answer", "is_taken"),
    [
        (Fault.DEAF, Answer(meaning=Meaning.UNKNOWN, text="no answer"), False),
        (Fault.LOST, Answer(meaning=Meaning.UNKNOWN, text="no answer"), True),
        (Fault.TOO_MANY, Answer(meaning=Meaning.BACKPRESSURE, text="429 too many requests"), False),
        (Fault.OTHER_HASH, Answer(meaning=Meaning.UNKNOWN, text="another hash"), True),
        (Fault.NONCE_TOO_LOW, Answer(meaning=Meaning.CONSUMED, text="nonce too low"), False),
        (Fault.NO_RECEIPTS, Answer(meaning=Meaning.ACCEPTED), True),
    ],
)
def test_a_broadcast_suffers_a_fault(bench: Bench, fault: Fault, answer: Answer, is_taken: bool) -> None:
    signed, lone = bench.call(), FakeChain(bench.ledger)
    lone.nodes[0].suffer(fault)

    assert lone.broadcast([signed.raw]) == [answer]
    assert (signed.tx_hash in bench.ledger.arrivals) == is_taken


def test_a_fault_lasts_for_the_calls_it_was_given(bench: Bench) -> None:
    lone = FakeChain(bench.ledger)
    lone.nodes[0].suffer(Fault.LOST, on="broadcast", calls=2)
    raws = [bench.call(nonce).raw for nonce in range(3)]

    assert [answer.meaning for answer in lone.broadcast(raws)] == [Meaning.UNKNOWN, Meaning.UNKNOWN, Meaning.ACCEPTED]
    assert len(bench.waiting()) == 3


def test_faults_of_one_method_leave_the_others_alone(bench: Bench) -> None:
    lone = FakeChain(bench.ledger)
    lone.nodes[0].suffer(Fault.DEAF, on="receipts", calls=1)

    assert lone.head().number == 0
    with pytest.raises(Unavailable):
        lone.receipts([])
    assert lone.receipts([]) == []


def test_the_strongest_answer_counts(bench: Bench) -> None:
    bench.chain.nodes[0].suffer(Fault.TOO_MANY)

    assert bench.send(bench.call(0)) == [Meaning.ACCEPTED]
    bench.chain.nodes[1].suffer(Fault.LOST)
    assert bench.send(bench.call(1)) == [Meaning.UNKNOWN]
    assert len(bench.waiting()) == 2


READS: dict[str, Callable[[FakeChain], object]] = {
    "head": lambda chain: chain.head(),
    "heads": lambda chain: chain.heads(),
    "blocks": lambda chain: chain.blocks([0]),
    "fees": lambda chain: chain.fees(),
    "receipts": lambda chain: chain.receipts(["0x" + "99" * 32]),
    "logs": lambda chain: chain.logs([chain.ledger.head.hash], emitters=[COUNTER]),
    "code": lambda chain: chain.code(COUNTER),
    "nonce": lambda chain: chain.nonce(STRANGER),
    "balance": lambda chain: chain.balance(STRANGER),
    "call": lambda chain: chain.call(COUNTER, "0x"),
}


@pytest.mark.parametrize("fault", sorted(SILENT))
@pytest.mark.parametrize("method", READS)
def test_a_read_goes_to_the_next_that_answers_and_is_unavailable_when_none_does(bench: Bench, method: str, fault: Fault) -> None:
    first, second = bench.chain.nodes
    usual = READS[method](bench.chain)
    first.suffer(fault, on=method)

    assert READS[method](bench.chain) == usual
    second.suffer(fault, on=method)
    with pytest.raises(Unavailable):
        READS[method](bench.chain)
    first.mend()

    assert READS[method](bench.chain) == usual


@pytest.mark.parametrize("method", ["simulate", "broadcast", "testimonies"])
def test_what_never_raises_does_not_when_all_are_silent(bench: Bench, method: str) -> None:
    for node in bench.chain.nodes:
        node.suffer(Fault.DEAF)
    asked: dict[str, Callable[[], object]] = {
        "simulate": lambda: bench.chain.simulate([]),
        "broadcast": lambda: bench.chain.broadcast([]),
        "testimonies": lambda: bench.chain.testimonies([], address=STRANGER),
    }

    assert asked[method]() == []


def test_a_node_behind_tells_of_an_older_chain(bench: Bench) -> None:
    signed = bench.call()
    bench.send(signed)
    bench.ledger.mine(3)
    bench.chain.nodes[0].behind = 3

    assert bench.chain.head().number == 0
    assert bench.chain.receipts([signed.tx_hash]) == [None]
    assert bench.chain.nonce(bench.sender) == (0, 0)
    assert bench.chain.balance(bench.sender) == Wei(10**20)
    with pytest.raises(Unavailable):
        bench.chain.logs([bench.ledger.head.hash], emitters=[COUNTER])


def test_a_node_too_far_behind_the_highest_head_seen_is_not_read(bench: Bench) -> None:
    bench.ledger.mine(MAX_LAG_BLOCKS + 1)
    bench.chain.head()
    bench.chain.nodes[0].behind = MAX_LAG_BLOCKS
    assert bench.chain.head().number == 1
    bench.chain.nodes[0].behind = MAX_LAG_BLOCKS + 1

    assert bench.chain.head().number == MAX_LAG_BLOCKS + 1


def _witnesses(bench: Bench) -> list[int]:
    return [testimony.endpoint for testimony in bench.chain.testimonies([], address=STRANGER)]


def test_testimonies_leave_out_who_is_silent_and_who_is_far_behind(bench: Bench) -> None:
    bench.ledger.mine(MAX_LAG_BLOCKS + 1)
    bench.chain.nodes[0].behind = MAX_LAG_BLOCKS
    assert _witnesses(bench) == [0, 1]
    bench.chain.nodes[0].behind = MAX_LAG_BLOCKS + 1
    assert _witnesses(bench) == [1]
    bench.chain.nodes[1].suffer(Fault.LOST, on="testimonies")

    # The highest head was seen before: who is behind it stays out, though nobody else speaks.
    assert _witnesses(bench) == []


def test_a_frozen_node_keeps_the_fork_that_is_gone(bench: Bench) -> None:
    signed = bench.call()
    bench.send(signed)
    bench.ledger.mine()
    old = bench.ledger.head
    bench.chain.nodes[0].freeze()
    bench.ledger.reorg(1, returns=False)

    frozen, moved = bench.chain.testimonies([signed.tx_hash], address=bench.sender)

    assert (bench.chain.head(), frozen.head, moved.head) == (old, 1, 1)
    assert (frozen.mined, moved.mined, moved.receipts) == (1, 0, (None,))
    assert frozen.receipts[0] is not None
    assert frozen.receipts[0].block_hash == old.hash
    bench.chain.nodes[0].mend()
    assert bench.chain.head() == bench.ledger.head


def _forged(bench: Bench, tx_hash: str, block_hash: str) -> ReceiptFacts:
    return ReceiptFacts(
        tx_hash=tx_hash,
        block_number=bench.ledger.head.number,
        block_hash=block_hash,
        is_success=True,
        gas_used=21_000,
        gas_price=Wei(GWEI),
        l1_fee=Wei(0),
    )


def test_a_liars_receipts_are_its_own_and_a_stray_one_is_no_testimony(bench: Bench) -> None:
    signed = bench.call()
    bench.ledger.mine(2)
    node = bench.chain.nodes[0]

    node.suffer(Fault.FORGED_RECEIPTS)
    forged = _forged(bench, signed.tx_hash, bench.ledger.head.hash)
    assert bench.chain.receipts([signed.tx_hash]) == [forged]
    liar, honest = bench.chain.testimonies([signed.tx_hash], address=bench.sender)
    assert (liar.receipts, honest.receipts) == ((forged,), (None,))

    node.mend()
    node.suffer(Fault.STRAY_RECEIPTS)
    assert bench.chain.receipts([signed.tx_hash]) == [_forged(bench, signed.tx_hash, "0x" + "5b" * 32)]
    assert bench.chain.testimonies([signed.tx_hash], address=bench.sender)[0].receipts == (None,)


def test_a_liar_hides_receipts_and_events_and_counts_too_many(bench: Bench) -> None:
    signed = bench.call()
    bench.send(signed)
    bench.ledger.mine()
    node, head = bench.chain.nodes[0], bench.ledger.head
    assert len(bench.chain.logs([head.hash], emitters=[COUNTER])[0]) == 1

    node.suffer(Fault.NO_RECEIPTS, on="receipts")
    node.suffer(Fault.NO_LOGS, on="logs")
    node.suffer(Fault.HIGH_COUNT, on="testimonies")
    node.suffer(Fault.FALSE_FINALITY, on="heads")

    assert bench.chain.receipts([signed.tx_hash]) == [None]
    assert bench.chain.logs([head.hash], emitters=[COUNTER]) == [[]]
    assert [testimony.mined for testimony in bench.chain.testimonies([], address=bench.sender)] == [2, 1]
    assert (bench.chain.heads().safe, bench.chain.heads().finalized) == (1, 1)
    node.mend()
    assert (bench.chain.heads().safe, bench.chain.heads().finalized) == (0, 0)


def test_no_trouble_changes_what_is_mined(bench: Bench) -> None:
    for fault in Fault:
        bench.chain.nodes[0].suffer(fault, calls=1)
    bench.send(*(bench.call(nonce) for nonce in range(4)))
    bench.ledger.mine()

    assert bench.ledger.effects() == {key(number): 1 for number in range(4)}


def test_every_ask_reaches_a_failpoint_on_each_side(bench: Bench) -> None:
    reached: list[str] = []
    with failpoints.listening(reached.append):
        bench.chain.head()
        bench.chain.broadcast([])

    assert [point.rpartition(".")[2] for point in reached] == [
        "head asked",
        "head answered",
        "broadcast asked",
        "broadcast answered",
    ]
