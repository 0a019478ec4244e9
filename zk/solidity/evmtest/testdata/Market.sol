// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Inference} from "./Inference.sol";

/// Takes for each task the answer of whoever proves one first.
contract Market {
    struct Task {
        bytes32 spec; // zero: there is no such task
        bytes32 inputDigest;
        address worker; // who answered
        uint256 output;
    }

    error Refused();

    Inference public immutable verifier;
    mapping(uint256 => Task) public tasks;

    constructor(Inference v) {
        verifier = v;
    }

    function open(uint256 id, bytes32 spec, bytes32 inputDigest) external {
        if (spec == 0 || tasks[id].spec != 0) revert Refused();
        tasks[id] = Task(spec, inputDigest, address(0), 0);
    }

    function answer(uint256 id, uint256 output, bytes calldata proof) external {
        Task storage task = tasks[id];
        if (task.spec == 0 || task.worker != address(0)) revert Refused();
        Inference.Context memory c = Inference.Context({
            network: bytes32(block.chainid),
            market: bytes32(uint256(uint160(address(this)))),
            task: bytes32(id),
            spec: task.spec,
            outputDigest: bytes32(output),
            worker: bytes32(uint256(uint160(msg.sender)))
        });
        if (!verifier.verifyInference(c, task.inputDigest, output, proof)) revert Refused();
        task.worker = msg.sender;
        task.output = output;
    }
}
