// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.24;

/// @notice A set that can be listed; adding and removing cost the same however many members it has.
library IndexedSet {
    struct Set {
        uint256[] members;
        mapping(uint256 member => uint256 place) places; // from 1; 0 is absence
    }

    function add(Set storage set, uint256 member) internal {
        set.members.push(member);
        set.places[member] = set.members.length;
    }

    function remove(Set storage set, uint256 member) internal {
        uint256 place = set.places[member];
        uint256 last = set.members[set.members.length - 1];
        set.members[place - 1] = last;
        set.places[last] = place;
        set.members.pop();
        delete set.places[member];
    }

    /// @notice At most `count` members from `offset` on: a whole list may cost more gas than a call allows.
    function page(Set storage set, uint256 offset, uint256 count) internal view returns (uint256[] memory members) {
        uint256 length = set.members.length;
        uint256 rest = offset < length ? length - offset : 0;
        members = new uint256[](rest < count ? rest : count);
        for (uint256 i = 0; i < members.length; i++) {
            members[i] = set.members[offset + i];
        }
    }
}
