// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {FillEvents} from "./FillEvents.sol";
import {Owned} from "./Owned.sol";
import {Pair, PairStorage} from "./PairStorage.sol";
import {PositionMath} from "./PositionMath.sol";
import {TradingStorage} from "./TradingStorage.sol";
import {Vault} from "./Vault.sol";
import {
    ExposureLimitsBreached,
    HighSlippage,
    LimitOrder,
    MarginChange,
    NotAuthorized,
    NotTriggered,
    NoTrade,
    OpenLimitOrder,
    OpenOrderType,
    OrderExpired,
    OrderNotExpired,
    Owed,
    PairIsCloseOnly,
    PendingKind,
    PendingOrder,
    PositionMismatch,
    Trade,
    TradeInfo,
    WithdrawTooLarge,
    WrongLeverage,
    WrongSl,
    WrongTp
} from "./VenueTypes.sol";

/// @notice Fills: what happens once the keeper brings an order and the oracle has a price.
contract TradingCallbacks is Owned, FillEvents {
    using PositionMath for uint256;
    using PositionMath for Trade;
    using PositionMath for Owed;

    /// A market order can be filled this many blocks after its own; later it can only be canceled.
    uint256 public constant marketOrderLifetimeBlocks = 15;
    uint256 private constant MIN_VALUE_AFTER_WITHDRAW_PERCENT = 20;

    TradingStorage public immutable store;
    PairStorage public immutable pairs;
    Vault public immutable vault;
    address public trading;

    /// @notice What one closing amounts to.
    struct Closing {
        uint256 price;
        int256 percentProfit;
        uint256 sent;
        uint256 coins;
        uint256 fee;
        Owed owed;
    }

    modifier onlyTrading() {
        if (msg.sender != trading) revert NotAuthorized();
        _;
    }

    constructor(TradingStorage store_, PairStorage pairs_, Vault vault_) {
        store = store_;
        pairs = pairs_;
        vault = vault_;
    }

    function wire(address trading_) external onlyOwner {
        trading = trading_;
    }

    // Market orders.

    function executeMarketOrder(uint256 orderId) external onlyTrading {
        PendingOrder memory order = store.pendingOrder(orderId);
        if (block.number > order.initiatedBlock + marketOrderLifetimeBlocks) revert OrderExpired();
        store.unregisterPending(orderId);
        if (order.kind == PendingKind.OPEN) _executeOpen(orderId, order);
        else if (order.kind == PendingKind.CLOSE) _executeClose(orderId, order);
        else _executeIncrease(orderId, order);
    }

    function cancelPendingMarketOrder(uint256 orderId) external onlyTrading {
        PendingOrder memory order = store.pendingOrder(orderId);
        if (block.number <= order.initiatedBlock + marketOrderLifetimeBlocks) revert OrderNotExpired();
        store.cancelPending(orderId);
    }

    function _executeOpen(uint256 orderId, PendingOrder memory order) private {
        (Trade memory trade, uint256 coinExposure) =
            _open(order.trade, order.collateral, order.wantedPrice, order.slippageP);
        emit MarketExecuted(
            orderId, trade, true, trade.openPrice, trade.initialPosToken, 0, 0, false, coinExposure, false
        );
    }

    function _executeClose(uint256 orderId, PendingOrder memory order) private {
        Trade memory trade = _samePosition(order.trade);
        store.unmarkBeingClosed(trade.trader, trade.pairIndex, trade.index);
        Closing memory closing = _quoteClose(trade, order.collateral);
        if (closing.price.slipped(order.wantedPrice, order.slippageP, !trade.buy)) revert HighSlippage();
        _close(trade, order.collateral, closing);
        emit MarketExecuted(
            orderId,
            trade,
            false,
            closing.price,
            order.collateral,
            closing.percentProfit,
            closing.sent,
            false,
            closing.coins,
            false
        );
    }

    function _executeIncrease(uint256 orderId, PendingOrder memory order) private {
        Trade memory trade = _samePosition(order.trade);
        Pair memory pair = pairs.pair(trade.pairIndex);
        uint256 price = _openingPrice(pair, trade.pairIndex, trade.buy, order.wantedPrice, order.slippageP);
        uint256 addedLeverage = order.trade.leverage;
        uint256 fee = order.collateral.notional(addedLeverage).percentOf(pair.openFeeP);
        uint256 added = (order.collateral - fee).notional(addedLeverage);
        _checkRoom(trade, added);

        uint256 held = trade.initialPosToken.notional(trade.leverage);
        Owed memory owed = _takeOwed(trade, pair);
        trade.openPrice = (held + added) * trade.openPrice * price / (held * price + added * trade.openPrice);
        trade.initialPosToken = _after(trade, owed, int256(order.collateral - fee));
        _resize(trade, pair, held, held + added);
        store.release(address(vault), fee);
        _charge(trade, order.collateral, addedLeverage, fee, owed);
        emit PositionSizeIncreased(orderId, false, added.coins(price), false, trade);
    }

    // Limit orders and triggers.

    function executeLimitOrder(LimitOrder kind, address trader, uint256 pairIndex, uint256 index) external onlyTrading {
        if (!isTriggered(kind, trader, pairIndex, index)) revert NotTriggered();
        if (kind == LimitOrder.OPEN) _executeLimitOpen(trader, pairIndex, index);
        else _executeTrigger(kind, store.openTrade(trader, pairIndex, index));
    }

    function _executeLimitOpen(address trader, uint256 pairIndex, uint256 index) private {
        OpenLimitOrder memory order = store.openLimitOrders(trader, pairIndex, index);
        uint256 wantedPrice = order.trade.openPrice;
        store.removeLimit(trader, pairIndex, index);
        (Trade memory trade, uint256 coinExposure) =
            _open(order.trade, order.trade.positionSizeUSDC, wantedPrice, order.slippageP);
        // On an opening this event carries the trigger price in the place of the profit, as on the real venue.
        emit LimitExecuted(
            store.nextOrderId(),
            index,
            trade,
            uint8(LimitOrder.OPEN),
            trade.openPrice,
            trade.initialPosToken,
            int256(wantedPrice),
            0,
            false,
            coinExposure
        );
    }

    function _executeTrigger(LimitOrder kind, Trade memory trade) private {
        uint256 collateral = trade.initialPosToken;
        Closing memory closing = _quoteClose(trade, collateral);
        if (kind == LimitOrder.LIQ) (closing.sent, closing.fee) = (0, 0);
        _close(trade, collateral, closing);
        emit LimitExecuted(
            store.nextOrderId(),
            trade.index,
            trade,
            uint8(kind),
            closing.price,
            collateral,
            closing.percentProfit,
            closing.sent,
            false,
            closing.coins
        );
    }

    /// @notice Whether the oracle's price has reached a trigger. A liquidation goes before a stop loss.
    function isTriggered(LimitOrder kind, address trader, uint256 pairIndex, uint256 index) public view returns (bool) {
        if (kind == LimitOrder.OPEN) return _limitIsTriggered(store.openLimitOrders(trader, pairIndex, index));
        Trade memory trade = store.openTrade(trader, pairIndex, index);
        if (trade.leverage == 0) return false;
        uint256 price = pairs.price(pairIndex);
        if (kind == LimitOrder.TP) return trade.tp != 0 && (trade.buy ? price >= trade.tp : price <= trade.tp);
        uint256 liquidation = trade.liquidationPrice(_owed(trade, pairs.pair(pairIndex)).total());
        bool liquidated = trade.buy ? price <= liquidation : price >= liquidation;
        if (kind == LimitOrder.LIQ) return liquidated;
        return !liquidated && trade.sl != 0 && (trade.buy ? price <= trade.sl : price >= trade.sl);
    }

    function _limitIsTriggered(OpenLimitOrder memory order) private view returns (bool) {
        if (order.trade.leverage == 0) return false;
        uint256 price = pairs.price(order.trade.pairIndex);
        // A limit waits for a better price, a stop limit for a worse one.
        bool waitsForFall = order.trade.buy == (order.orderType == OpenOrderType.LIMIT);
        return waitsForFall ? price <= order.trade.openPrice : price >= order.trade.openPrice;
    }

    function getTradeLiquidationPrice(address trader, uint256 pairIndex, uint256 index) external view returns (uint256) {
        Trade memory trade = store.openTrade(trader, pairIndex, index);
        if (trade.leverage == 0) revert NoTrade();
        return trade.liquidationPrice(_owed(trade, pairs.pair(pairIndex)).total());
    }

    /// @notice What holding a position has cost since it was last taken.
    function getTradeOwed(address trader, uint256 pairIndex, uint256 index) external view returns (Owed memory) {
        Trade memory trade = store.openTrade(trader, pairIndex, index);
        if (trade.leverage == 0) revert NoTrade();
        return _owed(trade, pairs.pair(pairIndex));
    }

    // Margin.

    function updateMargin(address trader, uint256 pairIndex, uint256 index, MarginChange change, uint256 amount)
        external
        onlyTrading
    {
        Trade memory trade = store.openTrade(trader, pairIndex, index);
        Pair memory pair = pairs.pair(pairIndex);
        uint256 held = trade.initialPosToken.notional(trade.leverage);
        Owed memory owed = _takeOwed(trade, pair);
        int256 result = trade.initialPosToken.profit(trade.percentProfit(pairs.price(pairIndex), pair.maxGainP));
        bool isDeposit = change == MarginChange.DEPOSIT;
        trade.initialPosToken = _after(trade, owed, isDeposit ? int256(amount) : -int256(amount));
        if (!isDeposit) {
            _checkWithdrawal(trade.initialPosToken, result);
            store.release(trader, amount);
        }
        _resize(trade, pair, held, held);
        _charge(trade, amount, trade.leverage, 0, owed);
        emit MarginUpdated(
            trader,
            pairIndex,
            index,
            uint8(change),
            trade,
            owed.rollover,
            0,
            block.timestamp,
            held.coins(trade.openPrice)
        );
    }

    function _checkWithdrawal(uint256 collateral, int256 result) private pure {
        int256 least = int256(collateral * MIN_VALUE_AFTER_WITHDRAW_PERCENT / 100);
        if (int256(collateral) + result <= least) revert WithdrawTooLarge();
    }

    // Protection.

    /// @notice A stop may lie beyond the entry, where it keeps a profit; only at the opening it may not.
    function updateTpSl(address trader, uint256 pairIndex, uint256 index, uint256 tp, uint256 sl) external onlyTrading {
        Trade memory trade = store.openTrade(trader, pairIndex, index);
        if (trade.leverage == 0) revert NoTrade();
        (trade.tp, trade.sl) = (tp, sl);
        trade.tp = trade.cappedTakeProfit(pairs.pair(pairIndex).maxGainP);
        trade.sl = trade.cappedStopLoss();
        if (trade.takeProfitIsWrong()) revert WrongTp();
        store.updateTrade(trade);
        emit TpUpdated(trader, pairIndex, index, trade.tp, block.timestamp, trade.positionSizeUSDC);
        emit SlUpdated(trader, pairIndex, index, trade.sl, block.timestamp, trade.positionSizeUSDC);
    }

    // Pieces.

    function _open(Trade memory trade, uint256 collateral, uint256 wantedPrice, uint256 slippageP)
        private
        returns (Trade memory, uint256 coinExposure)
    {
        Pair memory pair = pairs.pair(trade.pairIndex);
        trade.openPrice = _openingPrice(pair, trade.pairIndex, trade.buy, wantedPrice, slippageP);
        uint256 fee = collateral.notional(trade.leverage).percentOf(pair.openFeeP);
        trade.initialPosToken = collateral - fee;
        trade.positionSizeUSDC = block.timestamp;
        trade.timestamp = block.timestamp;
        _settleProtection(trade, pair);
        uint256 notional = trade.initialPosToken.notional(trade.leverage);
        _checkRoom(trade, notional);
        _changeExposure(trade, 0, notional);
        trade.index = store.storeTrade(trade, slippageP, pairs.accFunding(trade.pairIndex));
        store.release(address(vault), fee);
        _charge(trade, collateral, trade.leverage, fee, Owed(0, 0));
        return (trade, notional.coins(trade.openPrice));
    }

    function _openingPrice(Pair memory pair, uint256 pairIndex, bool buy, uint256 wantedPrice, uint256 slippageP)
        private
        view
        returns (uint256 price)
    {
        if (pair.isCloseOnly) revert PairIsCloseOnly();
        price = pairs.price(pairIndex).withSpread(pair.spreadP, buy);
        if (price.slipped(wantedPrice, slippageP, buy)) revert HighSlippage();
    }

    function _settleProtection(Trade memory trade, Pair memory pair) private pure {
        trade.tp = trade.cappedTakeProfit(pair.maxGainP);
        trade.sl = trade.cappedStopLoss();
        if (trade.takeProfitIsWrong()) revert WrongTp();
        if (trade.stopLossIsWrong()) revert WrongSl();
    }

    function _checkRoom(Trade memory trade, uint256 added) private view {
        if (!pairs.hasRoom(trade.trader, trade.pairIndex, added)) revert ExposureLimitsBreached();
    }

    function _changeExposure(Trade memory trade, uint256 before, uint256 afterwards) private {
        pairs.changeOpenInterest(trade.trader, trade.pairIndex, trade.buy, int256(afterwards) - int256(before));
    }

    /// @dev Gives a position its new leverage, and the timestamp by which a stale order is told.
    function _resize(Trade memory trade, Pair memory pair, uint256 before, uint256 afterwards) private {
        trade.leverage = afterwards * PositionMath.ONE / trade.initialPosToken;
        if (trade.leverage < pair.minLeverage || trade.leverage > pair.maxLeverage) revert WrongLeverage();
        // The leverage was rounded: what is counted is what a closing will take off again.
        _changeExposure(trade, before, trade.initialPosToken.notional(trade.leverage));
        trade.tp = trade.cappedTakeProfit(pair.maxGainP);
        trade.timestamp = block.timestamp;
        store.updateTrade(trade);
    }

    /// @dev Takes what is owed out of a position, or pays what is owed to it into it; the vault is the other side.
    function _takeOwed(Trade memory trade, Pair memory pair) private returns (Owed memory owed) {
        owed = _owed(trade, pair);
        store.restartCosts(trade.trader, trade.pairIndex, trade.index, pairs.accFunding(trade.pairIndex));
        int256 total = owed.total();
        if (total > 0) store.release(address(vault), uint256(total));
        if (total < 0) vault.payProfit(address(store), uint256(-total));
    }

    function _after(Trade memory trade, Owed memory owed, int256 moved) private pure returns (uint256) {
        int256 left = int256(trade.initialPosToken) + moved - owed.total();
        if (left <= 0) revert WithdrawTooLarge();
        return uint256(left);
    }

    function _owed(Trade memory trade, Pair memory pair) private view returns (Owed memory) {
        TradeInfo memory kept = store.openTradeInfo(trade.trader, trade.pairIndex, trade.index);
        uint256 notional = trade.initialPosToken.notional(trade.leverage);
        int256 growth = pairs.accFunding(trade.pairIndex) - kept.fundingFrom;
        return Owed(
            notional.rollover(pair.rolloverPerHourP, block.timestamp - kept.rolloverFrom),
            notional.funding(growth, trade.buy)
        );
    }

    function _charge(Trade memory trade, uint256 collateral, uint256 leverage, uint256 fee, Owed memory owed) private {
        emit FeesCharged(
            trade.trader,
            trade.pairIndex,
            trade.buy,
            collateral,
            leverage,
            owed.rollover,
            fee,
            owed.funding
        );
    }

    function _quoteClose(Trade memory trade, uint256 collateral) private view returns (Closing memory closing) {
        Pair memory pair = pairs.pair(trade.pairIndex);
        uint256 notional = collateral.notional(trade.leverage);
        closing.owed = _owed(trade, pair).part(collateral, trade.initialPosToken);
        closing.price = pairs.price(trade.pairIndex).withSpread(pair.spreadP, !trade.buy);
        closing.percentProfit = trade.percentProfit(closing.price, pair.maxGainP);
        closing.fee = notional.percentOf(pair.closeFeeP);
        closing.sent = collateral.value(closing.percentProfit, closing.owed.total(), closing.fee);
        if (closing.sent == 0) closing.fee = 0;
        closing.coins = notional.coins(trade.openPrice);
    }

    function _close(Trade memory trade, uint256 collateral, Closing memory closing) private {
        uint256 before = trade.initialPosToken.notional(trade.leverage);
        uint256 rest = trade.initialPosToken - collateral;
        _changeExposure(trade, before, rest.notional(trade.leverage));
        if (rest == 0) store.removeTrade(trade.trader, trade.pairIndex, trade.index);
        else _shrink(trade, rest);
        _payOut(trade.trader, collateral, closing.sent);
        _charge(trade, collateral, trade.leverage, closing.fee, closing.owed);
    }

    function _shrink(Trade memory trade, uint256 rest) private {
        Trade memory smaller = store.openTrade(trade.trader, trade.pairIndex, trade.index);
        smaller.initialPosToken = rest;
        smaller.timestamp = block.timestamp;
        store.updateTrade(smaller);
    }

    /// @dev A loss goes from the escrow to the vault; a profit comes from the vault.
    function _payOut(address trader, uint256 collateral, uint256 sent) private {
        if (sent > collateral) {
            store.release(trader, collateral);
            vault.payProfit(trader, sent - collateral);
        } else {
            store.release(trader, sent);
            store.release(address(vault), collateral - sent);
        }
    }

    /// @dev The position an order was made for, or a revert: since then it may have closed, and its index been reused.
    function _samePosition(Trade memory asked) private view returns (Trade memory trade) {
        trade = store.openTrade(asked.trader, asked.pairIndex, asked.index);
        if (trade.leverage == 0 || trade.timestamp != asked.timestamp) revert PositionMismatch();
    }
}
