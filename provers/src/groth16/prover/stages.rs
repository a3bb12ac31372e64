//! A proof on one thread that tells when each part of its work is done: for who measures where the time goes.
//!
//! Invariant: the parts are those of [`Prover::prove`] on one core, in its order. Knows no clock.

use ark_bn254::Fr;
use zeroize::Zeroizing;

use super::blinding::Unblinded;
use super::quotient::{coset, evaluated};
use super::{Groth16Proof, ProveError, Prover};

/// A part of a proof's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofStage {
    /// The multiplication of the points A by the witness, in G1.
    PointsA,
    /// That of B, in G2.
    PointsB,
    /// A·z and B·z.
    Rows,
    /// The transforms to the odd coset, and H's values there.
    Transforms,
    /// The multiplication of the points L and H as one, in G1.
    PointsLh,
    Blinding,
    /// The proof's own verification.
    SelfCheck,
}

impl ProofStage {
    pub const ALL: [ProofStage; 7] = [
        ProofStage::PointsA,
        ProofStage::PointsB,
        ProofStage::Rows,
        ProofStage::Transforms,
        ProofStage::PointsLh,
        ProofStage::Blinding,
        ProofStage::SelfCheck,
    ];

    /// For charts and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ProofStage::PointsA => "points A",
            ProofStage::PointsB => "points B (G2)",
            ProofStage::Rows => "rows of A and B",
            ProofStage::Transforms => "transforms",
            ProofStage::PointsLh => "points L and H",
            ProofStage::Blinding => "blinding",
            ProofStage::SelfCheck => "self-check",
        }
    }
}

impl Prover {
    /// As [`Prover::prove`] with [`super::Cores::One`]; `ended` is called at the end of each part.
    ///
    /// # Errors
    /// As [`Prover::prove`].
    pub fn prove_in_stages(
        &self,
        assignment: &[Fr],
        ended: &mut dyn FnMut(ProofStage),
    ) -> Result<Groth16Proof, ProveError> {
        let inner = &self.inner;
        inner.check_form(assignment)?;
        let bases = inner.bases();
        let vk = &inner.key.points().vk;
        let a = bases.a(assignment) + vk.alpha_g1;
        ended(ProofStage::PointsA);
        let b = bases.b(assignment) + vk.beta_g2;
        ended(ProofStage::PointsB);
        let values = evaluated(&inner.domain, &inner.rows, assignment);
        ended(ProofStage::Rows);
        let h = coset(&inner.domain, values, bases.folded);
        ended(ProofStage::Transforms);
        let c = bases.c(&Zeroizing::new([&assignment[bases.first..], &h].concat()));
        drop(h);
        ended(ProofStage::PointsLh);
        let proof = Unblinded { a, b, c }.blind(&vk.delta_g2)?;
        ended(ProofStage::Blinding);
        let proof = inner.check(assignment, proof)?;
        ended(ProofStage::SelfCheck);
        inner.tables.count_proof(inner);
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groth16::{ProverOptions, verify};
    use crate::kernel::Kernel;
    use crate::testing::{small, small_assignment};

    #[test]
    fn a_proof_in_stages_verifies_before_and_after_the_tables_and_names_each_stage_once() {
        for kernel in Kernel::all() {
            let small = small();
            let options = ProverOptions::new(kernel);
            let prover = Prover::new(small.key.clone(), small.r1cs.clone(), options).unwrap();
            let z = small_assignment(3);
            for _ in 0..2 {
                let mut seen = Vec::new();
                let proof = prover
                    .prove_in_stages(&z, &mut |stage| seen.push(stage))
                    .unwrap();
                assert_eq!(seen, ProofStage::ALL);
                let key = prover.key().prepared_verifying_key();
                assert_eq!(verify(key, prover.statement(&z).unwrap(), &proof), Ok(()));
                prover.finish_tables();
            }
            let mut wrong = z.clone();
            wrong[1] += Fr::from(1u64);
            assert!(prover.prove_in_stages(&wrong, &mut |_| {}).is_err());
        }
    }
}
