//! The strict single verifier: what finally calls a proof good or bad.
//!
//! Invariant: a proof is accepted only together with exactly as many public inputs as its key has. ark-groth16
//! 0.6 zips inputs with key elements, so it ignores extra inputs and takes missing ones as zero.

use std::fmt;

use ark_bn254::{Bn254, Fr, G2Affine};
use ark_ec::pairing::Pairing;
use ark_groth16::Groth16;

use super::{CircomReduction, Groth16Proof, VerifyingKey};

type G2Prepared = <Bn254 as Pairing>::G2Prepared;

/// Why a proof does not stand for a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("the statement has {actual} public inputs, the verifying key takes {expected}")]
    InputCount { expected: usize, actual: usize },
    #[error("the pairing equation does not hold")]
    Rejected,
}

/// A verifying key with its fixed pairing inputs computed.
#[derive(Clone)]
pub struct PreparedVerifyingKey {
    pub(crate) points: ark_groth16::PreparedVerifyingKey<Bn254>,
    pub(crate) beta: G2Prepared,
    digest: [u8; 32],
}

impl PreparedVerifyingKey {
    pub fn new(key: &VerifyingKey) -> Self {
        Self {
            points: ark_groth16::prepare_verifying_key(key.points()),
            beta: <G2Affine as Into<G2Prepared>>::into(key.points().beta_g2),
            digest: *key.digest(),
        }
    }

    /// Field elements in a statement under this key.
    pub fn public_inputs(&self) -> usize {
        self.points.vk.gamma_abc_g1.len() - 1
    }

    /// [`VerifyingKey::digest`] of the key this was prepared from.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(crate) fn check_input_count(&self, inputs: &[Fr]) -> Result<(), VerifyError> {
        if inputs.len() == self.public_inputs() {
            return Ok(());
        }
        Err(VerifyError::InputCount {
            expected: self.public_inputs(),
            actual: inputs.len(),
        })
    }
}

impl fmt::Debug for PreparedVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedVerifyingKey")
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Verifies one proof of the statement `inputs` (the constant one not among them). Uncached and independent
/// of any batch: its `Rejected` is what may put a sender at fault.
pub fn verify(
    key: &PreparedVerifyingKey,
    inputs: &[Fr],
    proof: &Groth16Proof,
) -> Result<(), VerifyError> {
    key.check_input_count(inputs)?;
    match Groth16::<Bn254, CircomReduction>::verify_proof(&key.points, proof.points(), inputs) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(VerifyError::Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, small};
    use ark_ff::Zero;

    #[test]
    fn a_proof_verifies_under_its_own_statement_and_no_other() {
        let small = small();
        let key = small.key.prepared_verifying_key();
        let (inputs, proof) = testing::proven(5);
        assert_eq!(verify(key, &inputs, &proof), Ok(()));
        let other = [inputs[0] + Fr::from(1u64), inputs[1]];
        assert_eq!(verify(key, &other, &proof), Err(VerifyError::Rejected));
    }

    #[test]
    fn extra_and_missing_public_inputs_are_refused_even_where_ark_accepts_them() {
        let small = small();
        let key = small.key.prepared_verifying_key();
        // The statement's second input is zero, so ark accepts it with that input missing too.
        let (inputs, proof) = testing::proven(0);
        assert!(inputs[1].is_zero());
        let extra = [inputs[0], inputs[1], Fr::from(9u64)];
        for wrong in [&extra[..], &inputs[..1]] {
            let ark =
                Groth16::<Bn254, CircomReduction>::verify_proof(&key.points, proof.points(), wrong);
            assert!(ark.unwrap(), "ark changed: the length check may be moved");
            assert_eq!(
                verify(key, wrong, &proof),
                Err(VerifyError::InputCount {
                    expected: 2,
                    actual: wrong.len()
                })
            );
        }
    }

    #[test]
    fn a_proof_is_refused_under_another_circuits_key() {
        let (inputs, proof) = testing::proven(5);
        let other = testing::random_circuit();
        assert_eq!(
            other.key.verifying_key().public_inputs(),
            inputs.len(),
            "the fixtures take the same number of inputs"
        );
        assert_eq!(
            verify(other.key.prepared_verifying_key(), &inputs, &proof),
            Err(VerifyError::Rejected)
        );
    }
}
