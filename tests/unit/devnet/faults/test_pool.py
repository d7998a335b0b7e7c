import pytest

from devnet.faults.pool import Account, Pool, State, outbids
from devnet.faults.transaction import Transaction

SENDER = "0x" + "aa" * 20
PLAIN = Account(next_nonce=5, is_delegated=False)
DELEGATED = Account(next_nonce=5, is_delegated=True)


def offer(nonce: int = 5, *, fee_cap: int = 100, tip_cap: int = 10, sender: str = SENDER) -> Transaction:
    name = f"{sender}/{nonce}/{fee_cap}/{tip_cap}"
    return Transaction(hash=name, raw=name, chain_id=1, sender=sender, nonce=nonce, fee_cap=fee_cap, tip_cap=tip_cap)


def pool(*offers: Transaction, account_slots: int = 16) -> Pool:
    made = Pool(account_slots=account_slots)
    for each in offers:
        made.keep(each, State.POOLED)
    return made


def refusal(made: Pool, wanted: Transaction, account: Account = PLAIN) -> str | None:
    answer = made.refusal(wanted, account)
    if answer is None:
        return None
    assert answer["error"]["code"] == -32000
    return str(answer["error"]["message"])


@pytest.mark.parametrize(
    ("fee_cap", "tip_cap", "is_enough"),
    [
        (1100, 110, True),
        (1099, 110, False),
        (1100, 109, False),
        (2000, 100, False),
        (1000, 200, False),
        (1050, 105, False),
        (1125, 113, True),
    ],
)
def test_a_replacement_pays_a_tenth_more_in_both_fields(fee_cap: int, tip_cap: int, is_enough: bool) -> None:
    assert outbids(offer(fee_cap=fee_cap, tip_cap=tip_cap), offer(fee_cap=1000, tip_cap=100)) is is_enough


def test_a_tenth_is_never_rounded_down() -> None:
    assert not outbids(offer(fee_cap=11, tip_cap=2), offer(fee_cap=11, tip_cap=1))
    assert not outbids(offer(fee_cap=16, tip_cap=2), offer(fee_cap=15, tip_cap=1))
    assert outbids(offer(fee_cap=17, tip_cap=2), offer(fee_cap=15, tip_cap=1))


def test_no_tip_is_not_outbid_by_no_tip() -> None:
    assert not outbids(offer(fee_cap=200, tip_cap=0), offer(fee_cap=100, tip_cap=0))


def test_the_first_offer_is_taken() -> None:
    assert refusal(pool(), offer()) is None


def test_the_same_bytes_are_known() -> None:
    assert refusal(pool(offer()), offer()) == "already known"


def test_a_used_nonce_is_too_low_also_for_bytes_that_were_mined() -> None:
    made = pool(offer(4))
    made.settle(made.unmined[SENDER, 4], block=1)
    assert refusal(made, offer(4)) == "nonce too low: next nonce 5, tx nonce 4"


def test_a_nonce_that_a_block_used_a_moment_ago_is_too_low() -> None:
    assert refusal(pool(offer(4)), offer(4)) == "nonce too low: next nonce 5, tx nonce 4"


def test_an_offer_that_is_too_low_for_a_replacement_is_refused() -> None:
    assert refusal(pool(offer()), offer(fee_cap=109, tip_cap=11)) == "replacement transaction underpriced"
    assert refusal(pool(offer()), offer(fee_cap=110, tip_cap=11)) is None


def test_a_plain_account_has_sixteen_slots() -> None:
    made = pool(*(offer(5 + each) for each in range(15)))
    assert refusal(made, offer(20)) is None
    made.keep(offer(20), State.HELD)
    assert refusal(made, offer(21)) == "txpool is full"
    assert refusal(made, offer(20, fee_cap=110, tip_cap=11)) is None
    assert refusal(made, offer(5, sender="0x" + "bb" * 20)) is None


def test_the_slots_can_be_fewer() -> None:
    assert refusal(pool(offer(5), account_slots=1), offer(6)) == "txpool is full"


def test_a_gapped_nonce_takes_no_slot() -> None:
    made = pool(offer(5), offer(7), account_slots=2)
    assert refusal(made, offer(9)) is None
    assert refusal(made, offer(6)) is None
    made.keep(offer(6), State.POOLED)
    assert refusal(made, offer(8)) == "txpool is full"


def test_a_mined_transaction_frees_its_slot() -> None:
    made = pool(offer(4), account_slots=1)
    assert refusal(made, offer(5)) is None


def test_a_delegated_account_has_one_slot() -> None:
    assert refusal(pool(), offer(5), DELEGATED) is None
    assert refusal(pool(offer(5)), offer(6), DELEGATED) == "in-flight transaction limit reached for delegated accounts"
    assert refusal(pool(offer(5)), offer(5, fee_cap=110, tip_cap=11), DELEGATED) is None


def test_a_delegated_account_may_leave_no_gap() -> None:
    assert refusal(pool(), offer(6), DELEGATED) == "gapped-nonce tx from delegated accounts"


def test_what_is_replaced_is_told() -> None:
    made = pool(offer())
    higher = offer(fee_cap=110, tip_cap=11)
    assert made.keep(higher, State.HELD) == offer()
    assert made.find(offer().hash) is None
    assert made.find(higher.hash) == made.unmined[higher.place]


def test_forgetting_a_replaced_transaction_leaves_its_heir() -> None:
    made = pool(offer(), offer(fee_cap=110, tip_cap=11))
    made.forget(offer())
    assert list(made.unmined) == [offer().place]


def test_what_is_held_is_offered_in_the_order_of_nonces() -> None:
    made = pool(offer(6))
    for nonce in (9, 7, 8):
        made.keep(offer(nonce), State.HELD)
    assert [entry.transaction.nonce for entry in made.held()] == [7, 8, 9]


def test_what_lies_deep_is_let_go() -> None:
    made = pool(offer(5), offer(6))
    made.settle(made.unmined[SENDER, 5], block=10)
    made.settle(made.unmined[SENDER, 6], block=11)
    made.forget_mined_before(11)
    assert list(made.mined) == [offer(6).hash]
    assert made
    made.forget(offer(6))
    assert not made
