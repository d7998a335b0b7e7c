// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {Owed, Trade} from "./VenueTypes.sol";

/// @notice The arithmetic of positions. Every division rounds toward zero.
library PositionMath {
    uint256 internal constant ONE = 1e10;
    uint256 internal constant HUNDRED_PERCENT = 100e10;
    /// A position whose collateral has lost this share is liquidated.
    uint256 internal constant LIQUIDATION_LOSS_PERCENT = 85;
    uint256 internal constant MAX_STOP_LOSS_P = 80e10;
    uint256 internal constant SECONDS_PER_HOUR = 3600;

    function percentOf(uint256 amount, uint256 percent) internal pure returns (uint256) {
        return amount * percent / HUNDRED_PERCENT;
    }

    function notional(uint256 collateral, uint256 leverage) internal pure returns (uint256) {
        return collateral * leverage / ONE;
    }

    /// @notice How many coins (1e10) a notional (1e6) is at a price (1e10).
    function coins(uint256 notionalUsdc, uint256 price) internal pure returns (uint256) {
        return notionalUsdc * 1e14 / price;
    }

    /// @notice The price after the spread: a buyer pays more, a seller gets less.
    function withSpread(uint256 price, uint256 spreadP, bool buying) internal pure returns (uint256) {
        uint256 spread = percentOf(price, spreadP);
        return buying ? price + spread : price - spread;
    }

    /// @notice Whether a fill lies beyond the slippage, on the side that hurts the trader.
    function slipped(uint256 price, uint256 wantedPrice, uint256 slippageP, bool buying) internal pure returns (bool) {
        uint256 room = percentOf(wantedPrice, slippageP);
        return buying ? price > wantedPrice + room : price + room < wantedPrice;
    }

    /// @notice Profit in percent (1e10) of the collateral, no higher than the pair's cap.
    function percentProfit(Trade memory trade, uint256 price, uint256 maxGainP) internal pure returns (int256) {
        int256 gain = int256(price) - int256(trade.openPrice);
        if (!trade.buy) gain = -gain;
        int256 percent = gain * 100 * int256(trade.leverage) / int256(trade.openPrice);
        return percent > int256(maxGainP) ? int256(maxGainP) : percent;
    }

    function profit(uint256 collateral, int256 percent) internal pure returns (int256) {
        return int256(collateral) * percent / int256(HUNDRED_PERCENT);
    }

    function rollover(uint256 notionalUsdc, uint256 perHourP, uint256 elapsed) internal pure returns (uint256) {
        return notionalUsdc * perHourP * elapsed / (HUNDRED_PERCENT * SECONDS_PER_HOUR);
    }

    /// @param growth of the sum of funding rates times seconds; longs pay when it is positive
    function funding(uint256 notionalUsdc, int256 growth, bool buy) internal pure returns (int256) {
        int256 paid = int256(notionalUsdc) * growth / int256(HUNDRED_PERCENT * SECONDS_PER_HOUR);
        return buy ? paid : -paid;
    }

    /// @notice The share of what is owed that falls to a part of a position's collateral.
    function part(Owed memory owed, uint256 collateral, uint256 whole) internal pure returns (Owed memory) {
        return Owed(owed.rollover * collateral / whole, owed.funding * int256(collateral) / int256(whole));
    }

    function total(Owed memory owed) internal pure returns (int256) {
        return int256(owed.rollover) + owed.funding;
    }

    /// @notice openPrice * (collateral * 0.85 - owed) / (collateral * leverage) away from the open price.
    function liquidationPrice(Trade memory trade, int256 owedUsdc) internal pure returns (uint256) {
        int256 loss = int256(trade.initialPosToken * LIQUIDATION_LOSS_PERCENT / 100) - owedUsdc;
        uint256 room = loss > 0 ? uint256(loss) : 0;
        uint256 distance = trade.openPrice * room * ONE / (trade.initialPosToken * trade.leverage);
        if (!trade.buy) return trade.openPrice + distance;
        return trade.openPrice > distance ? trade.openPrice - distance : 0;
    }

    /// @notice What `collateral` of a position is worth at a profit; nothing once the liquidation loss is reached.
    function value(uint256 collateral, int256 percent, int256 owedUsdc, uint256 closeFee)
        internal
        pure
        returns (uint256)
    {
        int256 gross = int256(collateral) + profit(collateral, percent) - owedUsdc;
        int256 floor = int256(collateral * (100 - LIQUIDATION_LOSS_PERCENT) / 100);
        if (gross <= floor) return 0;
        return gross > int256(closeFee) ? uint256(gross - int256(closeFee)) : 0;
    }

    /// @notice The take profit within the pair's cap; zero asks for the cap itself.
    function cappedTakeProfit(Trade memory trade, uint256 maxGainP) internal pure returns (uint256) {
        uint256 distance = trade.openPrice * maxGainP / (100 * trade.leverage);
        // A short of low leverage can't reach the cap before the price is zero: it has no take profit then.
        if (!trade.buy && distance >= trade.openPrice) return trade.tp;
        uint256 cap = trade.buy ? trade.openPrice + distance : trade.openPrice - distance;
        if (trade.tp == 0) return cap;
        return (trade.buy ? trade.tp > cap : trade.tp < cap) ? cap : trade.tp;
    }

    /// @notice The stop loss, no further away than a loss of 80 % of the collateral; zero stays none.
    function cappedStopLoss(Trade memory trade) internal pure returns (uint256) {
        if (trade.sl == 0) return 0;
        uint256 distance = trade.openPrice * MAX_STOP_LOSS_P / (100 * trade.leverage);
        if (!trade.buy) return trade.sl > trade.openPrice + distance ? trade.openPrice + distance : trade.sl;
        uint256 furthest = trade.openPrice > distance ? trade.openPrice - distance : 0;
        return trade.sl < furthest ? furthest : trade.sl;
    }

    function takeProfitIsWrong(Trade memory trade) internal pure returns (bool) {
        if (trade.tp == 0) return false;
        return trade.buy ? trade.tp <= trade.openPrice : trade.tp >= trade.openPrice;
    }

    function stopLossIsWrong(Trade memory trade) internal pure returns (bool) {
        if (trade.sl == 0) return false;
        return trade.buy ? trade.sl >= trade.openPrice : trade.sl <= trade.openPrice;
    }
}
