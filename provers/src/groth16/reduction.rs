//! The circom reduction from R1CS to QAP: H·Z is handed to the prover as the values of A·B − C on the odd
//! coset of the doubled domain, so the H query is a Lagrange basis there and no division by Z takes place.
//! Keys made by snarkjs have this form; the libsnark reduction, ark's default, does not fit them.
//!
//! Follows ark-circom 0.6, `src/circom/qap.rs` (MIT/Apache-2.0), single-threaded and with the intermediate
//! witness polynomials zeroised. ark-circom itself is no dependency: it brings a WebAssembly runtime.

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};
use zeroize::Zeroizing;

/// The reduction of circom and snarkjs, for `ark_groth16::Groth16<Bn254, CircomReduction>`.
pub struct CircomReduction;

impl R1CSToQAP for CircomReduction {
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Vec<Vec<(F, usize)>>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let domain = domain_of::<F, D>(num_constraints + num_inputs)?;
        let shift = domain_of::<F, D>(2 * domain.size())?.element(1);
        let zeros = || Zeroizing::new(vec![F::zero(); domain.size()]);

        let (mut a, mut b, mut c) = (zeros(), zeros(), zeros());
        for row in 0..num_constraints {
            a[row] = evaluate_constraint(&matrices[0][row], full_assignment);
            b[row] = evaluate_constraint(&matrices[1][row], full_assignment);
            // C is taken as A∘B, not from its matrix: a .zkey holds no C. A witness that breaks a row
            // therefore still yields a "proof", which is why the prover verifies what it made.
            c[row] = a[row] * b[row];
        }
        // The instance rows keep the public inputs' polynomials linearly independent (libsnark).
        a[num_constraints..num_constraints + num_inputs]
            .copy_from_slice(&full_assignment[..num_inputs]);

        for polynomial in [&mut a, &mut b, &mut c] {
            to_odd_coset(&domain, shift, polynomial);
        }
        Ok((a.iter().zip(b.iter()).zip(c.iter()))
            .map(|((a, b), c)| *a * b - c)
            .collect())
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        _zt: F,
        delta_inverse: F,
    ) -> Result<Vec<F>, SynthesisError> {
        // A·B − C has degree at most 2·max_power; its odd coset Lagrange basis at t, over δ, is the inverse
        // transform of the powers of t, every second one.
        let mut power = delta_inverse;
        let mut scalars: Vec<F> = (0..=2 * max_power)
            .map(|_| {
                let current = power;
                power *= t;
                current
            })
            .collect();
        domain_of::<F, D>(scalars.len())?.ifft_in_place(&mut scalars);
        Ok(scalars.into_iter().skip(1).step_by(2).collect())
    }
}

fn domain_of<F: PrimeField, D: EvaluationDomain<F>>(size: usize) -> Result<D, SynthesisError> {
    D::new(size).ok_or(SynthesisError::PolynomialDegreeTooLarge)
}

/// From values on the domain to values on the domain shifted by the doubled domain's root of unity.
fn to_odd_coset<F: PrimeField, D: EvaluationDomain<F>>(domain: &D, shift: F, values: &mut Vec<F>) {
    domain.ifft_in_place(values);
    D::distribute_powers_and_mul_by_const(values, shift, F::one());
    domain.fft_in_place(values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use ark_bn254::Fr;
    use ark_ff::{Field, Zero};
    use ark_poly::{
        DenseUVPolynomial, Polynomial, Radix2EvaluationDomain, univariate::DensePolynomial,
    };

    type Domain = Radix2EvaluationDomain<Fr>;

    fn interpolate(size: usize, mut values: Vec<Fr>) -> DensePolynomial<Fr> {
        values.resize(size, Fr::zero());
        let domain = Domain::new(size).unwrap();
        DensePolynomial::from_coefficients_vec(domain.ifft(&values))
    }

    #[test]
    fn the_witness_map_is_ab_minus_c_on_the_odd_coset() {
        let (r1cs, z) = testing::random_r1cs(11, 21, 3, 4);
        let n = r1cs.domain_size();
        let [a, b, c] = r1cs.matrices();
        let rows = |m: &[Vec<(Fr, usize)>]| {
            m.iter()
                .map(|row| evaluate_constraint(row, &z))
                .collect::<Vec<_>>()
        };
        let mut a_values = rows(a);
        a_values.extend_from_slice(&z[..r1cs.instance_variables()]);
        let (a, b, c) = (
            interpolate(n, a_values),
            interpolate(n, rows(b)),
            interpolate(n, rows(c)),
        );

        let map = CircomReduction::witness_map_from_matrices::<Fr, Domain>(
            r1cs.matrices(),
            r1cs.instance_variables(),
            r1cs.constraints(),
            &z,
        )
        .unwrap();

        let root = Domain::new(2 * n).unwrap().element(1);
        assert_eq!(map.len(), n);
        for (j, value) in map.iter().enumerate() {
            let x = root.pow([2 * j as u64 + 1]);
            assert_eq!(
                *value,
                a.evaluate(&x) * b.evaluate(&x) - c.evaluate(&x),
                "point {j}"
            );
        }
    }

    #[test]
    fn the_h_scalars_evaluate_a_polynomial_that_vanishes_on_the_domain() {
        let n = 16;
        let (t, delta_inverse) = (Fr::from(12_345u64), Fr::from(77u64));
        let scalars =
            CircomReduction::h_query_scalars::<Fr, Domain>(n - 1, t, Fr::zero(), delta_inverse)
                .unwrap();
        assert_eq!(scalars.len(), n);
        // p = Z · (x + 3): zero on the even points, so the odd ones alone determine it.
        let domain = Domain::new(n).unwrap();
        let p = |x: Fr| domain.evaluate_vanishing_polynomial(x) * (x + Fr::from(3u64));
        let root = Domain::new(2 * n).unwrap().element(1);
        let sum: Fr = scalars
            .iter()
            .enumerate()
            .map(|(j, s)| *s * p(root.pow([2 * j as u64 + 1])))
            .sum();
        assert_eq!(sum, p(t) * delta_inverse);
    }
}
