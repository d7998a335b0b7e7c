"""Pyth's signed price update (PNAU, the accumulator's format), as far as it says prices: the bytes that a keeper posts.

Header and signatures are stepped over: the chain verifies them. What is read here is only what they sign.
Layout: Pyth's published accumulator format, big-endian, checked against updates that were mined.
"""

import struct
from dataclasses import dataclass
from datetime import datetime

from trading.adapters import reading
from trading.domain.units import Price

_MAGIC = b"PNAU"
_MAJOR = 1
_WORMHOLE_MERKLE = 0
_PRICE_FEED = 0
_PROOF_NODE_BYTES = 20
# feed id, price, confidence, exponent, publish time, previous publish time
_MESSAGE = struct.Struct(">B32sqQiqq")


class NotAnUpdate(ValueError):
    """The bytes aren't a price update as we know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPrice:
    """One price of an update; `feed_id` without 0x."""

    feed_id: str
    price: Price
    confidence: Price
    published_at: datetime


def parse(text: str) -> list[SignedPrice]:
    """The prices of an update, given in hexadecimal.

    Raises:
        NotAnUpdate: if it is anything else.
    """
    try:
        return _Cursor(bytes.fromhex(text.removeprefix("0x"))).prices()
    except (ValueError, struct.error):
        raise NotAnUpdate("not a price update") from None


class _Cursor:
    """Reads bytes from the front; what isn't there raises struct.error."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def prices(self) -> list[SignedPrice]:
        """The prices, once the header is what it should be."""
        if self._take(4) != _MAGIC or self._number(1) != _MAJOR:
            raise NotAnUpdate("another format")
        self._number(1)  # the minor version: additions only
        self._take(self._number(1))  # room for additions
        if self._number(1) != _WORMHOLE_MERKLE:
            raise NotAnUpdate("another proof")
        self._take(self._number(2))  # the guardians' signatures
        return [self._price() for _ in range(self._number(1))]

    def _price(self) -> SignedPrice:
        message = self._take(self._number(2))
        self._take(self._number(1) * _PROOF_NODE_BYTES)
        kind, feed_id, price, confidence, exponent, published, _ = _MESSAGE.unpack_from(message)
        found, band = reading.price(price, exponent), reading.price(confidence, exponent)
        at = reading.instant(published)
        if kind != _PRICE_FEED or found is None or band is None or at is None:
            raise NotAnUpdate("not a price")
        return SignedPrice(feed_id=feed_id.hex(), price=found, confidence=band, published_at=at)

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size))

    def _take(self, size: int) -> bytes:
        part = self._raw[self._at : self._at + size]
        if len(part) != size:
            raise NotAnUpdate("cut short")
        self._at += size
        return part
