// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

import {ActionNotDelegable, DelegateExpired, NotDelegated} from "./VenueTypes.sol";

/// @notice Who may trade for whom, and until when.
abstract contract Delegation {
    struct Delegate {
        bool isEnabled;
        uint256 expiry;
    }

    mapping(address trader => mapping(address delegate => Delegate)) public multipleDelegations;
    address private _actingFor;

    event DelegateAdded(address indexed trader, address indexed delegate, uint256 expiry);
    event DelegateRemoved(address indexed trader, address indexed delegate);

    /// @param expiry the unix time, in seconds, from which the delegate may no longer act
    function setDelegate(address delegate, uint256 expiry) external {
        multipleDelegations[msg.sender][delegate] = Delegate(true, expiry);
        emit DelegateAdded(msg.sender, delegate, expiry);
    }

    function removeDelegate(address delegate) external {
        delete multipleDelegations[msg.sender][delegate];
        emit DelegateRemoved(msg.sender, delegate);
    }

    /// @notice Acts in the name of `trader`: the call is one of the trading calls, ABI-encoded.
    function delegatedAction(address trader, bytes calldata callData) external payable returns (bytes memory) {
        Delegate memory delegate = multipleDelegations[trader][msg.sender];
        if (!delegate.isEnabled) revert NotDelegated();
        if (delegate.expiry <= block.timestamp) revert DelegateExpired();
        // Only trading is delegable: a delegate that could name delegates could outlive its own removal.
        if (callData.length < 4 || !_isDelegable(bytes4(callData[:4]))) revert ActionNotDelegable();
        _actingFor = trader;
        (bool done, bytes memory answer) = address(this).delegatecall(callData);
        _actingFor = address(0);
        if (!done) _revertWith(answer);
        return answer;
    }

    function _isDelegable(bytes4 selector) internal pure virtual returns (bool);

    /// @dev The trader in whose name this call acts.
    function _trader() internal view returns (address) {
        return _actingFor == address(0) ? msg.sender : _actingFor;
    }

    function _revertWith(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
