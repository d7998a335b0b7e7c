// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {Owned} from "./Owned.sol";
import {PriceFeed} from "./PriceFeed.sol";
import {NotAuthorized, PairNotListed, WrongPrice} from "./VenueTypes.sol";

/// @notice One market: its limits and fees. Leverage and percents 1e10, USDC 1e6.
struct Pair {
    string from;
    string to;
    PriceFeed feed;
    bytes32 feedId;
    bool isListed;
    bool isCloseOnly;
    uint256 minLeverage;
    uint256 maxLeverage;
    uint256 minNotionalUsdc;
    uint256 openFeeP;
    uint256 closeFeeP;
    uint256 spreadP;
    uint256 rolloverPerHourP;
    uint256 maxGainP;
    uint256 maxOpenInterestUsdc;
    uint256 maxWalletOpenInterestUsdc;
}

/// @notice A market's funding. `stored` sums rate times seconds up to `since`.
struct Funding {
    int256 perHourP;
    int256 stored;
    uint256 since;
}

/// @notice The markets, their prices and their open interest.
contract PairStorage is Owned {
    uint256 private constant FEED_TO_VENUE = 100; // 8 decimals to 10

    uint256 public pairsCount;
    address public callbacks;

    mapping(uint256 pairIndex => Pair) private _pairs;
    mapping(uint256 pairIndex => Funding) private _funding;
    /// By pair, then side: 0 long, 1 short.
    mapping(uint256 pairIndex => mapping(uint256 side => uint256)) public openInterestUSDC;
    mapping(address trader => mapping(uint256 pairIndex => uint256)) public walletOI;

    function wire(address callbacks_) external onlyOwner {
        callbacks = callbacks_;
    }

    function addPair(Pair calldata pair_) external onlyOwner {
        _pairs[pairsCount] = pair_;
        pairsCount += 1;
    }

    function setPair(uint256 pairIndex, Pair calldata pair_) external onlyOwner {
        if (pairIndex >= pairsCount) revert PairNotListed();
        _pairs[pairIndex] = pair_;
    }

    /// @param perHourP what longs pay shorts in an hour, of the notional; negative: what shorts pay longs
    function setFunding(uint256 pairIndex, int256 perHourP) external onlyOwner {
        _funding[pairIndex] = Funding(perHourP, accFunding(pairIndex), block.timestamp);
    }

    function fundingPerHourP(uint256 pairIndex) external view returns (int256) {
        return _funding[pairIndex].perHourP;
    }

    /// @notice The sum of every rate times the seconds that it held: what a position owes is the growth of it.
    function accFunding(uint256 pairIndex) public view returns (int256) {
        Funding memory funding = _funding[pairIndex];
        return funding.stored + funding.perHourP * int256(block.timestamp - funding.since);
    }

    function changeOpenInterest(address trader, uint256 pairIndex, bool buy, int256 change) external {
        if (msg.sender != callbacks) revert NotAuthorized();
        uint256 side = buy ? 0 : 1;
        openInterestUSDC[pairIndex][side] = uint256(int256(openInterestUSDC[pairIndex][side]) + change);
        walletOI[trader][pairIndex] = uint256(int256(walletOI[trader][pairIndex]) + change);
    }

    function pair(uint256 pairIndex) external view returns (Pair memory) {
        if (!_pairs[pairIndex].isListed) revert PairNotListed();
        return _pairs[pairIndex];
    }

    /// @notice The oracle's price, 1e10.
    function price(uint256 pairIndex) external view returns (uint256) {
        (, int256 answer,,,) = _pairs[pairIndex].feed.latestRoundData();
        if (answer <= 0) revert WrongPrice();
        return uint256(answer) * FEED_TO_VENUE;
    }

    function isCloseOnly(uint256 pairIndex) external view returns (bool) {
        return _pairs[pairIndex].isCloseOnly;
    }

    function isPairOIHardCapped(uint256 pairIndex) external view returns (bool) {
        return pairOI(pairIndex) >= _pairs[pairIndex].maxOpenInterestUsdc;
    }

    function pairOI(uint256 pairIndex) public view returns (uint256) {
        return openInterestUSDC[pairIndex][0] + openInterestUSDC[pairIndex][1];
    }

    function hasRoom(address trader, uint256 pairIndex, uint256 notionalUsdc) external view returns (bool) {
        Pair storage limits = _pairs[pairIndex];
        return pairOI(pairIndex) + notionalUsdc <= limits.maxOpenInterestUsdc
            && walletOI[trader][pairIndex] + notionalUsdc <= limits.maxWalletOpenInterestUsdc;
    }
}
