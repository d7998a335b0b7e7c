"""The key in this process's memory."""

import base64
import logging
import traceback
from typing import Any

import pytest
from django.conf import settings as configured
from eth_account import Account
from structlog.testing import capture_logs

from execution.adapters.guarded_signer import NoKey
from execution.adapters.local_signer import LocalSigner, address_of
from execution.domain.fees import Offer
from execution.domain.signing import SigningDenied
from execution.ports import UnsignedCall
from trading.domain.units import Wei

# The first accounts of the mnemonic that every local chain has: public, and worth nothing.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SECOND_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
SECOND_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CALL = UnsignedCall(
    chain_id=configured.CHAIN_ID,
    nonce=7,
    target=ADDRESS,
    data="0x",
    value=Wei(0),
    gas_limit=21_000,
    offer=Offer(fee_cap=Wei(3_000_000_000), tip_cap=Wei(1_000_000)),
)


def test_a_known_key_has_its_known_address() -> None:
    assert LocalSigner(KEY).address == address_of(KEY) == ADDRESS


def test_a_third_party_signs_the_same_bytes() -> None:
    fields = {"type": 2, "chainId": CALL.chain_id, "nonce": 7, "to": ADDRESS, "data": "0x", "value": 0, "gas": 21_000}
    theirs = Account.sign_transaction(fields | {"maxFeePerGas": 3_000_000_000, "maxPriorityFeePerGas": 1_000_000}, KEY)

    ours = LocalSigner(KEY).sign(CALL)

    assert (ours.raw, ours.tx_hash) == ("0x" + bytes(theirs.raw_transaction).hex(), "0x" + bytes(theirs.hash).hex())


def test_the_same_call_gives_the_same_bytes() -> None:
    assert LocalSigner(KEY).sign(CALL) == LocalSigner(KEY).sign(CALL)


def test_each_key_of_the_settings_has_its_place(settings: Any) -> None:
    settings.SIGNER_PRIVATE_KEYS = (KEY, SECOND_KEY)

    signers = LocalSigner.of_settings()

    assert [(signer.reference, signer.address) for signer in signers] == [("local:0", ADDRESS), ("local:1", SECOND_ADDRESS)]
    assert LocalSigner().address == ADDRESS


def test_without_a_key_in_the_settings_there_is_no_signer(settings: Any) -> None:
    settings.SIGNER_PRIVATE_KEYS = ()

    for make in (LocalSigner, LocalSigner.of_settings):
        with pytest.raises(NoKey):
            make()


@pytest.mark.parametrize("key", [KEY[:-1], KEY + "0", "0x" + "zz" * 32, "not a key at all", "0x" + "00" * 32, "0x" + "ff" * 32])
def test_an_unusable_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(NoKey) as refusal:
        LocalSigner(key)

    assert key.removeprefix("0x") not in _everything_said(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_neither_the_key_nor_the_bytes_are_ever_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    signer = LocalSigner(SECOND_KEY)
    with capture_logs() as lines:
        said.append(repr(signer) + str(signer) + repr(vars(signer)))
        with pytest.raises(SigningDenied) as denial:
            signer.sign(CALL)
        said.append(_everything_said(denial.value))
        raw = LocalSigner(KEY).sign(CALL).raw
    said += [repr(lines), caplog.text]

    whole = "".join(said).lower()
    for secret in _forms(bytes.fromhex(SECOND_KEY[2:])) + _forms(bytes.fromhex(KEY[2:])) + _forms(bytes.fromhex(raw[2:])):
        assert secret not in whole


def test_the_search_would_find_a_key_that_is_said() -> None:
    raw = bytes.fromhex(KEY[2:])

    for leak in (KEY, KEY.upper(), repr(raw), str(int(KEY, 16)), base64.b64encode(raw).decode()):
        assert any(form in f"key is {leak}".lower() for form in _forms(raw))


def _forms(secret: bytes) -> list[str]:
    """How a secret could be written, in lower case."""
    texts = (secret.hex(), repr(secret)[2:-1], str(int.from_bytes(secret)), base64.b64encode(secret).decode())
    return [text.lower() for text in texts]


def _everything_said(error: BaseException) -> str:
    facts = repr(getattr(error, "facts", ""))
    return facts + repr(error) + "".join(traceback.format_exception(error))
