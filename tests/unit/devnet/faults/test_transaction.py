from typing import Any

import pytest
from eth_account import Account

from devnet.faults.transaction import Transaction, decode, hash_of

KEY = "0x" + "22" * 32
SENDER = "0x1563915e194D8CfBA1943570603F7606A3115508"
OFFER: dict[str, Any] = {
    "type": 2,
    "chainId": 31337,
    "nonce": 3,
    "maxFeePerGas": 20,
    "maxPriorityFeePerGas": 2,
    "gas": 21_000,
    "to": SENDER,
    "value": 0,
    "data": b"",
}


def signed(fields: dict[str, Any]) -> tuple[str, str]:
    made = Account.sign_transaction(fields, KEY)
    return "0x" + bytes(made.raw_transaction).hex(), "0x" + bytes(made.hash).hex()


def test_an_offer_is_read_from_its_bytes() -> None:
    raw, tx_hash = signed(OFFER)
    assert decode(raw) == Transaction(hash=tx_hash, raw=raw, chain_id=31337, sender=SENDER, nonce=3, fee_cap=20, tip_cap=2)


def test_a_hash_is_that_of_the_bytes() -> None:
    raw, tx_hash = signed(OFFER)
    assert hash_of(raw) == tx_hash


def test_a_delegation_is_an_offer_too() -> None:
    permit = Account.sign_authorization({"chainId": 31337, "address": SENDER, "nonce": 4}, KEY)
    raw, tx_hash = signed({**OFFER, "type": 4, "authorizationList": [permit]})
    found = decode(raw)
    assert found is not None
    assert (found.hash, found.place, found.fee_cap, found.tip_cap) == (tx_hash, (SENDER, 3), 20, 2)


def test_a_transaction_with_one_price_is_no_offer() -> None:
    fields = {name: OFFER[name] for name in ("chainId", "nonce", "gas", "to", "value", "data")}
    assert decode(signed({**fields, "gasPrice": 20})[0]) is None


@pytest.mark.parametrize("raw", ["", "0x", "0x02", "0x02aabb", "0x02c0", "nonsense", "0x0", None, 5, ["0x02"]])
def test_what_is_no_transaction_is_none(raw: object) -> None:
    assert decode(raw) is None


def test_bytes_with_a_spoiled_signature_are_none() -> None:
    raw, _ = signed(OFFER)
    assert decode(raw[:-64] + "ff" * 32) is None
