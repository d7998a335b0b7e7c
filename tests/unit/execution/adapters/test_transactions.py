"""A transaction's bytes: those that a third party writes, and read back to the letter."""

import random
import secrets
from dataclasses import replace
from typing import Any

import pytest
import rlp
from coincurve import PrivateKey
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.adapters import secp256k1, transactions
from execution.adapters.secp256k1 import ORDER, Signature
from execution.adapters.transactions import Misread
from execution.domain.fees import Offer
from execution.ports import SignedCall, UnsignedCall
from tests.fakes.kms import Form, sign
from trading.domain.units import Wei

KEY = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CALL = UnsignedCall(
    chain_id=31337,
    nonce=7,
    target="0x5FbDB2315678afecb367f032d93F642f64180aa3",
    data="0x9a10cc32",
    value=Wei(5),
    gas_limit=250_000,
    offer=Offer(fee_cap=Wei(3_000_000_000), tip_cap=Wei(1_000_000)),
)
WHOLE_PATHS = 500
_TEXT_OF_BYTES = st.binary(max_size=200).map(lambda raw: "0x" + raw.hex())
_WHOLE = st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 2**64 - 2))
CALLS = st.builds(
    UnsignedCall,
    chain_id=st.integers(1, 2**32),
    nonce=_WHOLE,
    target=st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    data=_TEXT_OF_BYTES,
    value=_WHOLE.map(Wei),
    gas_limit=_WHOLE,
    offer=st.builds(Offer, fee_cap=_WHOLE.map(Wei), tip_cap=_WHOLE.map(Wei)),
)


def _signed(call: UnsignedCall, *, form: Form = Form.ANY) -> SignedCall:
    digest = transactions.digest(call)
    signature = secp256k1.of(*sign(KEY, digest, form=form), digest=digest, address=ADDRESS)
    assert signature is not None
    return transactions.signed(call, signature)


def _of_a_third_party(call: UnsignedCall) -> SignedCall:
    fields = {
        "type": 2,
        "chainId": call.chain_id,
        "nonce": call.nonce,
        "to": to_checksum_address(call.target),
        "data": call.data,
        "value": call.value.raw,
        "gas": call.gas_limit,
        "maxFeePerGas": call.offer.fee_cap.raw,
        "maxPriorityFeePerGas": call.offer.tip_cap.raw,
    }
    signed = Account.sign_transaction(fields, KEY)
    return SignedCall(raw="0x" + bytes(signed.raw_transaction).hex(), tx_hash="0x" + bytes(signed.hash).hex())


@given(CALLS)
def test_a_third_party_writes_the_same_bytes(call: UnsignedCall) -> None:
    digest = transactions.digest(call)
    r, s = secp256k1.from_der(PrivateKey(KEY.to_bytes(32)).sign(digest, hasher=None))
    signature = secp256k1.of(r, s, digest=digest, address=ADDRESS)

    assert signature is not None
    assert transactions.signed(call, signature) == _of_a_third_party(call)


@given(CALLS)
def test_what_was_written_is_read_back(call: UnsignedCall) -> None:
    assert transactions.read(_of_a_third_party(call).raw) == (transactions.as_read(call), ADDRESS)


def test_the_hash_is_that_of_the_bytes() -> None:
    signed = _signed(CALL)

    assert signed.tx_hash == "0x" + keccak(hexstr=signed.raw).hex()


@pytest.mark.parametrize("form", Form)
def test_whatever_the_numbers_look_like_the_transaction_is_the_senders(form: Form) -> None:
    signed = _signed(CALL, form=form)

    assert Account.recover_transaction(signed.raw) == ADDRESS
    assert transactions.read(signed.raw) == (CALL, ADDRESS)


def test_a_short_number_has_no_zeros_in_front() -> None:
    fields = rlp.decode(bytes.fromhex(_signed(CALL, form=Form.SHORT_R).raw[4:]))

    assert len(fields[10]) <= 31
    assert fields[10][0] != 0


def test_five_hundred_random_transactions_are_their_keys() -> None:
    chance = random.Random(1)
    for number in range(WHOLE_PATHS):
        secret = 1 + secrets.randbelow(ORDER - 1)
        address = secp256k1.address_of(PrivateKey(secret.to_bytes(32)).public_key)
        call = replace(CALL, nonce=number, data="0x" + chance.randbytes(number).hex())
        digest = transactions.digest(call)
        signature = secp256k1.of(*sign(secret, digest), digest=digest, address=address)
        assert signature is not None
        raw = transactions.signed(call, signature).raw
        assert transactions.read(raw) == (call, address)
        assert Account.recover_transaction(raw) == address


def _raw(**changes: Any) -> str:
    names = ("chain", "nonce", "tip", "cap", "gas", "to", "value", "data", "access", "parity", "r", "s")
    fields = dict(zip(names, rlp.decode(bytes.fromhex(_signed(CALL).raw[4:])), strict=True))
    return "0x02" + rlp.encode(list((fields | changes).values())).hex()


def test_the_pieces_of_the_next_test_make_a_whole() -> None:
    assert transactions.read(_raw()) == (CALL, ADDRESS)


@pytest.mark.parametrize(
    "raw",
    [
        "0x",
        "0x02",
        "nothing",
        _raw().replace("0x02", "0x01"),
        "0x" + _raw()[4:],
        _raw() + "00",
        _raw()[:-2],
        _raw(more=b""),
        _raw(nonce=b"\x00\x07"),
        _raw(value=b"\x00"),
        _raw(r=b"\x00" * 31 + b"\x05"),
        _raw(to=b""),
        _raw(to=b"\x11" * 19),
        _raw(access=[[b"\x11" * 20, []]]),
        _raw(access=b""),
        _raw(data=[b"\x01"]),
        _raw(nonce=[]),
        _raw(parity=b"\x02"),
        _raw(parity=b"\x1b"),
        _raw(s=(ORDER - 5).to_bytes(32)),
        "0x02" + rlp.encode(b"text").hex(),
    ],
)
def test_bytes_that_a_strict_node_refuses_are_refused(raw: str) -> None:
    with pytest.raises(Misread):
        transactions.read(raw)


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_never_reads_as_the_same_call_of_the_same_sender(place: int, flip: int) -> None:
    raw = bytearray.fromhex(_of_a_third_party(CALL).raw[2:])
    raw[place % len(raw)] ^= flip
    try:
        read = transactions.read("0x" + raw.hex())
    except Misread:
        return
    assert read != (CALL, ADDRESS)


def test_neither_numbers_nor_bytes_show_in_a_signature() -> None:
    assert repr(Signature(r=5, s=6, parity=1)) == "Signature(parity=1)"
