//! Sums of points with coefficients: sparse ones given by a circuit, random ones that stand for many equations.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, pairing::Pairing};
use ark_ff::Zero;
use rayon::prelude::*;

use crate::iden3::Iden3Point;
use crate::randomness::{self, RandomnessUnavailable};

/// Fewer points than this are multiplied one by one.
const MSM_FROM: usize = 16;

/// Σ scalar · point, on rayon's global pool.
pub(super) fn sum<P: Iden3Point>(points: &[P], scalars: &[Fr]) -> P::Group {
    assert_eq!(points.len(), scalars.len(), "a coefficient for each point");
    let part = points.len().div_ceil(rayon::current_num_threads()).max(1);
    points
        .par_chunks(part)
        .zip(scalars.par_chunks(part))
        .map(|(points, scalars)| sum_here(points, scalars))
        .reduce(P::Group::zero, |a, b| a + b)
}

/// The same on this thread.
pub(super) fn sum_here<P: Iden3Point>(points: &[P], scalars: &[Fr]) -> P::Group {
    if points.len() < MSM_FROM {
        let products = points.iter().zip(scalars).map(|(p, s)| *p * *s);
        return products.fold(P::Group::zero(), |a, b| a + b);
    }
    P::Group::msm(points, scalars).expect("the lengths are equal")
}

/// `count` coefficients of 128 random bits: equations combined by them hold all, but with probability 2^-128.
pub(super) fn coefficients(count: usize) -> Result<Vec<Fr>, RandomnessUnavailable> {
    let drawn = randomness::coefficients(count)?;
    Ok(drawn.into_iter().map(Fr::from).collect())
}

/// Whether b = x·a and d = x·c for one x, and none of them is the identity.
pub(super) fn same_ratio(a: G1Affine, b: G1Affine, c: G2Affine, d: G2Affine) -> bool {
    let identities = [a.is_zero(), b.is_zero(), c.is_zero(), d.is_zero()];
    !identities.contains(&true) && pairings_agree(a, d, b, c)
}

/// Whether e(a, d) = e(b, c).
pub(super) fn pairings_agree(a: G1Affine, d: G2Affine, b: G1Affine, c: G2Affine) -> bool {
    Bn254::multi_pairing([a, -b], [d, c]).is_zero()
}

/// Every point times one scalar.
pub(super) fn scale<P: Iden3Point>(points: &[P], scalar: &Fr) -> Vec<P> {
    let products: Vec<P::Group> = points.par_iter().map(|p| *p * scalar).collect();
    normalise(&products)
}

/// Affine forms; one inversion a chunk.
pub(super) fn normalise<P: Iden3Point>(points: &[P::Group]) -> Vec<P> {
    let parts: Vec<Vec<P>> = points
        .par_chunks(1024)
        .map(P::Group::normalize_batch)
        .collect();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{BigInteger, PrimeField};

    /// A combination of 32 bits, as snarkjs makes it, hides an error once in 2^32.
    #[test]
    fn coefficients_have_128_bits_and_differ() {
        let drawn = coefficients(64).unwrap();
        let bits = |c: &Fr| c.into_bigint().num_bits();
        assert!(drawn.iter().all(|c| bits(c) <= 128));
        // 64 draws that all stay below 2^112: once in 2^1024.
        assert!(drawn.iter().any(|c| bits(c) > 112));
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
    }

    /// Whose pairings agree whatever the ratio: δ = 0 would follow from any δ.
    #[test]
    fn identities_have_no_ratio() {
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        let (o1, o2) = (G1Affine::zero(), G2Affine::zero());
        assert!(same_ratio(g1, g1, g2, g2));
        for (a, b, c, d) in [
            (o1, o1, g2, g2),
            (g1, o1, g2, o2),
            (o1, g1, o2, g2),
            (g1, g1, o2, o2),
        ] {
            assert!(pairings_agree(a, d, b, c));
            assert!(!same_ratio(a, b, c, d));
        }
    }
}
