// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {Delegation} from "./Delegation.sol";
import {OrderEvents} from "./OrderEvents.sol";
import {Owned} from "./Owned.sol";
import {Pair, PairStorage} from "./PairStorage.sol";
import {PositionMath} from "./PositionMath.sol";
import {TradingCallbacks} from "./TradingCallbacks.sol";
import {TradingStorage} from "./TradingStorage.sol";
import {
    AlreadyBeingClosed,
    AmountAboveCollateral,
    BelowMinPosition,
    LimitOrder,
    MarginChange,
    NoOrder,
    NotAuthorized,
    NoTrade,
    OpenLimitOrder,
    OpenOrderType,
    OperatorNotPaid,
    PairIsCloseOnly,
    Paused,
    PendingKind,
    PendingOrder,
    PnlOrderNotAllowed,
    TooManyTrades,
    Trade,
    TradeInfo,
    UpdatePositionSize,
    WrongLeverage,
    WrongPrice,
    WrongSl,
    WrongSlippage,
    WrongTp,
    ZeroAmount
} from "./VenueTypes.sol";

/// @notice The venue's door: what traders call, and where the keeper brings their orders.
contract TradingRouter is Owned, Delegation, OrderEvents {
    using PositionMath for uint256;
    using PositionMath for Trade;

    uint256 public constant maxSlippageP = 80e10;

    TradingStorage public store;
    PairStorage public pairs;
    TradingCallbacks public callbacks;
    address public operator;
    bool public isPaused;

    /// Signed intents aren't part of the local venue, so every bit reads zero.
    mapping(address signer => mapping(uint256 wordPos => uint256)) public nonceBitmap;

    modifier onlyOperator() {
        if (msg.sender != operator) revert NotAuthorized();
        _;
    }

    modifier whenRunning() {
        if (isPaused) revert Paused();
        _;
    }

    /// @dev What a trader sends along is the operator's, whatever becomes of the order.
    modifier payingOperator() {
        if (msg.value > 0) _forwardToOperator();
        _;
    }

    function wire(TradingStorage store_, PairStorage pairs_, TradingCallbacks callbacks_, address operator_)
        external
        onlyOwner
    {
        store = store_;
        pairs = pairs_;
        callbacks = callbacks_;
        operator = operator_;
    }

    function pause() external onlyOwner {
        isPaused = true;
    }

    function unpause() external onlyOwner {
        isPaused = false;
    }

    /// @notice The EIP-712 domain of the venue's signed intents.
    function domainSeparator() external view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("AvantisTrading"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
    }

    // The trader's calls.

    function openTrade(Trade calldata t, OpenOrderType orderType, uint256 slippageP)
        external
        payable
        whenRunning
        payingOperator
        returns (uint256)
    {
        if (orderType == OpenOrderType.MARKET_PNL) revert PnlOrderNotAllowed();
        if (t.trader != _trader()) revert NotAuthorized();
        _checkOpening(t, slippageP);
        store.escrow(t.trader, t.positionSizeUSDC);
        if (orderType == OpenOrderType.MARKET) return _initiateOpen(t, slippageP);
        return _placeLimit(t, orderType, slippageP);
    }

    /// @param amount the collateral to close; less than the position's leaves the rest open
    function closeTradeMarket(uint256 pairIndex, uint256 index, uint256 amount, uint256 wantedPrice)
        external
        payable
        whenRunning
        payingOperator
        returns (uint256)
    {
        Trade memory trade = _ownTrade(pairIndex, index);
        if (amount == 0) revert ZeroAmount();
        if (amount > trade.initialPosToken) revert AmountAboveCollateral();
        if (wantedPrice == 0) revert WrongPrice();
        store.markBeingClosed(trade.trader, pairIndex, index);
        return _initiate(
            PendingOrder({
                kind: PendingKind.CLOSE,
                initiatedBlock: block.number,
                collateral: amount,
                wantedPrice: wantedPrice,
                slippageP: store.openTradeInfo(trade.trader, pairIndex, index).slippageP,
                trade: trade
            })
        );
    }

    function increasePositionSize(UpdatePositionSize calldata update, uint256 slippageP)
        external
        payable
        whenRunning
        payingOperator
        returns (uint256 orderId)
    {
        if (update.trader != _trader()) revert NotAuthorized();
        Trade memory trade = _ownTrade(update.pairIndex, update.index);
        _checkTerms(update.pairIndex, update.initialPosToken, update.leverage, update.openPrice, slippageP);
        store.escrow(trade.trader, update.initialPosToken);
        trade.leverage = update.leverage;
        orderId = store.registerPending(
            PendingOrder({
                kind: PendingKind.INCREASE,
                initiatedBlock: block.number,
                collateral: update.initialPosToken,
                wantedPrice: update.openPrice,
                slippageP: slippageP,
                trade: trade
            })
        );
        emit IncreasePositionRequested(
            orderId,
            trade.trader,
            trade.pairIndex,
            trade.index,
            trade.buy,
            false,
            update.initialPosToken,
            update.initialPosToken.notional(update.leverage).coins(update.openPrice),
            false
        );
    }

    /// @notice Adds or takes collateral at once; no keeper is needed. The price comes from the feed, not from the data.
    function updateMargin(
        uint256 pairIndex,
        uint256 index,
        MarginChange change,
        uint256 amount,
        bytes[] calldata,
        uint8
    ) external payable whenRunning payingOperator {
        Trade memory trade = _ownTrade(pairIndex, index);
        if (amount == 0) revert ZeroAmount();
        if (change == MarginChange.DEPOSIT) store.escrow(trade.trader, amount);
        callbacks.updateMargin(trade.trader, pairIndex, index, change, amount);
    }

    function updateOpenLimitOrder(
        uint256 pairIndex,
        uint256 index,
        uint256 price,
        uint256 slippageP,
        uint256 tp,
        uint256 sl
    ) external whenRunning {
        OpenLimitOrder memory order = _ownLimit(pairIndex, index);
        if (price == 0) revert WrongPrice();
        if (slippageP > maxSlippageP) revert WrongSlippage();
        (order.trade.openPrice, order.trade.tp, order.trade.sl) = (price, tp, sl);
        order.slippageP = slippageP;
        _checkProtection(order.trade, pairs.pair(pairIndex));
        store.updateLimit(order);
        emit OpenLimitUpdated(order.trade.trader, pairIndex, index, price, tp, sl, block.timestamp);
    }

    function cancelOpenLimitOrder(uint256 pairIndex, uint256 index) external whenRunning {
        Trade memory trade = _ownLimit(pairIndex, index).trade;
        store.removeLimit(trade.trader, pairIndex, index);
        store.release(trade.trader, trade.positionSizeUSDC);
        emit OpenLimitCanceled(trade.trader, pairIndex, index, block.timestamp, trade.positionSizeUSDC);
    }

    // The operator's calls.

    function executeMarketOrder(uint256 orderId) external onlyOperator whenRunning {
        callbacks.executeMarketOrder(orderId);
    }

    function executeLimitOrder(LimitOrder kind, address trader, uint256 pairIndex, uint256 index)
        external
        onlyOperator
        whenRunning
    {
        callbacks.executeLimitOrder(kind, trader, pairIndex, index);
    }

    /// @notice New levels for a position, as its trader signed them: really an intent, here the operator's word is taken.
    function updateTpSl(address trader, uint256 pairIndex, uint256 index, uint256 tp, uint256 sl)
        external
        onlyOperator
        whenRunning
    {
        callbacks.updateTpSl(trader, pairIndex, index, tp, sl);
    }

    /// @notice Gives back what an unfilled order escrowed; works while paused, for it only returns money.
    function cancelPendingMarketOrder(uint256 orderId) external onlyOperator {
        callbacks.cancelPendingMarketOrder(orderId);
    }

    function _forwardToOperator() private {
        (bool paid,) = operator.call{value: msg.value}("");
        if (!paid) revert OperatorNotPaid();
    }

    // Checks.

    function _checkOpening(Trade calldata t, uint256 slippageP) private view {
        Pair memory pair = _checkTerms(t.pairIndex, t.positionSizeUSDC, t.leverage, t.openPrice, slippageP);
        _checkProtection(t, pair);
        if (!store.hasPlace(t.trader, t.pairIndex)) revert TooManyTrades();
    }

    function _checkTerms(
        uint256 pairIndex,
        uint256 collateral,
        uint256 leverage,
        uint256 wantedPrice,
        uint256 slippageP
    ) private view returns (Pair memory pair) {
        pair = pairs.pair(pairIndex);
        if (pair.isCloseOnly) revert PairIsCloseOnly();
        if (wantedPrice == 0) revert WrongPrice();
        if (slippageP > maxSlippageP) revert WrongSlippage();
        if (leverage < pair.minLeverage || leverage > pair.maxLeverage) revert WrongLeverage();
        if (collateral.notional(leverage) < pair.minNotionalUsdc) revert BelowMinPosition();
    }

    function _checkProtection(Trade memory t, Pair memory pair) private pure {
        if (t.takeProfitIsWrong() || (t.tp != 0 && t.cappedTakeProfit(pair.maxGainP) != t.tp)) revert WrongTp();
        if (t.stopLossIsWrong() || t.cappedStopLoss() != t.sl) revert WrongSl();
    }

    function _ownTrade(uint256 pairIndex, uint256 index) private view returns (Trade memory trade) {
        trade = store.openTrade(_trader(), pairIndex, index);
        if (trade.leverage == 0) revert NoTrade();
        TradeInfo memory kept = store.openTradeInfo(trade.trader, pairIndex, index);
        if (kept.beingMarketClosed) revert AlreadyBeingClosed();
    }

    function _ownLimit(uint256 pairIndex, uint256 index) private view returns (OpenLimitOrder memory order) {
        order = store.openLimitOrders(_trader(), pairIndex, index);
        if (order.trade.leverage == 0) revert NoOrder();
    }

    function _isDelegable(bytes4 selector) internal pure override returns (bool) {
        return selector == this.openTrade.selector || selector == this.closeTradeMarket.selector
            || selector == this.increasePositionSize.selector || selector == this.updateMargin.selector
            || selector == this.updateOpenLimitOrder.selector || selector == this.cancelOpenLimitOrder.selector;
    }

    // Pieces.

    function _initiateOpen(Trade calldata t, uint256 slippageP) private returns (uint256) {
        return _initiate(
            PendingOrder({
                kind: PendingKind.OPEN,
                initiatedBlock: block.number,
                collateral: t.positionSizeUSDC,
                wantedPrice: t.openPrice,
                slippageP: slippageP,
                trade: t
            })
        );
    }

    function _initiate(PendingOrder memory order) private returns (uint256 orderId) {
        orderId = store.registerPending(order);
        uint256 notional = order.collateral.notional(order.trade.leverage);
        _announce(orderId, order, notional.coins(order.wantedPrice));
    }

    function _placeLimit(Trade calldata t, OpenOrderType orderType, uint256 slippageP) private returns (uint256 index) {
        OpenLimitOrder memory order = OpenLimitOrder(t, orderType, slippageP);
        index = store.storeLimit(order);
        order.trade.index = index;
        _announceLimit(order, t.positionSizeUSDC.notional(t.leverage).coins(t.openPrice));
    }

    function _announceLimit(OpenLimitOrder memory order, uint256 coinExposure) private {
        emit OpenLimitPlaced(
            order.trade.trader,
            order.trade.pairIndex,
            order.trade.index,
            order.trade.buy,
            order.trade.openPrice,
            msg.value,
            uint8(order.orderType),
            order.slippageP,
            order.trade.positionSizeUSDC,
            order.trade.leverage,
            coinExposure,
            block.timestamp
        );
    }

    function _announce(uint256 orderId, PendingOrder memory order, uint256 coinExposure) private {
        emit MarketOrderInitiated(
            order.trade.trader,
            order.trade.pairIndex,
            order.kind == PendingKind.OPEN,
            orderId,
            block.timestamp,
            order.trade.buy,
            false,
            order.collateral,
            order.trade.leverage,
            order.trade.leverage,
            coinExposure,
            false,
            order.wantedPrice
        );
    }
}
