// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

// Units: USDC 1e6; price, leverage, percent and coins 1e10 (a percent of 1e10 is 1 %); time in seconds.

/// @notice A position, and also the wish for one.
/// In a wish `positionSizeUSDC` is the collateral and `initialPosToken` is zero. Once stored, `initialPosToken` is the
/// collateral net of fees and `positionSizeUSDC` holds the block time of the opening: the real venue does the same.
struct Trade {
    address trader;
    uint256 pairIndex;
    uint256 index;
    uint256 initialPosToken;
    uint256 positionSizeUSDC;
    uint256 openPrice;
    bool buy;
    uint256 leverage;
    uint256 tp;
    uint256 sl;
    uint256 timestamp;
}

/// @notice The wish to add collateral to a position: `initialPosToken` is what is added, `openPrice` the wanted price.
struct UpdatePositionSize {
    address trader;
    uint256 pairIndex;
    uint256 index;
    uint256 openPrice;
    uint256 initialPosToken;
    uint256 leverage;
}

/// @notice What the venue keeps beside a position: since when rollover is owed, and from which sum of funding on.
struct TradeInfo {
    uint256 slippageP;
    uint256 rolloverFrom;
    bool beingMarketClosed;
    int256 fundingFrom;
}

/// @notice What holding a position costs. Positive funding: its trader pays.
struct Owed {
    uint256 rollover;
    int256 funding;
}

/// @notice A market order that waits for the keeper; `collateral` is what it opens, closes or adds.
struct PendingOrder {
    PendingKind kind;
    uint256 initiatedBlock;
    uint256 collateral;
    uint256 wantedPrice;
    uint256 slippageP;
    Trade trade;
}

/// @notice A limit order that waits for its price; `trade.positionSizeUSDC` is the escrowed collateral.
struct OpenLimitOrder {
    Trade trade;
    OpenOrderType orderType;
    uint256 slippageP;
}

/// @notice A trigger that the price has reached.
struct DueTrigger {
    LimitOrder kind;
    address trader;
    uint256 pairIndex;
    uint256 index;
}

enum OpenOrderType {
    MARKET,
    STOP_LIMIT,
    LIMIT,
    MARKET_PNL
}

enum LimitOrder {
    TP,
    SL,
    LIQ,
    OPEN
}

enum MarginChange {
    DEPOSIT,
    WITHDRAW
}

enum PendingKind {
    OPEN,
    CLOSE,
    INCREASE
}

// The names that the real venue publishes.
error BelowMinPosition();
error HighSlippage();
error PnlOrderNotAllowed();
error PositionMismatch();
error WrongSl();
error WrongTp();

// Ours, for refusals whose real names are unknown.
error ActionNotDelegable();
error AlreadyBeingClosed();
error AmountAboveCollateral();
error DelegateExpired();
error ExposureLimitsBreached();
error NoOrder();
error NoTrade();
error NotAuthorized();
error NotDelegated();
error NotTriggered();
error OperatorNotPaid();
error OrderExpired();
error OrderNotExpired();
error PairIsCloseOnly();
error PairNotListed();
error Paused();
error TooManyPendingOrders();
error TooManyTrades();
error WithdrawTooLarge();
error WrongLeverage();
error WrongPrice();
error WrongSlippage();
error ZeroAmount();
