"""Signatures on secp256k1 as an EVM chain wants them.

Sources: the curve's order is SEC 2's (2.4.1), low s is EIP-2's, DER is X.690's (8.3 and 10.1), the public key's
frame is RFC 5480's.
"""

from dataclasses import dataclass, field

from coincurve import PublicKey
from eth_utils import keccak, to_checksum_address

from trading.domain.errors import Invalid

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
HALF_ORDER = ORDER // 2

_SEQUENCE, _INTEGER = 0x30, 0x02
_SIGN_BIT = 0x80
# What stands before an uncompressed point: the algorithm, the curve, and the lengths.
_SPKI_FRAME = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
_POINT_LENGTH = 65


class Malformed(Invalid):
    """Bytes that should be a signature or a public key, and aren't, to the letter."""

    code = "SIGNATURE_MALFORMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature with low s, and which of two keys made it: `parity` is that of its point's y."""

    r: int = field(repr=False)
    s: int = field(repr=False)
    parity: int


def from_der(der: bytes) -> tuple[int, int]:
    """r and s of a signature in DER, s as it stands there: low or high.

    Raises:
        Malformed: for anything but the one shortest way to write two numbers between 0 and the order.
    """
    if len(der) < 2 or der[0] != _SEQUENCE or der[1] != len(der) - 2:
        raise Malformed("not one sequence of DER")
    r, rest = _number(der[2:])
    s, rest = _number(rest)
    if rest:
        raise Malformed("more than two numbers")
    return r, s


def of(r: int, s: int, *, digest: bytes, address: str) -> Signature | None:
    """The signature with low s that leads back to an address; None if it was made by another key or of another digest."""
    # Of s and its negative, both valid, the chain takes the smaller one only.
    low = min(s, ORDER - s)
    both = (Signature(r=r, s=low, parity=parity) for parity in (0, 1))
    return next((each for each in both if signer_of(each, digest=digest) == address), None)


def signer_of(signature: Signature, *, digest: bytes) -> str | None:
    """The address whose key made a signature; None if no key could have."""
    try:
        raw = signature.r.to_bytes(32) + signature.s.to_bytes(32) + bytes((signature.parity,))
        key = PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except (ValueError, OverflowError):
        return None
    return address_of(key)


def from_spki(spki: bytes) -> PublicKey:
    """The public key in a SubjectPublicKeyInfo.

    Raises:
        Malformed: for anything but a point of this curve, uncompressed.
    """
    point = spki.removeprefix(_SPKI_FRAME)
    if len(point) == len(spki) or len(point) != _POINT_LENGTH:
        raise Malformed("not a public key of secp256k1")
    try:
        return PublicKey(point)
    except ValueError:
        raise Malformed("not a point of secp256k1") from None


def address_of(key: PublicKey) -> str:
    """A public key's account, checksummed."""
    return str(to_checksum_address(keccak(key.format(compressed=False)[1:])[-20:]))


def _number(der: bytes) -> tuple[int, bytes]:
    """The first number, and what follows it."""
    if len(der) < 3 or der[0] != _INTEGER:
        raise Malformed("not a number of DER")
    body, rest = der[2 : 2 + der[1]], der[2 + der[1] :]
    if not body or len(body) != der[1] or body[0] & _SIGN_BIT:
        raise Malformed("a number that is cut off, empty or negative")
    if body[0] == 0 and len(body) > 1 and not body[1] & _SIGN_BIT:
        raise Malformed("a number with a zero in front that it doesn't need")
    number = int.from_bytes(body)
    if not 0 < number < ORDER:
        raise Malformed("a number outside of the curve's order")
    return number, rest
