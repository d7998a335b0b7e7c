"""The venue's calls: selectors as the venue's, arguments read back by their types, and by our own reader."""

from dataclasses import replace

import pytest
from eth_abi import decode, encode
from eth_utils import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.adapters.veranta import calldata
from execution.ports import CloseRequest, OpenRequest
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

TRADER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
DELEGATE = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
TRADE_TYPE = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
OPENING = OpenRequest(
    trader=TRADER,
    pair_index=1,
    direction=Direction.LONG,
    collateral=Usdc.of("123.456789"),
    leverage=Leverage.of("7.5"),
    price=Price.of("60000.0123456789"),
    slippage=Percent.of("0.5"),
    take_profit=Price.of(70_000),
    stop_loss=None,
)


def _arguments(data: str, *types: str) -> tuple[object, ...]:
    return tuple(decode(types, bytes.fromhex(data[10:])))


@pytest.mark.parametrize(
    ("data", "selector"),
    [
        (calldata.open_trade(OPENING), "0x19cde9a1"),
        (
            calldata.close_trade(
                CloseRequest(trader=TRADER, pair_index=1, venue_index=0, collateral=Usdc.of(1), price=Price.of(1))
            ),
            "0xe5a97c92",
        ),
        (calldata.on_behalf_of(TRADER, "0x1234"), "0x9a10cc32"),
        (calldata.call(calldata.SET_DELEGATE, DELEGATE, 1), "0xd6a510d9"),
        (calldata.call(calldata.APPROVE, DELEGATE, 1), "0x095ea7b3"),
        (calldata.call(calldata.ALLOWANCE, TRADER, DELEGATE), "0xdd62ed3e"),
        (calldata.call(calldata.BALANCE_OF, TRADER), "0x70a08231"),
    ],
)
def test_a_call_begins_with_the_venues_selector(data: str, selector: str) -> None:
    assert data[:10] == selector


def test_an_open_reads_back_as_it_was_asked() -> None:
    trade, kind, slippage = _arguments(calldata.open_trade(OPENING), TRADE_TYPE, "uint8", "uint256")

    raw_price = 600_000_123_456_789
    assert trade == (TRADER.lower(), 1, 0, 0, 123_456_789, raw_price, True, 75_000_000_000, 700_000_000_000_000, 0, 0)
    assert (kind, slippage) == (0, 5_000_000_000)


def test_a_close_reads_back_as_it_was_asked() -> None:
    request = CloseRequest(trader=TRADER, pair_index=2, venue_index=39, collateral=Usdc.of("49.932501"), price=Price.of("150.5"))

    assert _arguments(calldata.close_trade(request), *["uint256"] * 4) == (2, 39, 49_932_501, 1_505_000_000_000)


def test_the_delegates_call_carries_the_traders_whole_call() -> None:
    inner = calldata.open_trade(OPENING)

    assert _arguments(calldata.on_behalf_of(TRADER, inner), "address", "bytes") == (TRADER.lower(), bytes.fromhex(inner[2:]))


CLOSING = CloseRequest(trader=TRADER, pair_index=2, venue_index=39, collateral=Usdc.of("49.932501"), price=Price.of("150.5"))
_WORD = st.integers(0, 2**256 - 1)
_ADDRESS = st.binary(min_size=20, max_size=20).map(to_checksum_address)
ORDERS = st.one_of(
    st.builds(
        OpenRequest,
        trader=_ADDRESS,
        pair_index=_WORD,
        direction=st.sampled_from(Direction),
        collateral=_WORD.map(Usdc),
        leverage=_WORD.map(Leverage),
        price=_WORD.map(Price),
        slippage=_WORD.map(Percent),
        take_profit=st.none() | st.integers(1, 2**256 - 1).map(Price),
        stop_loss=st.none() | st.integers(1, 2**256 - 1).map(Price),
    ),
    st.builds(
        CloseRequest, trader=_ADDRESS, pair_index=_WORD, venue_index=_WORD, collateral=_WORD.map(Usdc), price=_WORD.map(Price)
    ),
)


@given(ORDERS)
def test_an_order_is_read_as_it_was_written(order: OpenRequest | CloseRequest) -> None:
    data = calldata.order_call(order)

    assert calldata.read(data) == order
    assert calldata.read(data.upper().replace("0X", "0x")) == order


def _trade(**changes: int | str | bool) -> tuple[int | str | bool, ...]:
    names = ("trader", "pair", "index", "initial", "collateral", "price", "buy", "leverage", "tp", "sl", "timestamp")
    base = (TRADER, 1, 0, 0, 123_456_789, 600_000_123_456_789, True, 75_000_000_000, 700_000_000_000_000, 0, 0)
    return tuple((dict(zip(names, base, strict=True)) | changes).values())


def _forged(*, order_type: int = 0, trader: str = TRADER, **changes: int | str | bool) -> str:
    inner = calldata.call(calldata.OPEN_TRADE, _trade(**changes), order_type, 5_000_000_000)
    return calldata.on_behalf_of(trader, inner)


def test_the_pieces_of_the_forgeries_make_a_whole() -> None:
    assert calldata.read(_forged()) == OPENING


FORGERIES = {
    "a limit order": _forged(order_type=2),
    "for another trader than its delegation": _forged(trader=DELEGATE),
    "an index": _forged(index=1),
    "a token amount": _forged(initial=1),
    "a timestamp": _forged(timestamp=1),
    "bytes behind it": _forged() + "00",
    "a word behind it": _forged() + "00" * 32,
    "cut off": _forged()[:-2],
    "a word cut off": _forged()[:-64],
    "bytes behind the inner call": calldata.on_behalf_of(TRADER, calldata.open_trade(OPENING) + "00"),
    "another way to write the offset": _forged().replace(f"{64:064x}", f"{96:064x}" + f"{0:064x}", 1),
    "a dirty address": _forged().replace("0x9a10cc32" + "00", "0x9a10cc32" + "01", 1),
    "another selector": "0x9a10cc33" + _forged()[10:],
    "an open without its delegation": calldata.open_trade(OPENING),
    "a call within a call": calldata.on_behalf_of(TRADER, _forged()),
    "an empty inner call": calldata.on_behalf_of(TRADER, "0x"),
    "a change of margin": calldata.on_behalf_of(TRADER, "0xb9fe2af3" + "00" * 192),
    "no arguments": "0x9a10cc32",
    "nothing": "0x",
    "no hexadecimal": "0xzz",
    "a close of the v1 form": calldata.on_behalf_of(TRADER, "0x2c3cbce4" + encode(["uint256"] * 3, [1, 0, 5]).hex()),
}


@pytest.mark.parametrize("data", FORGERIES.values(), ids=FORGERIES)
def test_bytes_that_we_would_not_write_are_no_order(data: str) -> None:
    assert calldata.read(data) is None


@pytest.mark.parametrize("name", ["a limit order", "for another trader than its delegation", "a timestamp", "a word behind it"])
def test_without_writing_it_again_the_forgery_would_be_read(name: str) -> None:
    trader, inner = _arguments(FORGERIES[name], "address", "bytes")
    assert isinstance(inner, bytes)
    trade, _, slippage = _arguments("0x" + inner.hex(), TRADE_TYPE, "uint8", "uint256")

    assert isinstance(trade, tuple)
    assert (trader in (TRADER.lower(), DELEGATE.lower()), trade[0], trade[4], slippage) == (
        True,
        TRADER.lower(),
        123_456_789,
        5_000_000_000,
    )


@settings(max_examples=300)
@given(st.data())
def test_changed_bytes_are_no_order_or_another_one(data: st.DataObject) -> None:
    raw = bytearray.fromhex(data.draw(st.sampled_from((_forged(), calldata.order_call(CLOSING))))[2:])
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    read = calldata.read("0x" + raw.hex())
    assert read is None or calldata.order_call(read) == "0x" + raw.hex()


@given(st.binary(max_size=600))
def test_random_bytes_behind_the_selector_are_no_order(raw: bytes) -> None:
    assert calldata.read("0x9a10cc32" + raw.hex()) is None


def test_an_order_for_one_and_a_delegation_of_another_never_pass_as_either() -> None:
    other = replace(CLOSING, trader=DELEGATE)

    assert calldata.read(calldata.order_call(other)) == other
