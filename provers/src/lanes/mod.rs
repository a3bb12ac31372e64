//! Groth16's verifier, eight proofs at once on AVX-512 IFMA: decoding, random combination, Miller loops.
//!
//! Invariants: 1. what comes out is what the scalar code gives, or nothing: whatever is out of the ordinary is left to that
//! code; 2. nothing secret comes here, so nothing is erased and branches may follow the data.
//! Knows nothing of keys and statements.
#![allow(unsafe_code)]
// Loops over lanes and windows index several arrays at once.
#![allow(clippy::needless_range_loop)]

mod fq12;
mod fq2;
mod lift;
mod miller;
mod scale;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use ark_bn254::{Bn254, Fq, Fq2, Fq12, Fr, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::pairing::MillerLoopOutput;
use ark_ec::scalar_mul::glv::GLVConfig;

use crate::kernel::Kernel;
use crate::kernel::ifma::{Ifma, field::LANES};

/// The proof that this CPU has the instructions, unless the environment asks for portable code. Looked up once.
pub(crate) fn available() -> Option<Lanes> {
    static FOUND: OnceLock<Option<Lanes>> = OnceLock::new();
    *FOUND.get_or_init(|| match Kernel::detect() {
        Ok(Kernel::Ifma(ifma)) => Some(Lanes(ifma)),
        // Whoever proves says that the name is unknown; a verdict is the same either way.
        Ok(Kernel::Portable) | Err(_) => None,
    })
}

/// Eight lanes at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes(#[allow(dead_code)] Ifma);

/// The x coordinates of a proof's points.
#[derive(Clone, Copy)]
pub(crate) struct Abscissas {
    pub a: Fq,
    pub b: Fq2,
    pub c: Fq,
}

/// A random coefficient l + λ·h, given as [l, h]. Different pairs are different scalars: the shortest vector of the lattice
/// of λ is about 2^127 long.
pub(crate) type Short = [u64; 2];

/// The scalar that a coefficient stands for.
pub(crate) fn scalar_of(coefficient: Short) -> Fr {
    Fr::from(coefficient[0]) + g1::Config::LAMBDA * Fr::from(coefficient[1])
}

impl Lanes {
    /// A y above each x, either of the two; `None` where a point is not on its curve or not in its subgroup, and now and
    /// then where it is.
    pub(crate) fn lift(self, proofs: &[Abscissas]) -> Vec<Option<Abscissas>> {
        let mut all = Vec::with_capacity(proofs.len());
        for chunk in proofs.chunks(LANES) {
            let lane = |i: usize| chunk.get(i).unwrap_or(&chunk[0]);
            let block = lift::Block {
                a: std::array::from_fn(|i| lane(i).a),
                b: std::array::from_fn(|i| lane(i).b),
                c: std::array::from_fn(|i| lane(i).c),
            };
            // SAFETY: `self` holds the proof that the CPU has the features.
            let lifted = unsafe { lift::lift(&block) };
            all.extend((0..chunk.len()).map(|i| {
                let y = Abscissas {
                    a: lifted.a[i],
                    b: lifted.b[i],
                    c: lifted.c[i],
                };
                (lifted.good >> i & 1 == 1).then_some(y)
            }));
        }
        all
    }

    /// Each point, none of them the identity, times its coefficient.
    pub(crate) fn scale(self, points: &[G1Affine], coefficients: &[Short]) -> Vec<G1Projective> {
        let mut all = Vec::with_capacity(points.len());
        for (points, coefficients) in points.chunks(LANES).zip(coefficients.chunks(LANES)) {
            let lane = |i: usize| if i < points.len() { i } else { 0 };
            let block = std::array::from_fn(|i| points[lane(i)]);
            let scalars = std::array::from_fn(|i| coefficients[lane(i)]);
            // SAFETY: `self` holds the proof that the CPU has the features.
            let scaled = unsafe { scale::scale(&block, &scalars) };
            let complete = |i: usize| points[i] * scalar_of(coefficients[i]);
            all.extend((0..points.len()).map(|i| scaled[i].unwrap_or_else(|| complete(i))));
        }
        all
    }

    /// The product of the Miller loops of all pairs, up to a factor that the final exponentiation removes. No point may be
    /// the identity.
    pub(crate) fn miller(self, pairs: &[(G1Affine, G2Affine)]) -> MillerLoopOutput<Bn254> {
        let blocks: Vec<_> = pairs
            .chunks(LANES)
            .map(|chunk| {
                let block = std::array::from_fn(|i| *chunk.get(i).unwrap_or(&chunk[0]));
                (block, u8::MAX >> (LANES - chunk.len()))
            })
            .collect();
        // SAFETY: `self` holds the proof that the CPU has the features.
        let product: Fq12 = unsafe { miller::product(&blocks) };
        MillerLoopOutput(product)
    }
}
