// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {NotAuthorized} from "./VenueTypes.sol";

/// @notice A Chainlink-shaped feed whose price the operator sets.
contract PriceFeed {
    uint8 public constant decimals = 8;
    uint256 public constant version = 4;
    string public description;
    address public immutable operator;

    uint80 private _round;
    int256 private _answer;
    uint256 private _updatedAt;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(string memory description_, int256 answer, address operator_) {
        description = description_;
        operator = operator_;
        _store(answer, block.timestamp);
    }

    function setAnswer(int256 answer) external {
        if (msg.sender != operator) revert NotAuthorized();
        _store(answer, block.timestamp);
    }

    /// @notice An answer of any age: the way to rehearse a stale feed.
    function setAnswerAt(int256 answer, uint256 updatedAt) external {
        if (msg.sender != operator) revert NotAuthorized();
        _store(answer, updatedAt);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (_round, _answer, _updatedAt, _updatedAt, _round);
    }

    function _store(int256 answer, uint256 updatedAt) private {
        _round += 1;
        _answer = answer;
        _updatedAt = updatedAt;
        emit AnswerUpdated(answer, _round, updatedAt);
    }
}
