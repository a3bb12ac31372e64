//! ark-groth16's prover: what the fast one ([`super::Prover`]) is compared with. For tests and measurements.
//!
//! Invariants: 1. a proof is returned only after it verified under the same key; 2. the blinding is fresh,
//! full width, from the operating system. It must run on one thread.
//!
//! Erased afterwards: the blinding drawn here and the witness polynomials. Not erased: the scalar copies
//! arkworks makes inside its multi-scalar multiplications. A multiplication's time depends on the witness (how many
//! scalars are zero or small), so someone who can time proofs on the author's machine learns that much.

use ark_bn254::{Bn254, Fr};
use ark_ff::One;
use ark_groth16::Groth16;

use super::{CircomReduction, Groth16Proof, ProveError, ProvingKey, verify};
use crate::R1cs;
use crate::randomness;

/// Proves that `assignment` (1, the public inputs, the witness) satisfies `r1cs`, then verifies the proof.
pub fn prove(key: &ProvingKey, r1cs: &R1cs, assignment: &[Fr]) -> Result<Groth16Proof, ProveError> {
    if !key.belongs_to(r1cs) {
        return Err(ProveError::KeyOfAnotherCircuit {
            key: *key.circuit(),
            circuit: *r1cs.digest(),
        });
    }
    if assignment.len() != r1cs.variables() {
        return Err(ProveError::AssignmentLength {
            expected: r1cs.variables(),
            actual: assignment.len(),
        });
    }
    if !assignment[0].is_one() {
        return Err(ProveError::NoConstant);
    }
    let (r, s) = (randomness::scalar()?, randomness::scalar()?);
    let points = Groth16::<Bn254, CircomReduction>::create_proof_with_reduction_and_matrices(
        key.points(),
        *r,
        *s,
        r1cs.matrices(),
        r1cs.instance_variables(),
        r1cs.constraints(),
        assignment,
    )
    .expect("the circuit's domain was checked when its matrices were taken");

    // ark's release build returns a proof for an assignment that breaks the circuit; only verification tells.
    let inputs = &assignment[1..r1cs.instance_variables()];
    let verified = Groth16Proof::new(points)
        .ok()
        .filter(|proof| verify(key.prepared_verifying_key(), inputs, proof).is_ok());
    verified.ok_or_else(|| match r1cs.first_unsatisfied(assignment) {
        Some(constraint) => ProveError::Unsatisfied { constraint },
        None => ProveError::SelfCheckFailed,
    })
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
