//! Whether a key's matrices A and B are a circuit's.

use std::borrow::Cow;

use ark_bn254::Fr;
use ark_ff::One;

use super::ZkeyProverError;
use crate::groth16::{KeyError, KeyPart};
use crate::iden3::{Zkey, one_term_per_wire};
use crate::{MatrixName, R1cs};

/// A row's terms.
type Terms = Vec<(Fr, usize)>;

pub(super) fn check(zkey: &Zkey, r1cs: &R1cs) -> Result<(), ZkeyProverError> {
    check_shape(zkey, r1cs)?;
    let [a, b] = zkey.matrices()?;
    let [of_a, of_b, _] = r1cs.matrices();
    // snarkjs puts a row for each instance variable after the constraints, in A (see `CircomReduction`).
    let instance = (0..r1cs.instance_variables()).map(|variable| vec![(Fr::one(), variable)]);
    let of_a = of_a.iter().map(Cow::Borrowed);
    let of_a = of_a.chain(instance.map(Cow::Owned));
    let of_b = of_b.iter().map(Cow::Borrowed);
    compare(MatrixName::A, &a, of_a)?;
    compare(MatrixName::B, &b, of_b)
}

fn check_shape(zkey: &Zkey, r1cs: &R1cs) -> Result<(), ZkeyProverError> {
    let header = &zkey.header;
    for (part, actual, expected) in [
        (
            KeyPart::Inputs,
            header.public_inputs as usize + 1,
            r1cs.instance_variables(),
        ),
        (KeyPart::AQuery, header.variables as usize, r1cs.variables()),
        (
            KeyPart::HQuery,
            header.domain_size as usize,
            r1cs.domain_size(),
        ),
    ] {
        if actual != expected {
            return Err(KeyError::Shape {
                part,
                expected,
                actual,
            }
            .into());
        }
    }
    Ok(())
}

fn compare<'a>(
    matrix: MatrixName,
    keys: &[Terms],
    circuits: impl Iterator<Item = Cow<'a, Terms>>,
) -> Result<(), ZkeyProverError> {
    let nothing = std::iter::repeat_with(|| Cow::Owned(Vec::new()));
    let differs = |(key, circuit): (&Terms, Cow<'_, Terms>)| {
        **key != **circuit && one_term_per_wire(key) != one_term_per_wire(&circuit)
    };
    match keys.iter().zip(circuits.chain(nothing)).position(differs) {
        Some(row) => Err(ZkeyProverError::OtherCircuit { matrix, row }),
        None => Ok(()),
    }
}
