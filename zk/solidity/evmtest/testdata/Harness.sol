// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Poseidon2} from "./Poseidon2.sol";

/// Shows the library to the tests.
contract Harness {
    function first(uint256[8] memory state) external pure returns (uint256) {
        uint256 place;
        assembly ("memory-safe") {
            place := state
        }
        return Poseidon2.first(place);
    }
}
