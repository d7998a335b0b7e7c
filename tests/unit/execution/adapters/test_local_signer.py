"""The key in this process's memory."""

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from eth_utils import keccak
from hexbytes import HexBytes

from execution.adapters.local_signer import LocalSigner, NoKey
from execution.domain.fees import Offer
from execution.ports import UnsignedCall
from trading.domain.units import Wei

# The first account of the mnemonic that every local chain has: public, and worth nothing.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
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


def test_a_known_key_has_its_known_address() -> None:
    assert LocalSigner(KEY).address == ADDRESS


def test_the_signed_bytes_say_what_was_asked_and_who_signed() -> None:
    signed = LocalSigner(KEY).sign(CALL)

    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert (fields["chainId"], fields["nonce"], fields["value"], fields["gas"]) == (31337, 7, 5, 250_000)
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == (3_000_000_000, 1_000_000)
    assert bytes(fields["to"]).hex() == CALL.target[2:].lower()
    assert bytes(fields["data"]).hex() == "9a10cc32"
    assert Account.recover_transaction(signed.raw) == ADDRESS


def test_the_hash_is_that_of_the_bytes() -> None:
    signed = LocalSigner(KEY).sign(CALL)

    assert signed.tx_hash == "0x" + keccak(hexstr=signed.raw).hex()


def test_the_same_call_gives_the_same_bytes() -> None:
    assert LocalSigner(KEY).sign(CALL) == LocalSigner(KEY).sign(CALL)


@pytest.mark.parametrize("key", [KEY[:-1], KEY + "0", "0x" + "zz" * 32, "not a key at all", "0x" + "00" * 32, "0x" + "ff" * 32])
def test_an_unusable_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(NoKey) as refusal:
        LocalSigner(key)

    said = f"{refusal.value!r} {refusal.value} {refusal.value.__cause__!r}"
    assert key not in said
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
