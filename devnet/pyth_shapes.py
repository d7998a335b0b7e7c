"""Prices in Pyth's shapes: Hermes's parsed JSON, and the signed update's bytes (with signatures of nobody)."""

import struct
from typing import Any

from devnet.markets import LocalMarket
from devnet.price_faults import Reading

EXPONENT = -8
# The feeds have no confidence interval: a hundredth of a percent is what Pyth shows for these markets in calm hours.
CONFIDENCE_PARTS = 10_000
# type, feed id, price, confidence, exponent, publish time, previous publish time, average price, its confidence
_MESSAGE = struct.Struct(">B32sqQiqqqQ")
# The format's magic and version, no room for additions, a Wormhole proof.
_HEADER = b"PNAU" + bytes([1, 0, 0, 0])
_NO_SIGNATURES = b"local"


def parsed(market: LocalMarket, reading: Reading) -> dict[str, Any]:
    """One entry of Hermes's `parsed`."""
    price = {
        "price": str(reading.answer),
        "conf": str(reading.answer // CONFIDENCE_PARTS),
        "expo": EXPONENT,
        "publish_time": reading.published_at,
    }
    times = {
        "slot": 0,
        "proof_available_time": reading.published_at,
        "prev_publish_time": reading.published_at - 1,
    }
    return {"id": market.feed_id[2:], "price": price, "ema_price": price, "metadata": times}


def update(market: LocalMarket, reading: Reading) -> str:
    """The update's bytes, in hexadecimal."""
    confidence = reading.answer // CONFIDENCE_PARTS
    message = _MESSAGE.pack(
        0,
        bytes.fromhex(market.feed_id[2:]),
        *(reading.answer, confidence, EXPONENT),
        *(reading.published_at, reading.published_at - 1),
        *(reading.answer, confidence),
    )
    signed = _sized(_NO_SIGNATURES) + bytes([1]) + _sized(message) + bytes([0])
    return f"0x{(_HEADER + signed).hex()}"


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(2) + part
