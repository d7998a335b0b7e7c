"""Signatures: strict in, canonical out, and only ever the address's own."""

import random
import secrets
from collections import Counter

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.adapters import secp256k1
from execution.adapters.secp256k1 import HALF_ORDER, ORDER, Malformed, Signature
from tests.fakes.kms import SHORT, Form, der_of, sign, spki_of

KEY = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
DIGEST = bytes(range(32))
SIGNATURES = 20_000


def _der(*numbers: bytes) -> bytes:
    body = b"".join(bytes((2, len(number))) + number for number in numbers)
    return bytes((0x30, len(body))) + body


ONE, HIGH = b"\x01", b"\x00\x80"


@pytest.mark.parametrize(
    ("der", "numbers"), [(_der(ONE, ONE), (1, 1)), (_der(HIGH, ONE), (128, 1)), (_der(b"\x7f", HIGH), (127, 128))]
)
def test_der_is_read(der: bytes, numbers: tuple[int, int]) -> None:
    assert secp256k1.from_der(der) == numbers


@pytest.mark.parametrize("number", [1, ORDER - 1, 1 << 255, (1 << 255) - 1, (1 << 248) - 1, 1 << 247])
def test_every_length_of_a_number_is_read(number: int) -> None:
    assert secp256k1.from_der(der_of(number, 1)) == (number, 1)
    assert secp256k1.from_der(der_of(1, number)) == (1, number)


@pytest.mark.parametrize(
    ("der", "what"),
    [
        (b"", "nothing"),
        (b"\x30", "a tag alone"),
        (b"\x30\x00", "an empty sequence"),
        (b"\x31" + _der(ONE, ONE)[1:], "a set"),
        (_der(ONE, ONE)[:-1], "cut off"),
        (_der(ONE, ONE) + b"\x00", "more behind it"),
        (_der(ONE), "one number"),
        (_der(ONE, ONE, ONE), "three numbers"),
        (_der(b"", ONE), "an empty number"),
        (_der(b"\x00", ONE), "r is zero"),
        (_der(ONE, b"\x00"), "s is zero"),
        (_der(b"\x80", ONE), "r is negative"),
        (_der(ONE, b"\xff"), "s is negative"),
        (_der(b"\x00\x01", ONE), "a zero that r doesn't need"),
        (_der(ONE, b"\x00\x7f"), "a zero that s doesn't need"),
        (der_of(ORDER, 1), "r is the order"),
        (der_of(1, ORDER), "s is the order"),
        (der_of((1 << 256) - 1, 1), "r beyond the order"),
        (_der(b"\x01" * 34, ONE), "r of 34 bytes"),
        (b"\x30\x81\x06" + _der(ONE, ONE)[2:], "the long form of a length"),
        (b"\x30\x80" + _der(ONE, ONE)[2:] + b"\x00\x00", "a length left open"),
        (b"\x30\x06\x03\x01\x01\x02\x01\x01", "bits instead of a number"),
        (b"\x30\x07\x02\x81\x01\x01\x02\x01\x01", "the long form inside"),
    ],
)
def test_any_other_way_to_write_it_is_refused(der: bytes, what: str) -> None:
    with pytest.raises(Malformed):
        secp256k1.from_der(der)


def test_without_strictness_a_second_way_to_write_it_would_pass() -> None:
    # Read as lengths and big-endian numbers only, these bytes are the same signature.
    loose = _der(b"\x00\x01", ONE)
    assert (int.from_bytes(loose[4:6]), int.from_bytes(loose[8:])) == (1, 1)


@given(st.binary(max_size=80))
def test_random_bytes_are_read_as_written_or_refused(der: bytes) -> None:
    _assert_strict(der)


@settings(max_examples=500)
@given(st.data())
def test_a_mutated_signature_is_refused_or_is_another_ones(data: st.DataObject) -> None:
    r, s = sign(KEY, DIGEST, draw=random.Random(1).randrange)
    der = bytearray(der_of(r, s))
    for _ in range(data.draw(st.integers(1, 3))):
        match data.draw(st.sampled_from(("flip", "cut", "insert"))):
            case "flip":
                der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
            case "cut":
                del der[data.draw(st.integers(0, len(der) - 1))]
            case _:
                der.insert(data.draw(st.integers(0, len(der))), data.draw(st.integers(0, 255)))
    read = _assert_strict(bytes(der))
    if read is not None and read not in ((r, s), (r, ORDER - s)):
        # Whatever was read instead isn't taken for a signature of this address.
        assert secp256k1.of(*read, digest=DIGEST, address=ADDRESS) is None


def _assert_strict(der: bytes) -> tuple[int, int] | None:
    """The one error, or two numbers whose one DER these bytes are."""
    try:
        r, s = secp256k1.from_der(der)
    except Malformed:
        return None
    assert der_of(r, s) == der
    return r, s


@pytest.mark.parametrize("form", Form)
def test_a_signature_comes_out_with_low_s_and_leads_back(form: Form) -> None:
    r, s = sign(KEY, DIGEST, form=form)

    signature = secp256k1.of(r, s, digest=DIGEST, address=ADDRESS)

    assert signature is not None
    assert (signature.r, signature.s) == (r, min(s, ORDER - s))
    assert signature.s <= HALF_ORDER
    assert secp256k1.signer_of(signature, digest=DIGEST) == ADDRESS


def test_without_low_s_half_of_all_signatures_would_be_refused_by_the_chain() -> None:
    chance = random.Random(1)
    assert sum(sign(KEY, DIGEST, draw=chance.randrange)[1] > HALF_ORDER for _ in range(400)) == 198


def test_another_keys_signature_or_one_of_another_digest_leads_nowhere() -> None:
    stranger = sign(KEY + 1, DIGEST)
    other_digest = sign(KEY, DIGEST[::-1])

    assert secp256k1.of(*stranger, digest=DIGEST, address=ADDRESS) is None
    assert secp256k1.of(*other_digest, digest=DIGEST, address=ADDRESS) is None


@pytest.mark.parametrize(("r", "s", "parity"), [(0, 1, 0), (1, 0, 0), (ORDER, 1, 0), (5, 1, 0), (1 << 256, 1, 0), (1, 1, 300)])
def test_numbers_that_no_key_could_have_made_have_no_signer(r: int, s: int, parity: int) -> None:
    assert secp256k1.signer_of(Signature(r=r, s=s, parity=parity), digest=DIGEST) is None


def test_a_public_key_gives_its_address() -> None:
    assert secp256k1.address_of(secp256k1.from_spki(spki_of(KEY))) == ADDRESS


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        spki_of(KEY)[:-1],
        spki_of(KEY) + b"\x00",
        spki_of(KEY)[23:],
        spki_of(KEY)[:23] + b"\x04" + b"\x11" * 64,
        spki_of(KEY)[:23] + PrivateKey(KEY.to_bytes(32)).public_key.format(),
        spki_of(KEY).replace(bytes.fromhex("2b8104000a"), bytes.fromhex("2b81040022")),
    ],
    ids=["nothing", "cut", "longer", "no frame", "no point", "compressed", "another curve"],
)
def test_what_is_no_public_key_of_the_curve_is_refused(spki: bytes) -> None:
    with pytest.raises(Malformed):
        secp256k1.from_spki(spki)


def test_twenty_thousand_signatures_lead_back_to_their_keys() -> None:
    """Random keys and digests, drawn from a seed; a hundredth with a short r, and a hundredth with a short s."""
    chance = random.Random(1)
    forms = [Form.SHORT_R, Form.SHORT_S, *[Form.HIGH_S] * 8, *[Form.ANY] * 90]
    seen = Counter[str]()
    for number in range(SIGNATURES):
        # A key serves a hundred times: its address is a dear part of the test, and no part of the arithmetic.
        if number % 100 == 0:
            secret = chance.randrange(1, ORDER)
            address = secp256k1.address_of(PrivateKey(secret.to_bytes(32)).public_key)
        digest = chance.randbytes(32)
        der = der_of(*sign(secret, digest, form=forms[number % len(forms)], draw=chance.randrange))
        r, s = secp256k1.from_der(der)
        signature = secp256k1.of(r, s, digest=digest, address=address)
        assert signature is not None
        assert (signature.r, signature.s) == (r, min(s, ORDER - s))
        seen.update(high_s=s > HALF_ORDER, short_r=r < SHORT, short_s=s < SHORT, odd=signature.parity)
    assert seen == {"high_s": 10_801, "short_r": 268, "short_s": 287, "odd": 10_085}


def test_a_third_party_finds_the_same_signer() -> None:
    for _ in range(50):
        digest = secrets.token_bytes(32)
        signature = secp256k1.of(*sign(KEY, digest), digest=digest, address=ADDRESS)
        assert signature is not None
        vrs = (27 + signature.parity, signature.r, signature.s)
        assert Account._recover_hash(digest, vrs=vrs) == ADDRESS
