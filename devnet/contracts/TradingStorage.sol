// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {IndexedSet} from "./IndexedSet.sol";
import {Owned} from "./Owned.sol";
import {Usdc} from "./Usdc.sol";
import {
    NoOrder,
    NotAuthorized,
    OpenLimitOrder,
    PendingKind,
    PendingOrder,
    TooManyPendingOrders,
    TooManyTrades,
    Trade,
    TradeInfo
} from "./VenueTypes.sol";

/// @notice Orders, positions and the escrow; the address that traders allow to take their USDC.
contract TradingStorage is Owned {
    using IndexedSet for IndexedSet.Set;

    Usdc public immutable usdc;
    address public trading;
    address public callbacks;
    address public vault;

    uint256 public constant maxTradesPerPair = 40;
    uint256 public maxPendingMarketOrders = 5;

    mapping(address trader => mapping(uint256 pairIndex => mapping(uint256 index => Trade))) public openTrades;
    mapping(address trader => mapping(uint256 pairIndex => mapping(uint256 index => TradeInfo))) public openTradesInfo;
    mapping(address trader => mapping(uint256 pairIndex => uint256)) public openTradesCount;
    mapping(address trader => mapping(uint256 pairIndex => mapping(uint256 index => OpenLimitOrder))) private _limits;
    mapping(address trader => mapping(uint256 pairIndex => uint256)) public openLimitOrdersCount;
    mapping(address trader => mapping(uint256 pairIndex => uint256)) public pendingMarketOpenCount;
    mapping(uint256 orderId => PendingOrder) private _pending;

    uint256 private _lastOrderId;
    IndexedSet.Set private _pendingIds;
    mapping(address trader => IndexedSet.Set) private _pendingIdsOf;
    IndexedSet.Set private _tradeKeys;
    IndexedSet.Set private _limitKeys;

    event MarketOpenCanceled(uint256 orderId, address indexed trader, uint256 pairIndex);
    event MarketCloseCanceled(
        uint256 orderId, address indexed trader, uint256 pairIndex, uint256 index, uint256 timestamp
    );

    modifier onlyVenue() {
        if (msg.sender != trading && msg.sender != callbacks) revert NotAuthorized();
        _;
    }

    constructor(Usdc usdc_) {
        usdc = usdc_;
    }

    function wire(address trading_, address callbacks_, address vault_) external onlyOwner {
        trading = trading_;
        callbacks = callbacks_;
        vault = vault_;
    }

    function setMaxPendingMarketOrders(uint256 limit) external onlyOwner {
        maxPendingMarketOrders = limit;
    }

    // Money.

    function escrow(address trader, uint256 amount) external onlyVenue {
        usdc.transferFrom(trader, address(this), amount);
    }

    function release(address to, uint256 amount) external onlyVenue {
        if (amount > 0) usdc.transfer(to, amount);
    }

    // Pending market orders.

    function nextOrderId() external onlyVenue returns (uint256) {
        return ++_lastOrderId;
    }

    function registerPending(PendingOrder calldata order) external onlyVenue returns (uint256 orderId) {
        address trader = order.trade.trader;
        if (pendingOrderIdsCount(trader) >= maxPendingMarketOrders) revert TooManyPendingOrders();
        orderId = ++_lastOrderId;
        _pending[orderId] = order;
        _pendingIds.add(orderId);
        _pendingIdsOf[trader].add(orderId);
        if (order.kind == PendingKind.OPEN) pendingMarketOpenCount[trader][order.trade.pairIndex] += 1;
    }

    function unregisterPending(uint256 orderId) public onlyVenue {
        PendingOrder storage order = _pending[orderId];
        address trader = order.trade.trader;
        if (order.kind == PendingKind.OPEN) pendingMarketOpenCount[trader][order.trade.pairIndex] -= 1;
        _pendingIds.remove(orderId);
        _pendingIdsOf[trader].remove(orderId);
        delete _pending[orderId];
    }

    /// @notice Takes an order off the book and gives back all that it escrowed.
    function cancelPending(uint256 orderId) external onlyVenue {
        PendingOrder memory order = pendingOrder(orderId);
        unregisterPending(orderId);
        Trade memory trade = order.trade;
        if (order.kind == PendingKind.CLOSE) {
            // Another position may lie at this index by now: its own close must stay marked.
            if (openTrades[trade.trader][trade.pairIndex][trade.index].timestamp == trade.timestamp) {
                openTradesInfo[trade.trader][trade.pairIndex][trade.index].beingMarketClosed = false;
            }
            emit MarketCloseCanceled(orderId, trade.trader, trade.pairIndex, trade.index, block.timestamp);
        } else {
            usdc.transfer(trade.trader, order.collateral);
            emit MarketOpenCanceled(orderId, trade.trader, trade.pairIndex);
        }
    }

    function pendingOrder(uint256 orderId) public view returns (PendingOrder memory order) {
        order = _pending[orderId];
        if (order.trade.trader == address(0)) revert NoOrder();
    }

    function reqID_pendingMarketOrder(uint256 orderId) external view returns (PendingOrder memory) {
        return _pending[orderId];
    }

    function pendingOrderIdsCount(address trader) public view returns (uint256) {
        return _pendingIdsOf[trader].members.length;
    }

    function getPendingOrderIds(address trader) external view returns (uint256[] memory) {
        return _pendingIdsOf[trader].members;
    }

    /// @notice Every pending order with the block it was initiated in: the keeper's list of work.
    function pendingOrders(uint256 offset, uint256 count)
        external
        view
        returns (uint256[] memory orderIds, uint256[] memory initiatedBlocks)
    {
        orderIds = _pendingIds.page(offset, count);
        initiatedBlocks = new uint256[](orderIds.length);
        for (uint256 i = 0; i < orderIds.length; i++) {
            initiatedBlocks[i] = _pending[orderIds[i]].initiatedBlock;
        }
    }

    // Positions.

    function storeTrade(Trade memory trade, uint256 slippageP, int256 fundingFrom)
        external
        onlyVenue
        returns (uint256 index)
    {
        index = firstEmptyTradeIndex(trade.trader, trade.pairIndex);
        trade.index = index;
        openTrades[trade.trader][trade.pairIndex][index] = trade;
        openTradesInfo[trade.trader][trade.pairIndex][index] = TradeInfo(slippageP, block.timestamp, false, fundingFrom);
        openTradesCount[trade.trader][trade.pairIndex] += 1;
        _tradeKeys.add(key(trade.trader, trade.pairIndex, index));
    }

    function updateTrade(Trade calldata trade) external onlyVenue {
        openTrades[trade.trader][trade.pairIndex][trade.index] = trade;
    }

    function restartCosts(address trader, uint256 pairIndex, uint256 index, int256 fundingFrom) external onlyVenue {
        openTradesInfo[trader][pairIndex][index].rolloverFrom = block.timestamp;
        openTradesInfo[trader][pairIndex][index].fundingFrom = fundingFrom;
    }

    function markBeingClosed(address trader, uint256 pairIndex, uint256 index) external onlyVenue {
        openTradesInfo[trader][pairIndex][index].beingMarketClosed = true;
    }

    function unmarkBeingClosed(address trader, uint256 pairIndex, uint256 index) external onlyVenue {
        openTradesInfo[trader][pairIndex][index].beingMarketClosed = false;
    }

    function removeTrade(address trader, uint256 pairIndex, uint256 index) external onlyVenue {
        delete openTrades[trader][pairIndex][index];
        delete openTradesInfo[trader][pairIndex][index];
        openTradesCount[trader][pairIndex] -= 1;
        _tradeKeys.remove(key(trader, pairIndex, index));
    }

    function openTrade(address trader, uint256 pairIndex, uint256 index) external view returns (Trade memory) {
        return openTrades[trader][pairIndex][index];
    }

    function openTradeInfo(address trader, uint256 pairIndex, uint256 index) external view returns (TradeInfo memory) {
        return openTradesInfo[trader][pairIndex][index];
    }

    function firstEmptyTradeIndex(address trader, uint256 pairIndex) public view returns (uint256) {
        for (uint256 i = 0; i < maxTradesPerPair; i++) {
            if (openTrades[trader][pairIndex][i].leverage == 0) return i;
        }
        revert TooManyTrades();
    }

    /// @notice Whether one more opening still fits: positions, limit orders and pending openings share the places.
    function hasPlace(address trader, uint256 pairIndex) external view returns (bool) {
        uint256 taken = openTradesCount[trader][pairIndex] + openLimitOrdersCount[trader][pairIndex];
        return taken + pendingMarketOpenCount[trader][pairIndex] < maxTradesPerPair;
    }

    function tradeKeys(uint256 offset, uint256 count) external view returns (uint256[] memory) {
        return _tradeKeys.page(offset, count);
    }

    // Limit orders.

    function storeLimit(OpenLimitOrder memory order) external onlyVenue returns (uint256 index) {
        Trade memory trade = order.trade;
        index = firstEmptyOpenLimitIndex(trade.trader, trade.pairIndex);
        order.trade.index = index;
        _limits[trade.trader][trade.pairIndex][index] = order;
        openLimitOrdersCount[trade.trader][trade.pairIndex] += 1;
        _limitKeys.add(key(trade.trader, trade.pairIndex, index));
    }

    function updateLimit(OpenLimitOrder calldata order) external onlyVenue {
        _limits[order.trade.trader][order.trade.pairIndex][order.trade.index] = order;
    }

    function removeLimit(address trader, uint256 pairIndex, uint256 index) external onlyVenue {
        delete _limits[trader][pairIndex][index];
        openLimitOrdersCount[trader][pairIndex] -= 1;
        _limitKeys.remove(key(trader, pairIndex, index));
    }

    function openLimitOrders(address trader, uint256 pairIndex, uint256 index)
        external
        view
        returns (OpenLimitOrder memory)
    {
        return _limits[trader][pairIndex][index];
    }

    function firstEmptyOpenLimitIndex(address trader, uint256 pairIndex) public view returns (uint256) {
        for (uint256 i = 0; i < maxTradesPerPair; i++) {
            if (_limits[trader][pairIndex][i].trade.leverage == 0) return i;
        }
        revert TooManyTrades();
    }

    function limitKeys(uint256 offset, uint256 count) external view returns (uint256[] memory) {
        return _limitKeys.page(offset, count);
    }

    // A place in the book as one number, so that it can be listed.

    function key(address trader, uint256 pairIndex, uint256 index) public pure returns (uint256) {
        return (uint256(uint160(trader)) << 96) | (pairIndex << 48) | index;
    }

    function unkey(uint256 place) external pure returns (address trader, uint256 pairIndex, uint256 index) {
        return (address(uint160(place >> 96)), uint48(place >> 48), uint48(place));
    }
}
