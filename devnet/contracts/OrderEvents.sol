// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

/// @notice What the router tells of orders.
/// The order of the fields is the best guess at the real venue's: a test holds each to its topic.
abstract contract OrderEvents {
    event MarketOrderInitiated(
        address indexed trader,
        uint256 pairIndex,
        bool open,
        uint256 orderId,
        uint256 timestamp,
        bool isBuy,
        bool isPnl,
        uint256 initialPosToken,
        uint256 minLeverage,
        uint256 maxLeverage,
        uint256 coinExposure,
        bool isCoinExposureFixed,
        uint256 wantedPrice
    );
    event IncreasePositionRequested(
        uint256 orderId,
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        bool isBuy,
        bool isPnl,
        uint256 addedCollateral,
        uint256 coinExposure,
        bool isCoinExposureFixed
    );
    event OpenLimitPlaced(
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        bool isBuy,
        uint256 openPrice,
        uint256 executionFee,
        uint8 orderType,
        uint256 slippageP,
        uint256 collateral,
        uint256 leverage,
        uint256 coinExposure,
        uint256 timestamp
    );
    event OpenLimitUpdated(
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        uint256 newPrice,
        uint256 newTp,
        uint256 newSl,
        uint256 timestamp
    );
    event OpenLimitCanceled(
        address indexed trader, uint256 pairIndex, uint256 index, uint256 timestamp, uint256 collateral
    );
}
