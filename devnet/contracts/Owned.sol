// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {NotAuthorized} from "./VenueTypes.sol";

/// @notice The deployer may wire and tune the local venue.
abstract contract Owned {
    address public immutable owner = msg.sender;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotAuthorized();
        _;
    }
}
