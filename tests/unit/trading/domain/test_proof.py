"""A proof is read strictly, and every secret is tried against every signature."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from trading.domain import proof
from trading.domain.proof import MAX_SIGNATURES, Proof
from trading.domain.source import Auth

# The vector of the Standard Webhooks specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
EPOCH = "1614265330"
BODY = b'{"test": 2432232314}'
MAC = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(int(EPOCH), tz=UTC)
KEY = proof.key_of(SECRET, kind=Auth.STANDARD)


def standard(signature: str = f"v1,{MAC}", *, message_id: str = MESSAGE_ID, epoch: str = EPOCH) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": epoch, "webhook-signature": signature}


def is_proven(headers: dict[str, str], *, body: bytes = BODY, key: bytes = KEY, now: datetime = NOW) -> bool:
    read = proof.read(headers)
    return read is not None and read.is_timely(now) and proof.matches(read, message=body, keys=[key]) == (True,)


def test_the_specifications_vector_is_proven() -> None:
    assert is_proven(standard())


def test_without_its_prefix_a_secret_is_the_same() -> None:
    assert proof.key_of(SECRET.removeprefix("whsec_"), kind=Auth.STANDARD) == KEY
    assert proof.standard_secret(KEY) == SECRET


@pytest.mark.parametrize(
    "signature",
    [
        f"v1,{MAC} v1,{'A' * 43}=",
        f"v1,{'A' * 43}= v1,{MAC}",
        f"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== v1,{MAC}",
        f"nonsense v1,{MAC} v1",
        " ".join([f"v1,{'A' * 43}="] * (MAX_SIGNATURES - 1) + [f"v1,{MAC}"]),
    ],
)
def test_one_of_several_signatures_is_enough(signature: str) -> None:
    assert is_proven(standard(signature))


STANDARD_FAULTS: dict[str, Callable[[], dict[str, str]]] = {
    "no signature": lambda: standard(""),
    "of another version": lambda: standard(f"v2,{MAC}"),
    "without its version": lambda: standard(MAC),
    "spaced": lambda: standard(f"v1, {MAC}"),
    "in capitals": lambda: standard(f"V1,{MAC}"),
    "cut short": lambda: standard(f"v1,{MAC[:-2]}="),
    "one more": lambda: standard(f"v1,{MAC}="),
    "url-safe": lambda: standard(f"v1,{MAC.replace('+', '-').replace('/', '_')}"),
    "the same bits otherwise": lambda: standard(f"v1,{MAC[:-2]}F="),
    "hex": lambda: standard(f"v1,{base64.b64decode(MAC).hex()}"),
    "full width": lambda: standard(f"ｖ１,{MAC}"),
    "joined by a proxy": lambda: standard(f"v1,{'A' * 43}=,v1,{MAC}"),
    "hundreds": lambda: standard(" ".join([f"v1,{MAC}"] * (MAX_SIGNATURES + 1))),
    "huge": lambda: standard("v1," + "A" * 60_000),
    "no id": lambda: standard(message_id=""),
    "another id": lambda: standard(message_id="msg_other"),
    "an id with a newline": lambda: standard(message_id=f"{MESSAGE_ID}\n"),
    "an id not ascii": lambda: standard(message_id="msg_é"),
    "an id too long": lambda: standard(message_id="m" * 257),
    "no time": lambda: standard(epoch=""),
    "another time": lambda: standard(epoch="1614265331"),
    "milliseconds": lambda: standard(epoch=f"{EPOCH}000"),
    "a sign": lambda: standard(epoch=f"+{EPOCH}"),
    "a space": lambda: standard(epoch=f" {EPOCH}"),
    "a newline": lambda: standard(epoch=f"{EPOCH}\n"),
    "a fraction": lambda: standard(epoch=f"{EPOCH}.0"),
    "an exponent": lambda: standard(epoch="1e9"),
    "an underscore": lambda: standard(epoch="1_614_265_330"),
    "full-width digits": lambda: standard(epoch="１６１４２６５３３０"),
    "arabic digits": lambda: standard(epoch="١٦١٤٢٦٥٣٣٠"),
    "hexadecimal": lambda: standard(epoch="0x6037bdb2"),
    "a thousand digits": lambda: standard(epoch="1" * 1_000),
    "a date": lambda: standard(epoch="2021-02-25T15:02:10Z"),
    "nan": lambda: standard(epoch="nan"),
    "only the signature": lambda: {"webhook-signature": f"v1,{MAC}"},
    "in the other header": lambda: {"x-signature": MAC},
}


@pytest.mark.parametrize("name", STANDARD_FAULTS)
def test_a_standard_proof_with_a_fault_is_none(name: str) -> None:
    assert not is_proven(STANDARD_FAULTS[name]())


@pytest.mark.parametrize(
    ("seconds", "timely"), [(0, True), (300, True), (301, False), (-300, True), (-301, False), (-(10**6), False)]
)
def test_a_proof_is_good_for_five_minutes_before_and_after(seconds: int, timely: bool) -> None:
    assert is_proven(standard(), now=NOW + timedelta(seconds=seconds)) is timely


def test_a_proof_is_of_its_body_and_its_key() -> None:
    assert not is_proven(standard(), body=BODY + b" ")
    assert not is_proven(standard(), key=KEY + b"x")


def hex_mac(key: bytes, body: bytes = BODY) -> str:
    return hmac.new(key, body, "sha256").hexdigest()


def test_a_hex_signature_proves_without_a_time() -> None:
    assert is_proven({"x-signature": hex_mac(b"k")}, key=b"k", now=NOW + timedelta(days=9_999))
    assert proof.signature_of(BODY, secret="k") == hex_mac(b"k")


@pytest.mark.parametrize(
    "text", ["", hex_mac(b"k").upper(), hex_mac(b"k") + "\n", hex_mac(b"k")[:-1], hex_mac(b"k") * 2, "g" * 64, "０" * 64]
)
def test_a_hex_signature_is_64_small_digits(text: str) -> None:
    assert proof.read({"x-signature": text}) is None


def test_standard_headers_come_before_the_other() -> None:
    read = proof.read(standard() | {"x-signature": hex_mac(b"k")})
    assert read is not None
    assert read.kind is Auth.STANDARD
    assert proof.read({"webhook-signature": "nonsense", "x-signature": hex_mac(b"k")}) is None


def test_an_empty_key_proves_nothing() -> None:
    empty = Proof(kind=Auth.SIGNATURE, macs=(hex_mac(b"").encode(),))
    assert proof.matches(empty, message=BODY, keys=[b""]) == (False,)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_é", "whsec_YQ", "secret"])
def test_a_text_that_is_no_standard_secret_is_no_key(secret: str) -> None:
    assert proof.key_of(secret, kind=Auth.STANDARD) == b""


@pytest.mark.parametrize("number", range(6))
def test_the_work_is_the_same_for_every_number_of_keys(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    made, compared = [], []
    digest, compare = hmac.digest, hmac.compare_digest
    monkeypatch.setattr(hmac, "digest", lambda *given: (made.append(1), digest(*given))[1])
    monkeypatch.setattr(hmac, "compare_digest", lambda *given: (compared.append(1), compare(*given))[1])
    read = proof.read(standard(f"v1,{MAC} v1,{'A' * 43}= v1,{MAC}"))
    assert read is not None

    found = proof.matches(read, message=BODY, keys=[KEY, b"b", b"c", b"d", b"e"][:number])

    assert found == (True, False, False, False, False)[:number]
    assert (len(made), len(compared)) == (5, 15)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"source": "desk"}', ("desk",)),
        (b'{"source":"desk","meta":{"source":"other"}}', ("desk", "other")),
        (b'{"meta":{"source" \n:\t"other"},"source":"desk"}', ("other", "desk")),
        (b'{"source": "a", "source": "b", "source": "c"}', ("a", "b")),
        (b'{"source": "a", "source": "a"}', ("a",)),
        (b'{"\\u0073ource": "desk"}', ()),
        (b'{"source": "d\\u0065sk"}', ()),
        (b'{"source": "' + b"a" * 64 + b'"}', ("a" * 64,)),
        (b'{"source": "' + b"a" * 65 + b'"}', ()),
        (b'{"source": ""}', ()),
        (b'{"source": "\xc3\xa9"}', ()),
        (b'{"source": 7}', ()),
        (b'{"sources": "desk"}', ()),
        (b"", ()),
        (b"\xff\xfe\x00", ()),
        (b'"source"' * 2_000, ()),
    ],
)
def test_a_name_is_looked_for_before_anything_is_believed(body: bytes, names: tuple[str, ...]) -> None:
    assert proof.named(body) == names


def test_every_name_that_a_source_may_have_is_found() -> None:
    plain = [chr(number) for number in range(0x21, 0x7F) if chr(number) not in '"\\']
    for character in plain:
        assert proof.named(json.dumps({"source": f"a{character} b"}).encode()) == (f"a{character} b",)
