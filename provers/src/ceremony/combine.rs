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
