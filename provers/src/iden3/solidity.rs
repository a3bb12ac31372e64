//! A verifier contract for one verifying key, for chains that have the BN254 precompiles (EIP-196, EIP-197).
//!
//! Invariants: 1. the contract accepts what [`crate::groth16::verify`] accepts and nothing else: inputs below r,
//! coordinates below q, no identity, one encoding per proof; 2. its only state is in its code.
//! Knows nothing of what a statement means: the caller must know where its inputs come from.

use std::fmt::Write;

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;

use crate::groth16::VerifyingKey;

/// The contract's name.
pub const CONTRACT: &str = "UkehiVerifier";

/// Solidity source of the verifier of proofs under `key`; `title` is one line that says whose key it is.
///
/// # Panics
/// If `title` has control characters: it stands in a comment.
#[must_use]
pub fn verifier_contract(key: &VerifyingKey, title: &str) -> String {
    assert!(
        !title.chars().any(char::is_control),
        "a contract's title is one line"
    );
    let points = key.points();
    let mut constants = String::new();
    for (name, value) in [
        ("R", Fr::MODULUS.to_string()),
        ("Q", Fq::MODULUS.to_string()),
    ] {
        constant(&mut constants, name, &value);
    }
    g1(&mut constants, "ALPHA", &points.alpha_g1);
    g2(&mut constants, "BETA", &points.beta_g2);
    g2(&mut constants, "GAMMA", &points.gamma_g2);
    g2(&mut constants, "DELTA", &points.delta_g2);
    for (index, point) in points.gamma_abc_g1.iter().enumerate() {
        g1(&mut constants, &format!("IC{index}"), point);
    }
    let mut sum = String::new();
    for index in 1..points.gamma_abc_g1.len() {
        let at = index - 1;
        writeln!(
            sum,
            "        (ok, x, y) = addMultiple(x, y, IC{index}_X, IC{index}_Y, input[{at}]);\n        \
             if (!ok) return false;"
        )
        .expect(WRITES);
    }
    TEMPLATE
        .replace("@TITLE@", title)
        .replace("@CONTRACT@", CONTRACT)
        .replace("@INPUTS@", &key.public_inputs().to_string())
        .replace("@CONSTANTS@", constants.trim_end())
        .replace("@SUM@", sum.trim_end())
}

const WRITES: &str = "a string takes what is written";

fn constant(out: &mut String, name: &str, value: &str) {
    writeln!(out, "    uint256 private constant {name} = {value};").expect(WRITES);
}

/// The precompiles' encoding: the identity is (0, 0).
fn g1(out: &mut String, name: &str, point: &G1Affine) {
    let (x, y) = point.xy().unwrap_or_default();
    constant(out, &format!("{name}_X"), &x.into_bigint().to_string());
    constant(out, &format!("{name}_Y"), &y.into_bigint().to_string());
}

fn g2(out: &mut String, name: &str, point: &G2Affine) {
    let (x, y) = point.xy().expect("a key's element of G2 is no identity");
    for (suffix, coordinate) in [("X1", x.c1), ("X0", x.c0), ("Y1", y.c1), ("Y0", y.c0)] {
        let value = coordinate.into_bigint().to_string();
        constant(out, &format!("{name}_{suffix}"), &value);
    }
}

const TEMPLATE: &str = r#"// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.0;

/// Groth16 over BN254 (https://eprint.iacr.org/2016/260): does a proof stand for its public inputs?
/// @TITLE@
/// It says nothing of where the inputs come from, and a proof can be re-randomised: do not take its bytes for
/// an identity.
contract @CONTRACT@ {
@CONSTANTS@

    /// a = A, b = B, c = C; an element c0 + c1 * u of B stands as [c1, c0], the order of EIP-197 and of snarkjs's
    /// soliditycalldata. False for anything but a valid proof. A point that is not on its curve makes the pairing
    /// precompile fail, which uses up the gas it was given: 63/64 of what is left.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[@INPUTS@] calldata input
    ) public view returns (bool) {
        // x and x + r are one scalar to the curve; only one of them is a statement.
        for (uint256 i = 0; i < @INPUTS@; i++) {
            if (input[i] >= R) return false;
        }
        // -A is made by hand below, which would take y + q for y.
        if (a[0] >= Q || a[1] >= Q) return false;
        if ((a[0] | a[1]) == 0 || (c[0] | c[1]) == 0) return false;
        if ((b[0][0] | b[0][1] | b[1][0] | b[1][1]) == 0) return false;

        bool ok;
        uint256 x = IC0_X;
        uint256 y = IC0_Y;
@SUM@

        // e(-A, B) * e(alpha, beta) * e(x, gamma) * e(C, delta) = 1
        uint256[24] memory pairs = [
            a[0], (Q - a[1]) % Q, b[0][0], b[0][1], b[1][0], b[1][1],
            ALPHA_X, ALPHA_Y, BETA_X1, BETA_X0, BETA_Y1, BETA_Y0,
            x, y, GAMMA_X1, GAMMA_X0, GAMMA_Y1, GAMMA_Y0,
            c[0], c[1], DELTA_X1, DELTA_X0, DELTA_Y1, DELTA_Y0
        ];
        uint256[1] memory one;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 8, pairs, 768, one, 32)
        }
        return ok && one[0] == 1;
    }

    /// (x, y) + scalar * (px, py)
    function addMultiple(uint256 x, uint256 y, uint256 px, uint256 py, uint256 scalar)
        private
        view
        returns (bool ok, uint256, uint256)
    {
        uint256[4] memory points = [px, py, scalar, 0];
        assembly ("memory-safe") {
            ok := staticcall(gas(), 7, points, 96, points, 64)
        }
        if (!ok) return (false, 0, 0);
        (points[2], points[3]) = (x, y);
        assembly ("memory-safe") {
            ok := staticcall(gas(), 6, points, 128, points, 64)
        }
        return (ok, points[0], points[1]);
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;

    #[test]
    fn the_contract_holds_every_coordinate_of_the_key_and_one_sum_per_input() {
        let key = small().key.verifying_key();
        let source = verifier_contract(key, "circuit 00ff");
        assert!(!source.contains('@'), "a placeholder is left");
        assert!(source.contains("/// circuit 00ff\n"));
        assert!(source.contains("uint256[2] calldata input"));
        assert_eq!(source.matches("= addMultiple(").count(), 2);
        for point in &key.points().gamma_abc_g1 {
            assert!(source.contains(&format!("_X = {};", point.x)));
        }
        assert!(source.contains(&format!("BETA_X1 = {};", key.points().beta_g2.x.c1)));
    }

    #[test]
    #[should_panic(expected = "one line")]
    fn a_title_cannot_leave_its_comment() {
        let _ = verifier_contract(small().key.verifying_key(), "x\ncontract Other {}");
    }
}
