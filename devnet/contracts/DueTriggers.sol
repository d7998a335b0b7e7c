// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {TradingCallbacks} from "./TradingCallbacks.sol";
import {TradingStorage} from "./TradingStorage.sol";
import {DueTrigger, LimitOrder} from "./VenueTypes.sol";

/// @notice Lists what the price has reached, so that the keeper needs no memory of positions.
contract DueTriggers {
    TradingStorage public immutable store;
    TradingCallbacks public immutable callbacks;

    constructor(TradingStorage store_, TradingCallbacks callbacks_) {
        store = store_;
        callbacks = callbacks_;
    }

    /// @notice The due triggers of positions, in a page of the list of positions. `listed` is 0 after the last page.
    function ofTrades(uint256 offset, uint256 count) external view returns (uint256 listed, DueTrigger[] memory due) {
        uint256[] memory keys = store.tradeKeys(offset, count);
        LimitOrder[] memory kinds = new LimitOrder[](3);
        (kinds[0], kinds[1], kinds[2]) = (LimitOrder.LIQ, LimitOrder.SL, LimitOrder.TP);
        return (keys.length, _due(keys, kinds));
    }

    function ofLimits(uint256 offset, uint256 count) external view returns (uint256 listed, DueTrigger[] memory due) {
        uint256[] memory keys = store.limitKeys(offset, count);
        LimitOrder[] memory kinds = new LimitOrder[](1);
        kinds[0] = LimitOrder.OPEN;
        return (keys.length, _due(keys, kinds));
    }

    function _due(uint256[] memory keys, LimitOrder[] memory kinds) private view returns (DueTrigger[] memory due) {
        due = new DueTrigger[](keys.length);
        uint256 found = 0;
        for (uint256 i = 0; i < keys.length; i++) {
            (address trader, uint256 pairIndex, uint256 index) = store.unkey(keys[i]);
            for (uint256 k = 0; k < kinds.length; k++) {
                if (!callbacks.isTriggered(kinds[k], trader, pairIndex, index)) continue;
                due[found++] = DueTrigger(kinds[k], trader, pairIndex, index);
                break;
            }
        }
        // The array was made for the worst case: cut it to what was found.
        assembly ("memory-safe") {
            mstore(due, found)
        }
    }
}
