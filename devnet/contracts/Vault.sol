// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {Owned} from "./Owned.sol";
import {Usdc} from "./Usdc.sol";
import {NotAuthorized} from "./VenueTypes.sol";

/// @notice The other side of every trade: it receives fees and losses, and pays profits.
contract Vault is Owned {
    Usdc public immutable usdc;
    address public callbacks;

    constructor(Usdc usdc_) {
        usdc = usdc_;
    }

    function wire(address callbacks_) external onlyOwner {
        callbacks = callbacks_;
    }

    function payProfit(address trader, uint256 amount) external {
        if (msg.sender != callbacks) revert NotAuthorized();
        usdc.transfer(trader, amount);
    }

    /// @notice Empties the vault as far as asked: the way to rehearse a profit that can't be paid.
    function drain(uint256 amount) external onlyOwner {
        usdc.transfer(owner, amount);
    }
}
