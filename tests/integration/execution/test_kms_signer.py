"""A key in a key management service: the real boto3, talking to a service of our own that can misbehave."""

import logging
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.config import Config
from django.conf import settings as configured
from eth_account import Account
from structlog.testing import capture_logs

from devnet.rpc import Rpc
from execution.adapters import kms_signer, secp256k1, transactions
from execution.adapters.guarded_signer import NoKey
from execution.adapters.kms_signer import KeyRefused, KmsSigner
from execution.adapters.secp256k1 import HALF_ORDER
from execution.domain.fees import Offer
from execution.domain.signing import SignerBroken, SigningDenied
from execution.ports import UnsignedCall
from tests.fakes import kms as services
from tests.fakes.kms import Fault, Form, Kms
from trading.domain.errors import Unavailable
from trading.domain.units import Wei

SECRET = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER_SECRET = 0x59C6995E998F97A5A0044966F0945389DC9E86DAE88C7A8412F4603B6B78690D
OTHER_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
KEY_ID = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GWEI = 10**9


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Kms]:
    settings.AWS_REGION, settings.KMS_KEY_IDS = "eu-west-1", (KEY_ID,)
    with services.running() as running:
        running.keep(KEY_ID, SECRET)
        for name, value in services.environment(running).items():
            monkeypatch.setenv(name, value)
        yield running


def _cancellation(nonce: int = 7, *, address: str = ADDRESS) -> UnsignedCall:
    return UnsignedCall(
        chain_id=configured.CHAIN_ID,
        nonce=nonce,
        target=address,
        data="0x",
        value=Wei(0),
        gas_limit=21_000,
        offer=Offer(fee_cap=Wei(100 * GWEI), tip_cap=Wei(GWEI)),
    )


def test_the_address_is_that_of_the_public_key_and_asked_for_once(kms: Kms) -> None:
    signer = KmsSigner()

    assert (signer.address, signer.address, signer.reference) == (ADDRESS, ADDRESS, f"kms:{KEY_ID}")
    assert kms.heard == [("GetPublicKey", {"KeyId": KEY_ID})]


@pytest.mark.parametrize("form", Form)
def test_a_signature_of_any_form_becomes_the_senders_transaction(kms: Kms, form: Form) -> None:
    kms.form = form

    signed = KmsSigner().sign(_cancellation())

    assert Account.recover_transaction(signed.raw) == ADDRESS
    assert transactions.read(signed.raw) == (_cancellation(), ADDRESS)


def test_a_high_s_is_turned_low(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    kms.form = Form.HIGH_S
    heard: list[int] = []
    read = secp256k1.from_der
    monkeypatch.setattr(kms_signer, "from_der", lambda der: heard.append(read(der)[1]) or read(der))

    raw = KmsSigner().sign(_cancellation()).raw

    (high,) = heard
    assert high > HALF_ORDER
    # The last field of the transaction is s: 32 bytes, or a few less.
    assert raw.endswith(f"{secp256k1.ORDER - high:x}")


def test_the_digest_is_asked_to_be_signed_as_it_is(kms: Kms) -> None:
    signer = KmsSigner()
    signer.sign(_cancellation())

    action, question = kms.heard[-1]
    assert action == "Sign"
    assert {name: question[name] for name in ("KeyId", "MessageType", "SigningAlgorithm")} == {
        "KeyId": KEY_ID,
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }


def test_a_denied_call_never_reaches_the_service(kms: Kms) -> None:
    signer = KmsSigner()

    with pytest.raises(SigningDenied):
        signer.sign(replace(_cancellation(), value=Wei(1)))

    assert kms.count("Sign") == 0


PASSING = {
    Fault.THROTTLED: "ThrottlingException",
    Fault.INTERNAL: "KMSInternalException",
    Fault.ERROR_500: "500",
    Fault.SLOW: "ReadTimeoutError",
    Fault.CLOSED: "ConnectionClosedError",
    Fault.MALFORMED: "KeyError",
    Fault.EMPTY: "KeyError",
    Fault.NOT_BASE64: "Malformed",
    Fault.GARBAGE_DER: "Malformed",
}


@pytest.mark.parametrize("fault", PASSING)
def test_while_the_service_is_in_trouble_the_call_waits(kms: Kms, fault: Fault) -> None:
    signer = KmsSigner()
    assert signer.address == ADDRESS
    kms.suffer(fault, on="Sign")

    begun = time.monotonic()
    with pytest.raises(Unavailable) as trouble:
        signer.sign(_cancellation())
    took = time.monotonic() - begun

    assert not isinstance(trouble.value, KeyRefused)
    assert trouble.value.facts == {"signer": f"kms:{KEY_ID}", "error": PASSING[fault]}
    # Asked once, no retry hides in there, and never longer than a second to connect and two to answer.
    assert kms.count("Sign") == 1
    assert took < 3.5
    kms.mend()
    assert transactions.read(signer.sign(_cancellation()).raw)[1] == ADDRESS


def test_when_nobody_listens_the_call_waits(kms: Kms) -> None:
    signer = KmsSigner()
    assert signer.address == ADDRESS
    kms.close()

    with pytest.raises(Unavailable) as trouble:
        signer.sign(_cancellation())

    assert trouble.value.facts["error"] == "EndpointConnectionError"


@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.DISABLED, Fault.UNKNOWN_KEY])
def test_a_refused_key_says_so_and_may_come_back(kms: Kms, fault: Fault) -> None:
    signer = KmsSigner()
    assert signer.address == ADDRESS
    kms.suffer(fault)

    with pytest.raises(KeyRefused) as refusal:
        signer.sign(_cancellation())

    assert refusal.value.facts == {"signer": f"kms:{KEY_ID}", "error": fault.value}
    kms.mend()
    assert transactions.read(signer.sign(_cancellation()).raw)[1] == ADDRESS


@pytest.mark.parametrize("fault", [Fault.OTHER_KEY, Fault.HASHED_AGAIN])
def test_a_signature_that_isnt_ours_stops_the_signer(kms: Kms, fault: Fault) -> None:
    signer = KmsSigner()
    kms.suffer(fault, on="Sign")

    with capture_logs() as said:
        for nonce in (7, 8):
            with pytest.raises(SignerBroken):
                signer.sign(_cancellation(nonce))
        kms.mend()
        with pytest.raises(SignerBroken):
            signer.sign(_cancellation())

    assert kms.count("Sign") == 1
    assert [(line["event"], line["log_level"]) for line in said] == [("signer.broken", "error")]


def test_a_key_that_was_exchanged_after_the_start_stops_the_signer(kms: Kms) -> None:
    signer = KmsSigner()
    assert signer.address == ADDRESS
    kms.keep(KEY_ID, OTHER_SECRET)

    with pytest.raises(SignerBroken):
        signer.sign(_cancellation())


def test_a_key_of_another_curve_has_no_address(kms: Kms) -> None:
    kms.suffer(Fault.OTHER_CURVE)

    with pytest.raises(KeyRefused):
        _ = KmsSigner().address


def test_an_address_that_couldnt_be_asked_for_is_asked_for_again(kms: Kms) -> None:
    signer = KmsSigner()
    kms.suffer(Fault.THROTTLED)
    with pytest.raises(Unavailable):
        _ = signer.address

    kms.mend()

    assert signer.address == ADDRESS


def test_credentials_that_come_later_are_found(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = KmsSigner()
    with monkeypatch.context() as without:
        without.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(Unavailable):
            _ = signer.address

    assert signer.address == ADDRESS


def test_without_a_key_in_the_settings_there_is_no_signer(kms: Kms, settings: Any) -> None:
    settings.KMS_KEY_IDS = ()

    for make in (KmsSigner, KmsSigner.of_settings):
        with pytest.raises(NoKey):
            make()


def test_several_keys_are_as_many_signers(kms: Kms, settings: Any) -> None:
    settings.KMS_KEY_IDS = (KEY_ID, kms.keep("second", OTHER_SECRET))

    signers = KmsSigner.of_settings()

    assert [signer.reference for signer in signers] == [f"kms:{KEY_ID}", "kms:second"]
    for signer, address in zip(signers, (ADDRESS, OTHER_ADDRESS), strict=True):
        signed = signer.sign(_cancellation(address=address))
        assert transactions.read(signed.raw) == (_cancellation(address=address), address)


def test_many_sign_at_once_and_each_gets_its_own(kms: Kms) -> None:
    signer = KmsSigner()
    calls = [_cancellation(nonce) for nonce in range(64)]

    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(signer.sign, calls))

    assert [transactions.read(each.raw) for each in signed] == [(call, ADDRESS) for call in calls]


def test_the_chain_mines_what_the_service_signed(kms: Kms) -> None:
    signer = KmsSigner(kms.keep("fresh"))
    with Rpc(os.environ["BASE_RPC_URL"]) as rpc:
        rpc.call("anvil_setBalance", signer.address, hex(10**18))
        calls = [_cancellation(nonce, address=signer.address) for nonce in range(8)]
        hashes = [rpc.call("eth_sendRawTransaction", signer.sign(call).raw) for call in calls]
        rpc.call("anvil_mine", "0x1")
        receipts = [rpc.call("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes]

    assert [(receipt["status"], receipt["from"]) for receipt in receipts] == [("0x1", signer.address.lower())] * 8


def test_neither_credentials_nor_bytes_are_ever_said(kms: Kms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="execution")
    signer = KmsSigner()
    said = [repr(signer), str(signer), repr(vars(signer))]
    with capture_logs() as lines:
        raw = signer.sign(_cancellation()).raw
        for fault in (Fault.THROTTLED, Fault.DENIED, Fault.CLOSED, Fault.MALFORMED, Fault.GARBAGE_DER, Fault.OTHER_KEY):
            kms.suffer(fault, on="Sign")
            with pytest.raises((Unavailable, SignerBroken)) as refusal:
                signer.sign(_cancellation())
            said += [*traceback.format_exception(refusal.value), repr(refusal.value.facts)]

    whole = "".join([*said, repr(lines), caplog.text])
    digest = transactions.digest(_cancellation())
    for secret in ("secret-of-tests", raw[2:], digest.hex(), repr(digest)[2:-1], f"{SECRET:x}"):
        assert secret not in whole


def test_a_client_left_to_itself_would_ask_again(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms_signer, "_BOUNDED", Config(retries={"total_max_attempts": 2, "mode": "standard"}))
    signer = KmsSigner()
    assert signer.address == ADDRESS
    kms.suffer(Fault.THROTTLED, on="Sign")

    with pytest.raises(Unavailable):
        signer.sign(_cancellation())

    assert kms.count("Sign") == 2
