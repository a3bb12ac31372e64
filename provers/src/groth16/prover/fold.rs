//! A key's L with the matrix C folded into it, derived from the key and the matrices without the trapdoor.
//!
//! The prover owes the verifier Σ_k z_k·L_k + Σ_j (a_j·b_j − c_j)·H_j, where a, b, c are the values of A·z, B·z, C·z on
//! the odd coset and H is the Lagrange basis there. Since c = M·C·z with M the map to the coset,
//! Σ_j c_j·H_j = Σ_i (C·z)_i·C'_i with C' = Mᵀ·H, and so the sum is Σ_k z_k·L'_k + Σ_j a_j·b_j·H_j with
//! L'_k = L_k − Σ_i C_ik·C'_i. The constant and the public inputs have no L, but they have an L'. Two of six transforms
//! go, and L and H take one multiplication.
//!
//! Invariant: a fold is used only after [`Fold::check`] held. It is no secret.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{One, Zero};
use ark_groth16::r1cs_to_qap::evaluate_constraint;

use super::group::{self, multiply_all, transposed_coset_map};
use super::work::{Cancelled, Work};
use crate::R1cs;
use crate::groth16::ProvingKey;
use crate::ntt::Domain;
use crate::randomness::{self, RandomnessUnavailable};

/// L', one per variable.
pub(super) struct Fold(Vec<G1Affine>);

impl Fold {
    /// About n·log n point multiplications, on the rayon pool it is called in.
    pub(super) fn derive(
        key: &ProvingKey,
        r1cs: &R1cs,
        domain: &Domain,
        work: &Work,
    ) -> Result<Self, Cancelled> {
        let c = &r1cs.matrices()[2];
        let weighted = c.iter().flatten().filter(|(v, _)| !is_sign(v)).count();
        work.begin(group::multiplications(domain.size()) + weighted);
        let mapped = transposed_coset_map(domain, key.points().h_query.clone(), work)?;

        let mut l = vec![G1Projective::zero(); r1cs.variables()];
        for (sum, l) in l[r1cs.instance_variables()..]
            .iter_mut()
            .zip(&key.points().l_query)
        {
            *sum = (*l).into();
        }
        let (mut points, mut factors, mut variables) = (Vec::new(), Vec::new(), Vec::new());
        for (row, point) in c.iter().zip(&mapped) {
            for (coefficient, variable) in row {
                if coefficient.is_one() {
                    l[*variable] -= point;
                } else if is_sign(coefficient) {
                    l[*variable] += point;
                } else {
                    points.push(*point);
                    factors.push(*coefficient);
                    variables.push(*variable);
                }
            }
        }
        let products = multiply_all(domain.kernel(), &points, &factors, work)?;
        for (variable, product) in variables.into_iter().zip(&products) {
            l[variable] -= product;
        }
        Ok(Self(G1Projective::normalize_batch(&l)))
    }

    /// Whether points from a cache are as many as the circuit has variables.
    pub(super) fn from_cache(points: Vec<G1Affine>, r1cs: &R1cs) -> Option<Self> {
        (points.len() == r1cs.variables()).then_some(Self(points))
    }

    /// Compares with the key it should come from, by a random combination: Σ ρ_k·(L'_k − L_k) + Σ_j (M·C·ρ)_j·H_j = O
    /// with 128-bit ρ that nobody could know before. A wrong L' passes with probability 2^-128 at most.
    pub(super) fn check(
        &self,
        key: &ProvingKey,
        r1cs: &R1cs,
        domain: &Domain,
    ) -> Result<bool, RandomnessUnavailable> {
        let rho: Vec<Fr> = randomness::coefficients(self.0.len())?
            .into_iter()
            .map(Fr::from)
            .collect();
        let mut c = vec![Fr::zero(); domain.size()];
        for (value, row) in c.iter_mut().zip(&r1cs.matrices()[2]) {
            *value = evaluate_constraint(row, &rho);
        }
        domain.to_odd_coset(&mut c);
        let points = key.points();
        let own = G1Projective::msm_unchecked(&self.0, &rho);
        let keys = G1Projective::msm_unchecked(&points.l_query, &rho[r1cs.instance_variables()..]);
        let folded = G1Projective::msm_unchecked(&points.h_query, &c);
        Ok((own - keys + folded).is_zero())
    }

    pub(super) fn l(&self) -> &[G1Affine] {
        &self.0
    }
}

/// 1 or −1: no multiplication.
fn is_sign(coefficient: &Fr) -> bool {
    coefficient.is_one() || (-*coefficient).is_one()
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
