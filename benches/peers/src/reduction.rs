//! The circom reduction on all threads, for ark-groth16: the keys are snarkjs's, which ark's own reduction does not fit.
//! Follows ark-circom 0.6, `src/circom/qap.rs` (MIT/Apache-2.0), which is how arkworks is used with such keys.

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use ark_relations::utils::matrix::Matrix;
use rayon::prelude::*;

pub struct CircomReduction;

impl R1CSToQAP for CircomReduction {
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let domain =
            D::new(num_constraints + num_inputs).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let size = domain.size();
        let mut a = vec![F::zero(); size];
        let mut b = vec![F::zero(); size];
        a[..num_constraints]
            .par_iter_mut()
            .zip(b[..num_constraints].par_iter_mut())
            .zip(matrices[0].par_iter())
            .zip(matrices[1].par_iter())
            .for_each(|(((a, b), row_a), row_b)| {
                *a = evaluate_constraint(row_a, full_assignment);
                *b = evaluate_constraint(row_b, full_assignment);
            });
        a[num_constraints..num_constraints + num_inputs]
            .clone_from_slice(&full_assignment[..num_inputs]);
        let mut c = vec![F::zero(); size];
        c[..num_constraints]
            .par_iter_mut()
            .zip(&a)
            .zip(&b)
            .for_each(|((c, a), b)| *c = *a * b);

        let doubled = D::new(2 * size).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let shift = doubled.element(1);
        for values in [&mut a, &mut b] {
            domain.ifft_in_place(values);
            D::distribute_powers_and_mul_by_const(values, shift, F::one());
            domain.fft_in_place(values);
        }
        let mut product = domain.mul_polynomials_in_evaluation_domain(&a, &b);
        domain.ifft_in_place(&mut c);
        D::distribute_powers_and_mul_by_const(&mut c, shift, F::one());
        domain.fft_in_place(&mut c);
        product.par_iter_mut().zip(c).for_each(|(ab, c)| *ab -= c);
        Ok(product)
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        _: usize,
        _: F,
        _: F,
        _: F,
    ) -> Result<Vec<F>, SynthesisError> {
        unreachable!("no key is made here")
    }
}
