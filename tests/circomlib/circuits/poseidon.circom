pragma circom 2.0.0;

// The hash of two numbers, public.
include "circomlib/circuits/poseidon.circom";

component main = Poseidon(2);
