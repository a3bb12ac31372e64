pragma circom 2.0.0;

// A Baby Jubjub signature: everything but the signature itself is public.
include "circomlib/circuits/eddsaposeidon.circom";

component main {public [enabled, Ax, Ay, M]} = EdDSAPoseidonVerifier();
