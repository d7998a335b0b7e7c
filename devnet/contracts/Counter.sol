// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

/// @notice Counts calls by key: the instrument by which tests count effects on chain.
contract Counter {
    mapping(bytes32 key => uint256) public counts;

    event Bumped(bytes32 indexed key, uint256 count);

    function bump(bytes32 key) external {
        counts[key] += 1;
        emit Bumped(key, counts[key]);
    }
}
