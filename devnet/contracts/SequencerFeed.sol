// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {NotAuthorized} from "./VenueTypes.sol";

/// @notice The layer-two uptime feed: answer 0 says that the sequencer is up, `startedAt` since when.
contract SequencerFeed {
    uint8 public constant decimals = 0;
    string public constant description = "L2 Sequencer Uptime Status Feed";
    address public immutable operator;

    int256 private _answer;
    uint256 private _startedAt = 1;

    constructor(address operator_) {
        operator = operator_;
    }

    function setStatus(int256 answer, uint256 startedAt) external {
        if (msg.sender != operator) revert NotAuthorized();
        _answer = answer;
        _startedAt = startedAt;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, _answer, _startedAt, block.timestamp, 1);
    }
}
