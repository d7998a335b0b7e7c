"""Pyth's signed updates: a recorded one, the local venue's, and everything that isn't one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devnet import pyth_shapes
from devnet.markets import MARKETS
from devnet.price_faults import Reading
from trading.adapters.pyth_update import NotAnUpdate, SignedPrice, parse
from trading.domain.units import Price

# An update of Equity.US.TSLA/USD as it was posted to a chain on 2024-09-09, with thirteen guardians' signatures.
RECORDED = (Path(__file__).parent / "recorded_update.hex").read_text().replace("\n", "")
TESLA = "16dad506d7db8da01c87581c87ca897a012a153557d4d578c3b9c9e1bc0632f1"
ETHER = MARKETS[0]
LOCAL = pyth_shapes.update(ETHER, Reading(answer=312_350_000_000, published_at=1_800_000_000))


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_recorded_update_is_read(prefix: str) -> None:
    assert parse(prefix + RECORDED) == [
        SignedPrice(
            feed_id=TESLA,
            price=Price.of("216.19027"),
            confidence=Price.of("0.27648"),
            published_at=datetime(2024, 9, 9, 14, 57, 15, tzinfo=UTC),
        )
    ]


def test_the_local_venues_update_is_read() -> None:
    assert parse(LOCAL) == [
        SignedPrice(
            feed_id=ETHER.feed_id[2:],
            price=Price.of("3123.5"),
            confidence=Price.of("0.31235"),
            published_at=datetime.fromtimestamp(1_800_000_000, tz=UTC),
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("", "0x", "0x01", "0x02", "not hexadecimal", "0x504e4155", "ä"),
        RECORDED.replace("504e4155", "504e4156", 1),
        RECORDED.replace("504e415501", "504e415502", 1),
        RECORDED.replace("504e41550100000003b8", "504e41550100000103b8", 1),
        # Another kind of message, an exponent out of range, a time before 1970 and one of the year 58000.
        RECORDED.replace("00550016dad5", "00550116dad5"),
        RECORDED.replace("fffffffb", "7ffffffb"),
        RECORDED.replace("fffffffb0000000066df0ccb", "fffffffbffffffffffffffff"),
        RECORDED.replace("fffffffb0000000066df0ccb", "fffffffb000001a000000000"),
    ],
)
def test_anything_else_is_not_an_update(text: str) -> None:
    with pytest.raises(NotAnUpdate):
        parse(text)


@given(cut=st.integers(0, len(LOCAL) - 1))
def test_an_update_that_is_cut_short_is_none(cut: int) -> None:
    # The last byte is the number of the proof's nodes.
    with pytest.raises(NotAnUpdate):
        parse(LOCAL[:cut])


@given(raw=st.binary(max_size=300))
def test_whatever_the_bytes_nothing_else_is_raised(raw: bytes) -> None:
    for text in (raw.hex(), LOCAL[:10] + raw.hex(), LOCAL[:40] + raw.hex()):
        try:
            parse(text)
        except NotAnUpdate:
            continue
