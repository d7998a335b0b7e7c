"""What may be concluded for good, and from whose word."""

from dataclasses import replace

import pytest

from execution.domain import chain, finality
from execution.domain.chain import Block, Heads, ReceiptFacts
from tests.factories import NOW
from trading.domain.units import Wei


def _receipt(*, block: str = "0xb", is_success: bool = True) -> ReceiptFacts:
    return ReceiptFacts(
        tx_hash="0x1",
        block_number=7,
        block_hash=block,
        is_success=is_success,
        gas_used=21_000,
        gas_price=Wei(1),
        l1_fee=Wei(0),
    )


def _said(endpoint: int, *receipts: ReceiptFacts | None, mined: int = 0) -> chain.Testimony:
    return chain.Testimony(endpoint=endpoint, head=9, safe=8, finalized=7, mined=mined, receipts=receipts)


def _heads() -> Heads:
    latest = Block(number=100, hash="0xa", parent_hash="0x9", mined_at=NOW, base_fee=Wei(1))
    return Heads(latest=latest, safe=68, finalized=36)


def test_final_is_what_the_chain_calls_so_or_what_lies_so_deep() -> None:
    assert [finality.final_height(_heads(), depth=depth) for depth in (0, 5)] == [36, 95]


def test_only_the_same_block_with_the_same_outcome_vouches() -> None:
    said = [_said(0, _receipt()), _said(1, _receipt(block="0xc")), _said(2, _receipt(is_success=False)), _said(3, None)]

    assert finality.vouched(said, at=0, receipt=_receipt(), depth=0) == 1


def test_a_node_that_doesnt_call_the_block_final_itself_vouches_for_nothing() -> None:
    # Block 7: one node calls it final, the head of both is 9.
    said = [_said(0, _receipt()), replace(_said(1, _receipt()), finalized=6)]

    assert [finality.vouched(said, at=0, receipt=_receipt(), depth=depth) for depth in (0, 2, 3)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("witnesses", "endpoints", "said_at", "head", "is_proven"),
    [
        (2, 2, None, 100, True),
        (1, 2, 10, 100, False),
        (1, 3, 10, 100, False),
        (2, 3, None, 100, True),
        (1, 1, None, 100, False),
        (1, 1, 99, 100, False),
        (1, 1, 98, 100, True),
        (0, 1, 98, 100, False),
    ],
)
def test_two_nodes_prove_and_a_single_one_must_say_it_twice(
    witnesses: int, endpoints: int, said_at: int | None, head: int, is_proven: bool
) -> None:
    assert finality.is_proven(witnesses, endpoints=endpoints, said_at=said_at, head=head) is is_proven


def test_a_nonce_is_foreign_only_where_it_is_used_and_nobody_has_a_receipt_of_ours() -> None:
    used = [_said(0, None, None, mined=6), _said(1, None, None, mined=6), _said(2, None, None, mined=5)]
    ours = [*used, _said(3, None, _receipt(), mined=6)]

    assert finality.foreign_use(used, places=[0, 1], nonce=5, since=8, endpoints=3) == 2
    assert finality.foreign_use(ours, places=[0, 1], nonce=5, since=8, endpoints=3) == 0
    # Doubted later than the nodes' safe heads, or than a single one's finalized head.
    assert finality.foreign_use(used, places=[0, 1], nonce=5, since=9, endpoints=3) == 0
    assert finality.foreign_use(used[:1], places=[0, 1], nonce=5, since=8, endpoints=1) == 0
