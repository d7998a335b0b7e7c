// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {Trade} from "./VenueTypes.sol";

/// @notice What the callbacks tell of fills.
/// The order of the fields is the best guess at the real venue's: a test holds each to its topic.
abstract contract FillEvents {
    event MarketExecuted(
        uint256 orderId,
        Trade t,
        bool open,
        uint256 price,
        uint256 positionSizeUSDC,
        int256 percentProfit,
        uint256 usdcSentToTrader,
        bool isPnl,
        uint256 coinExposure,
        bool isCoinExposureFixed
    );
    event LimitExecuted(
        uint256 orderId,
        uint256 limitIndex,
        Trade t,
        uint8 orderType,
        uint256 price,
        uint256 positionSizeUSDC,
        int256 percentProfit,
        uint256 usdcSentToTrader,
        bool isPnl,
        uint256 coinExposure
    );
    /// What one execution cost, told right before it: `collateral` is what was put up, closed or moved, `fee` that of
    /// opening or closing. The name is the real venue's; the fields are ours.
    event FeesCharged(
        address indexed trader,
        uint256 pairIndex,
        bool long,
        uint256 collateral,
        uint256 leverage,
        uint256 rolloverFees,
        uint256 fee,
        int256 fundingFee
    );
    event TpUpdated(
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        uint256 newTp,
        uint256 timestamp,
        uint256 tradeOpenTimestamp
    );
    event SlUpdated(
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        uint256 newSl,
        uint256 timestamp,
        uint256 tradeOpenTimestamp
    );
    event MarginUpdated(
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        uint8 _type,
        Trade newTrade,
        uint256 marginFees,
        uint256 lossProtectionTier,
        uint256 timestamp,
        uint256 coinExposure
    );
    event PositionSizeIncreased(
        uint256 orderId, bool isPnl, uint256 coinExposureAdded, bool isCoinExposureFixed, Trade t
    );
}
