"""What `execution.ports.Chain` promises of sending and of what becomes of it, held against a real node and the chain
in one process.

Where the two differ, both are held to what they share: our node takes a replacement at +1 %, refuses what is below the
base fee and knows no slots. The rules of stricter nodes are the fake's alone (`tests/unit/fakes`).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.db import transaction

from execution.domain import chain as said
from execution.domain.broadcast import Meaning
from execution.domain.chain import Log, ReceiptFacts
from execution.domain.fees import Offer
from execution.ports import Chain
from tests.contract.chain_stand import KEY, NOBODYS_HASH, OTHER_KEY, STRANGER, Stand, fake, ready, real
from tests.fakes import counter
from tests.fakes.ledger import GWEI
from trading.domain.errors import Unavailable
from trading.domain.units import Wei
from trading.kinds import WrongKind


@pytest.fixture(params=[fake, real], ids=["fake", "anvil"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    yield from ready(request.param())


def test_fresh_bytes_are_accepted_and_mined(stand: Stand) -> None:
    signed = stand.transfer()

    assert stand.send(signed) == [Meaning.ACCEPTED]
    assert stand.chain.receipts([signed.tx_hash]) == [None]
    stand.mine(1)
    (receipt,) = stand.chain.receipts([signed.tx_hash])

    head = stand.chain.head()
    assert receipt == ReceiptFacts(
        tx_hash=signed.tx_hash,
        block_number=head.number,
        block_hash=head.hash,
        is_success=True,
        gas_used=21_000,
        gas_price=Wei(head.base_fee.raw + GWEI),
        l1_fee=Wei(0),
    )


def test_a_price_is_never_above_the_cap(stand: Stand) -> None:
    stand.set_base_fee(2 * GWEI)
    signed = stand.transfer(offer=Offer(fee_cap=Wei(2 * GWEI + 5), tip_cap=Wei(GWEI)))

    stand.send(signed)
    stand.set_base_fee(2 * GWEI)
    stand.mine(1)

    assert stand.receipt(signed).gas_price == Wei(2 * GWEI + 5)


def test_the_same_bytes_again_are_accepted_and_mined_once(stand: Stand) -> None:
    signed = stand.bump()

    assert stand.send(signed, signed) == [Meaning.ACCEPTED, Meaning.ACCEPTED]
    assert stand.send(signed) == [Meaning.ACCEPTED]
    stand.mine(2)

    assert stand.counted() == 1


def test_a_used_nonce_is_consumed_for_the_same_bytes_and_for_others(stand: Stand) -> None:
    signed = stand.transfer()
    stand.send(signed)
    stand.mine(1)

    assert stand.send(signed, stand.transfer(gas_limit=22_000)) == [Meaning.CONSUMED, Meaning.CONSUMED]


def test_an_eighth_more_on_both_fields_replaces(stand: Stand) -> None:
    first = stand.bump(offer=Offer(fee_cap=Wei(8 * GWEI), tip_cap=Wei(GWEI)))
    second = stand.bump(OTHER_KEY, offer=Offer(fee_cap=Wei(9 * GWEI), tip_cap=Wei(GWEI * 9 // 8)))

    assert stand.send(first, second) == [Meaning.ACCEPTED, Meaning.ACCEPTED]
    stand.mine(1)

    assert stand.chain.receipts([first.tx_hash])[0] is None
    assert stand.receipt(second).is_success
    assert (stand.counted(), stand.counted(OTHER_KEY)) == (0, 1)


@pytest.mark.parametrize(("cap", "tip"), [(8 * GWEI, GWEI), (7 * GWEI, GWEI)], ids=["the same", "less"])
def test_what_offers_no_more_finds_its_sibling_live(stand: Stand, cap: int, tip: int) -> None:
    first = stand.transfer(offer=Offer(fee_cap=Wei(8 * GWEI), tip_cap=Wei(GWEI)))
    second = stand.transfer(gas_limit=22_000, offer=Offer(fee_cap=Wei(cap), tip_cap=Wei(tip)))

    assert stand.send(first, second) == [Meaning.ACCEPTED, Meaning.SIBLING_LIVE]
    stand.mine(1)

    assert stand.chain.receipts([second.tx_hash]) == [None]
    assert stand.receipt(first).is_success


def test_what_comes_behind_a_gap_is_accepted_and_waits_for_it(stand: Stand) -> None:
    later, first = stand.transfer(nonce=1), stand.transfer()

    assert stand.send(later) == [Meaning.ACCEPTED]
    stand.mine(1)
    assert stand.chain.receipts([later.tx_hash]) == [None]
    assert stand.send(first) == [Meaning.ACCEPTED]
    stand.mine(1)

    newest = stand.chain.head().number
    assert (stand.receipt(first).block_number, stand.receipt(later).block_number) == (newest, newest)


def test_who_can_not_pay_is_told(stand: Stand) -> None:
    stand.set_balance(stand.sender, 21_000 * 100 * GWEI - 1)

    assert stand.send(stand.transfer()) == [Meaning.FUNDS]
    stand.set_balance(stand.sender, 21_000 * 100 * GWEI)

    assert stand.send(stand.transfer()) == [Meaning.ACCEPTED]


def test_content_that_can_never_be_mined_is_fatal(stand: Stand) -> None:
    little_gas = stand.transfer(gas_limit=20_999)
    other_chain = stand.transfer(chain_id=1)

    assert stand.send(little_gas, other_chain) == [Meaning.FATAL, Meaning.FATAL]


@pytest.mark.parametrize("raw", ["0x", "0x02", "0x02c0", "0x" + "ff" * 40])
def test_bytes_that_are_no_transaction_never_raise_and_are_never_accepted(stand: Stand, raw: str) -> None:
    assert Meaning.ACCEPTED not in [answer.meaning for answer in stand.chain.broadcast([raw])]


def test_answers_come_in_the_order_of_the_bytes(stand: Stand) -> None:
    good, bad = stand.transfer(), stand.transfer(nonce=1, gas_limit=20_999)

    assert stand.send(bad, good, bad) == [Meaning.FATAL, Meaning.ACCEPTED, Meaning.FATAL]


def test_nothing_to_broadcast_has_no_answers(stand: Stand) -> None:
    assert stand.chain.broadcast([]) == []


# Receipts, logs, testimonies.


def test_receipts_come_in_the_order_of_the_hashes(stand: Stand) -> None:
    first, second = stand.transfer(), stand.transfer(nonce=1)
    stand.send(first, second)
    stand.mine(1)

    found = stand.chain.receipts([second.tx_hash, NOBODYS_HASH, first.tx_hash])

    assert [receipt and receipt.tx_hash for receipt in found] == [second.tx_hash, None, first.tx_hash]
    assert stand.chain.receipts([]) == []


def test_a_call_that_reverts_is_mined_without_success_and_without_an_effect(stand: Stand) -> None:
    signed = stand.transfer(target=stand.counter, data="0xdeadbeef", gas_limit=50_000)
    stand.send(signed)
    stand.mine(1)

    receipt = stand.receipt(signed)

    assert (receipt.is_success, stand.chain.nonce(stand.sender)) == (False, (1, 1))


def test_too_little_gas_for_the_call_is_used_up_without_an_effect(stand: Stand) -> None:
    signed = stand.bump(gas_limit=25_000)
    stand.send(signed)
    stand.mine(1)

    receipt = stand.receipt(signed)

    assert (receipt.is_success, receipt.gas_used, stand.counted()) == (False, 25_000, 0)


def test_events_are_those_of_the_block_and_of_the_emitters(stand: Stand) -> None:
    signed = [stand.bump(), stand.bump(nonce=1), stand.bump(OTHER_KEY, nonce=2)]
    stand.send(*signed)
    stand.mine(1)
    head = stand.chain.head()

    here, before = stand.chain.logs([head.hash, head.parent_hash], emitters=[stand.counter])
    (elsewhere,) = stand.chain.logs([head.hash], emitters=[STRANGER])

    counts = [(KEY, 1), (KEY, 2), (OTHER_KEY, 1)]
    assert [replace(log, address=log.address.lower()) for log in here] == [
        Log(
            address=stand.counter.lower(),
            topics=(counter.BUMPED, key),
            data=f"0x{count:064x}",
            block_number=head.number,
            block_hash=head.hash,
            tx_hash=each.tx_hash,
            log_index=index,
        )
        for index, (each, (key, count)) in enumerate(zip(signed, counts, strict=True))
    ]
    assert before == elsewhere == []


def test_the_events_of_a_block_that_nobody_has_are_unavailable(stand: Stand) -> None:
    with pytest.raises(Unavailable):
        stand.chain.logs([stand.chain.head().hash, NOBODYS_HASH], emitters=[stand.counter])


def test_an_endpoint_testifies_to_its_head_the_count_and_the_receipts(stand: Stand) -> None:
    signed = stand.transfer()
    stand.send(signed, stand.transfer(nonce=2))
    stand.mine(1)

    (testimony,) = stand.chain.testimonies([NOBODYS_HASH, signed.tx_hash], address=stand.sender)

    heads = stand.chain.heads()
    assert testimony == said.Testimony(
        endpoint=0,
        head=heads.latest.number,
        safe=heads.safe,
        finalized=heads.finalized,
        mined=1,
        receipts=(None, *stand.chain.receipts([signed.tx_hash])),
    )


def test_a_testimony_about_nothing_still_counts(stand: Stand) -> None:
    (testimony,) = stand.chain.testimonies([], address=stand.sender)

    assert (testimony.endpoint, testimony.head, testimony.mined) == (0, stand.chain.head().number, 0)
    assert testimony.receipts == ()


# Reorganizations.


def test_what_was_in_a_block_that_is_gone_is_gone_everywhere(stand: Stand) -> None:
    signed = stand.bump()
    stand.send(signed)
    stand.mine(3)
    mined = stand.receipt(signed)
    before = stand.chain.head()

    stand.lose(3)

    head = stand.chain.head()
    blocks = stand.chain.blocks(range(mined.block_number - 1, head.number + 1))
    assert (head.number, head.hash == before.hash) == (before.number, False)
    assert blocks[mined.block_number].hash != mined.block_hash
    assert all(blocks[number].parent_hash == blocks[number - 1].hash for number in range(mined.block_number, head.number + 1))
    assert stand.chain.receipts([signed.tx_hash]) == [None]
    assert (stand.chain.nonce(stand.sender), stand.counted()) == ((0, 0), 0)
    with pytest.raises(Unavailable):
        stand.chain.logs([mined.block_hash], emitters=[stand.counter])


def test_the_same_bytes_are_mined_again_after_a_reorganization(stand: Stand) -> None:
    signed = stand.bump()
    stand.send(signed)
    stand.mine(1)
    old = stand.receipt(signed)
    stand.lose(1)

    assert stand.send(signed) == [Meaning.ACCEPTED]
    stand.mine(1)

    fresh = stand.receipt(signed)
    assert (fresh.block_number, fresh.block_hash == old.block_hash) == (old.block_number + 1, False)
    assert stand.counted() == 1


# Kinds.

ASKED: dict[str, Callable[[Chain], object]] = {
    "head": lambda chain: chain.head(),
    "heads": lambda chain: chain.heads(),
    "blocks": lambda chain: chain.blocks([1]),
    "fees": lambda chain: chain.fees(),
    "simulate": lambda chain: chain.simulate([]),
    "broadcast": lambda chain: chain.broadcast([]),
    "receipts": lambda chain: chain.receipts([]),
    "logs": lambda chain: chain.logs([], emitters=[]),
    "testimonies": lambda chain: chain.testimonies([], address=STRANGER),
    "l1_fees": lambda chain: chain.l1_fees([]),
    "code": lambda chain: chain.code(STRANGER),
    "nonce": lambda chain: chain.nonce(STRANGER),
    "balance": lambda chain: chain.balance(STRANGER),
    "call": lambda chain: chain.call(STRANGER, "0x"),
    "answers_at": lambda chain: chain.answers_at([], block_hash="0x" + "00" * 32),
    "search": lambda chain: chain.search(STRANGER, topics=[None], first=0, last=0),
    "snapshot": lambda chain: chain.snapshot([], addresses=[STRANGER]),
    "snapshots": lambda chain: chain.snapshots([], addresses=[STRANGER]),
}


def test_every_method_of_the_port_is_asked_here() -> None:
    # What it remembers of its endpoints it says without asking them.
    asking = {name for name, value in vars(Chain).items() if callable(value) and not name.startswith("_")} - {"states"}
    assert set(ASKED) == asking


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ASKED)
def test_the_chain_is_never_asked_with_a_transaction_open(stand: Stand, method: str) -> None:
    with transaction.atomic(), pytest.raises(WrongKind):
        ASKED[method](stand.chain)
