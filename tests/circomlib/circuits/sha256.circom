pragma circom 2.0.0;

// The SHA-256 digest, bit by bit, of 32 secret bytes: one block.
include "circomlib/circuits/sha256/sha256.circom";

component main = Sha256(256);
