"""Calldata out: the venue's functions, encoded by us (selectors: venue.md section 2.3)."""

from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector

from execution.ports import CloseRequest, OpenRequest
from trading.domain.position import Direction

_TRADE = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
OPEN_TRADE = f"openTrade({_TRADE},uint8,uint256)"
CLOSE_TRADE_MARKET = "closeTradeMarket(uint256,uint256,uint256,uint256)"
DELEGATED_ACTION = "delegatedAction(address,bytes)"
SET_DELEGATE = "setDelegate(address,uint256)"
MULTIPLE_DELEGATIONS = "multipleDelegations(address,address)"
APPROVE = "approve(address,uint256)"
ALLOWANCE = "allowance(address,address)"
BALANCE_OF = "balanceOf(address)"

_MARKET_ORDER = 0


def call(signature: str, *values: object) -> str:
    """A function call as 0x-hex: selector and arguments."""
    types = _arguments(signature)
    return "0x" + (function_signature_to_4byte_selector(signature) + encode(types, values)).hex()


def open_trade(request: OpenRequest) -> str:
    """A market open. The venue sets index, time and token fields itself; a target of 0 means its cap, a stop of 0 none."""
    trade = (
        request.trader,
        request.pair_index,
        0,
        0,
        request.collateral.raw,
        request.price.raw,
        request.direction is Direction.LONG,
        request.leverage.raw,
        request.take_profit.raw if request.take_profit else 0,
        request.stop_loss.raw if request.stop_loss else 0,
        0,
    )
    return call(OPEN_TRADE, trade, _MARKET_ORDER, request.slippage.raw)


def close_trade(request: CloseRequest) -> str:
    """A market close of so much collateral."""
    return call(CLOSE_TRADE_MARKET, request.pair_index, request.venue_index, request.collateral.raw, request.price.raw)


def on_behalf_of(trader: str, data: str) -> str:
    """The delegate's wrapping of a trader's call."""
    return call(DELEGATED_ACTION, trader, bytes.fromhex(data.removeprefix("0x")))


def _arguments(signature: str) -> list[str]:
    inner = signature[signature.index("(") + 1 : -1]
    parts, depth, start = [], 0, 0
    for at, character in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(inner[start:at])
            start = at + 1
    return [*parts, inner[start:]] if inner else []
