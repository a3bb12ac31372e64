pragma circom 2.0.0;

// A secret leaf lies in the tree of a public root, at a secret place.
include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/switcher.circom";

template Member(depth) {
    signal input root;
    signal input leaf;
    signal input sibling[depth];
    signal input right[depth];

    component order[depth];
    component node[depth];
    signal on_path[depth + 1];
    on_path[0] <== leaf;
    for (var level = 0; level < depth; level++) {
        right[level] * (1 - right[level]) === 0;
        order[level] = Switcher();
        order[level].sel <== right[level];
        order[level].L <== on_path[level];
        order[level].R <== sibling[level];
        node[level] = Poseidon(2);
        node[level].inputs[0] <== order[level].outL;
        node[level].inputs[1] <== order[level].outR;
        on_path[level + 1] <== node[level].out;
    }
    root === on_path[depth];
}

component main {public [root]} = Member(20);
