"""The venue's functions, encoded by us and read back (selectors: venue.md section 2.3)."""

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import function_signature_to_4byte_selector, to_checksum_address

from execution.ports import CloseRequest, OpenRequest
from trading.domain.position import Direction
from trading.domain.units import Leverage, Percent, Price, Usdc

_TRADE = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256,uint256)"
OPEN_TRADE = f"openTrade({_TRADE},uint8,uint256)"
CLOSE_TRADE_MARKET = "closeTradeMarket(uint256,uint256,uint256,uint256)"
DELEGATED_ACTION = "delegatedAction(address,bytes)"
SET_DELEGATE = "setDelegate(address,uint256)"
MULTIPLE_DELEGATIONS = "multipleDelegations(address,address)"
APPROVE = "approve(address,uint256)"
ALLOWANCE = "allowance(address,address)"
BALANCE_OF = "balanceOf(address)"
OPEN_TRADES_COUNT = "openTradesCount(address,uint256)"
OPEN_LIMITS_COUNT = "openLimitOrdersCount(address,uint256)"
OPEN_TRADES = "openTrades(address,uint256,uint256)"
OPEN_LIMIT_ORDERS = "openLimitOrders(address,uint256,uint256)"
PENDING_ORDER_IDS = "getPendingOrderIds(address)"
PENDING_ORDER = "reqID_pendingMarketOrder(uint256)"

_MARKET_ORDER = 0
_SELECTOR_LENGTH = 4


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


def order_call(request: OpenRequest | CloseRequest) -> str:
    """The delegate's call that opens or closes."""
    inner = open_trade(request) if isinstance(request, OpenRequest) else close_trade(request)
    return on_behalf_of(request.trader, inner)


def read(data: str) -> OpenRequest | CloseRequest | None:
    """The order in a delegate's call; None for any bytes that `order_call` wouldn't write for it."""
    try:
        request = _request(bytes.fromhex(data.removeprefix("0x")))
    except (DecodingError, ValueError, OverflowError):
        return None
    # Read loosely, then written again: whatever we didn't look at makes a difference.
    return request if request is not None and order_call(request) == data.lower() else None


def _request(raw: bytes) -> OpenRequest | CloseRequest | None:
    trader, inner = decode(_arguments(DELEGATED_ACTION), raw[_SELECTOR_LENGTH:])
    selector, arguments = inner[:_SELECTOR_LENGTH], inner[_SELECTOR_LENGTH:]
    if selector == function_signature_to_4byte_selector(OPEN_TRADE):
        return _open_request(arguments)
    if selector == function_signature_to_4byte_selector(CLOSE_TRADE_MARKET):
        return _close_request(trader, arguments)
    return None


def _open_request(arguments: bytes) -> OpenRequest:
    trade, _, slippage = decode(_arguments(OPEN_TRADE), arguments)
    trader, pair_index, _, _, collateral, price, is_long, leverage, take_profit, stop_loss, _ = trade
    return OpenRequest(
        trader=str(to_checksum_address(trader)),
        pair_index=pair_index,
        direction=Direction.LONG if is_long else Direction.SHORT,
        collateral=Usdc(collateral),
        leverage=Leverage(leverage),
        price=Price(price),
        slippage=Percent(slippage),
        take_profit=Price(take_profit) if take_profit else None,
        stop_loss=Price(stop_loss) if stop_loss else None,
    )


def _close_request(trader: str, arguments: bytes) -> CloseRequest:
    pair_index, venue_index, collateral, price = decode(_arguments(CLOSE_TRADE_MARKET), arguments)
    return CloseRequest(
        trader=str(to_checksum_address(trader)),
        pair_index=pair_index,
        venue_index=venue_index,
        collateral=Usdc(collateral),
        price=Price(price),
    )


def _arguments(signature: str) -> list[str]:
    inner = signature[signature.index("(") + 1 : -1]
    parts, depth, start = [], 0, 0
    for at, character in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(inner[start:at])
            start = at + 1
    return [*parts, inner[start:]] if inner else []
