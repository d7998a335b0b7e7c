"""The bloom filter in a block's header: whether a contract can have written an event in that block."""

from eth_utils import keccak

_BYTES = 256
_BITS = 8 * _BYTES - 1


def may_hold(bloom: str, address: str) -> bool:
    """Whether a header's `logsBloom` (0x-hex) allows for an event of an address. False is certain, true is a guess.

    Raises:
        ValueError: if either isn't what it should be.
    """
    filled = bytes.fromhex(bloom.removeprefix("0x"))
    if len(filled) != _BYTES:
        raise ValueError("a bloom filter has 256 bytes")
    wanted = mask(bytes.fromhex(address.removeprefix("0x")))
    return int.from_bytes(filled, "big") & wanted == wanted


def mask(entry: bytes) -> int:
    """The three bits that an entry sets (yellow paper, 4.4.1): the low 11 bits of its hash's first three pairs of bytes."""
    digest = keccak(entry)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & _BITS)
    return bits
