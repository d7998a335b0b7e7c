"""How a source proves that a message is its own: what headers say, read strictly, and what secrets make of it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.domain.source import Auth

# Standard Webhooks: how far its timestamp may be from our clock, and how many signatures one message may carry.
TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 16
# What one message is tried with at most: the environment's secret, and those of two names, two each. Fewer are
# filled up, so that the time of an answer doesn't tell how many there are.
MAX_NAMES = 2
_KEYS = 1 + 2 * MAX_NAMES
_DUMMY = b"nobody's"

_WHSEC = "whsec_"
# A name as the form takes it, in the plain spelling: whoever escapes it isn't found, and so not believed.
_NAMED = re.compile(rb'"source"[ \t\r\n]*:[ \t\r\n]*"([\x20\x21\x23-\x5b\x5d-\x7e]{1,64})"')
_HEX_MAC = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,256}", re.ASCII)
_EPOCH = re.compile(r"[0-9]{1,12}", re.ASCII)
_V1 = re.compile(r"v1,([A-Za-z0-9+/]{43}=)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a message came with: one of the macs must be a secret's over the prefix and the message."""

    kind: Auth
    macs: tuple[bytes, ...]
    prefix: bytes = b""
    signed_at: int | None = None

    def is_timely(self, now: datetime) -> bool:
        """Whether it was made lately; one that doesn't say when is."""
        return self.signed_at is None or abs(now.timestamp() - self.signed_at) <= TOLERANCE_SECONDS


def read(headers: Mapping[str, str]) -> Proof | None:
    """The proof that a request's headers make; None where they make none, or a malformed one."""
    if "webhook-signature" in headers:
        return _standard(headers)
    mac = headers.get("x-signature", "")
    return Proof(kind=Auth.SIGNATURE, macs=(mac.encode(),)) if _HEX_MAC.fullmatch(mac) else None


def _standard(headers: Mapping[str, str]) -> Proof | None:
    message_id, epoch = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _EPOCH.fullmatch(epoch):
        return None
    entries = headers["webhook-signature"].split(" ")
    if len(entries) > MAX_SIGNATURES:
        return None
    # Other versions may stand beside ours.
    macs = tuple(match[1].encode() for match in map(_V1.fullmatch, entries) if match)
    prefix = f"{message_id}.{epoch}.".encode()
    return Proof(kind=Auth.STANDARD, macs=macs, prefix=prefix, signed_at=int(epoch))


def matches(proof: Proof, *, message: bytes, keys: Iterable[bytes]) -> tuple[bool, ...]:
    """For each key, whether it made the proof: every key against every signature, whatever was found before.

    An empty key makes nothing.
    """
    tried = list(keys)
    filled = tried + [_DUMMY] * (_KEYS - len(tried))
    found = [bool(key) & _is_made_by(key, proof, message) for key in filled]
    return tuple(found[: len(tried)])


def _is_made_by(key: bytes, proof: Proof, message: bytes) -> bool:
    expected = mac(key, proof.prefix + message, kind=proof.kind)
    # A sum, since `any` would stop at the first.
    return sum(hmac.compare_digest(expected, each) for each in proof.macs) > 0


def mac(key: bytes, signed: bytes, *, kind: Auth) -> bytes:
    """HMAC-SHA256, in hex or in base64, as the kind has it."""
    digest = hmac.digest(key, signed, "sha256")
    return base64.b64encode(digest) if kind is Auth.STANDARD else digest.hex().encode()


def signature_of(message: bytes, *, secret: str) -> str:
    """Hex HMAC-SHA256, as senders put it into `X-Signature`."""
    return mac(secret.encode(), message, kind=Auth.SIGNATURE).decode()


def key_of(secret: str, *, kind: Auth) -> bytes:
    """The key that a secret's text stands for; empty, which proves nothing, where the text isn't one."""
    if kind is not Auth.STANDARD:
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_WHSEC), validate=True)
    except ValueError:
        return b""


def standard_secret(key: bytes) -> str:
    """A key as Standard Webhooks writes it."""
    return _WHSEC + base64.b64encode(key).decode()


def token_digest(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so that a plain hash can't be tried backwards."""
    return hashlib.sha256(token.encode("utf-8", errors="replace")).hexdigest()


def named(raw: bytes) -> tuple[str, ...]:
    """The sources that a body may be from, read before anything in it is believed: whose secrets are tried.

    Whoever is proven is compared with what the parsed body says, so a wrong name here proves nothing.
    """
    names: list[str] = []
    for match in _NAMED.finditer(raw):
        name = match[1].decode()
        if name not in names:
            names.append(name)
        if len(names) == MAX_NAMES:
            break
    return tuple(names)
