"""The bloom filter, against the vector that go-ethereum and its kin hold themselves to."""

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from execution.adapters.bloom import mask, may_hold

EMPTY, FULL = "0x" + "00" * 256, "0x" + "ff" * 256
ROUTER = "0x44914408af82bc9983bbb330e3578e1105e11d4e"


def _filled(*entries: bytes) -> bytes:
    bits = 0
    for entry in entries:
        bits |= mask(entry)
    return bits.to_bytes(256, "big")


def test_a_hundred_entries_give_the_known_filter() -> None:
    filled = _filled(*(f"xxxxxxxxxx data {number} yyyyyyyyyyyyyy".encode() for number in range(100)))

    assert keccak(filled).hex() == "c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263"


def test_an_empty_filter_holds_nobody_and_a_full_one_everybody() -> None:
    assert (may_hold(EMPTY, ROUTER), may_hold(FULL, ROUTER)) == (False, True)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_the_spelling_of_an_address_doesnt_matter(spelling: object) -> None:
    address = "0x" + spelling(ROUTER[2:])  # type: ignore[operator]

    assert may_hold("0x" + _filled(bytes.fromhex(ROUTER[2:])).hex(), address)


@given(st.binary(min_size=20, max_size=20), st.lists(st.binary(min_size=20, max_size=32), max_size=20))
def test_who_is_in_a_filter_is_never_denied(address: bytes, others: list[bytes]) -> None:
    assert may_hold("0x" + _filled(address, *others).hex(), "0x" + address.hex())


def test_two_of_three_bits_arent_enough() -> None:
    wanted = mask(bytes.fromhex(ROUTER[2:]))
    without_lowest = wanted & (wanted - 1)

    assert not may_hold("0x" + without_lowest.to_bytes(256, "big").hex(), ROUTER)


@pytest.mark.parametrize("bloom", ["", "0x", "0x00", "0x" + "00" * 255, "0x" + "00" * 257, "zz"])
def test_what_is_no_filter_is_refused(bloom: str) -> None:
    with pytest.raises(ValueError, match=r"256 bytes|hexadecimal"):
        may_hold(bloom, ROUTER)
