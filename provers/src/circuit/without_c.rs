//! Proving from a key that holds A and B alone.

use ark_bn254::{Bn254, Fr};
use ark_ff::{One, PrimeField};
use ark_groth16::Groth16;
use ark_groth16::r1cs_to_qap::{R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, Matrix, SynthesisError};
use zeroize::Zeroizing;

use crate::groth16::{CircomReduction, Groth16Proof, ProveError, ProvingKey, ab_minus_c, verify};
use crate::iden3::Rows;
use crate::randomness;

pub(super) fn prove(
    key: &ProvingKey,
    rows: &[Rows; 2],
    statement: &[Fr],
    assignment: &[Fr],
) -> Result<Groth16Proof, ProveError> {
    if !assignment[0].is_one() {
        return Err(ProveError::NoConstant);
    }
    let (r, s) = (randomness::scalar()?, randomness::scalar()?);
    let points = Groth16::<Bn254, WholeDomain>::create_proof_with_reduction_and_matrices(
        key.points(),
        *r,
        *s,
        rows,
        statement.len() + 1,
        rows[0].len(),
        assignment,
    )
    .expect("the key's domain was checked when its file was read");
    let proof = Groth16Proof::new(points).ok();
    proof
        .filter(|proof| verify(key.prepared_verifying_key(), statement, proof).is_ok())
        .ok_or(ProveError::ProofRejected)
}

/// [`CircomReduction`] for matrices with a row for each point of the domain, the instance rows among them.
struct WholeDomain;

impl R1CSToQAP for WholeDomain {
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        CircomReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        _num_inputs: usize,
        rows: usize,
        assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let domain = D::new(rows).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let values = |matrix: &Matrix<F>| {
            let rows = matrix.iter();
            Zeroizing::new(
                rows.map(|row| evaluate_constraint(row, assignment))
                    .collect(),
            )
        };
        let (a, b): (Zeroizing<Vec<F>>, _) = (values(&matrices[0]), values(&matrices[1]));
        // An instance row is of A alone, so that the product there is zero, as C is.
        let c = Zeroizing::new(a.iter().zip(b.iter()).map(|(a, b)| *a * b).collect());
        ab_minus_c(&domain, [a, b, c])
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        zt: F,
        delta_inverse: F,
    ) -> Result<Vec<F>, SynthesisError> {
        CircomReduction::h_query_scalars::<F, D>(max_power, t, zt, delta_inverse)
    }
}
