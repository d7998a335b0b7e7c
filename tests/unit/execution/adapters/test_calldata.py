"""Calldata out: selectors as the venue's, arguments read back by their types."""

import pytest
from eth_abi import decode

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
