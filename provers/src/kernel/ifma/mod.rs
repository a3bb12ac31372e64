//! The AVX-512 IFMA room: the only one with `unsafe` code, all of it for one of three reasons: entering a function that
//! needs CPU features ([`Ifma`] is the proof that they are there), vector loads and stores, and the layout of arkworks'
//! field elements (checked at compile time).
#![allow(unsafe_code)]
// Loops over limbs and columns index several arrays at once.
#![allow(clippy::needless_range_loop)]

mod adder;
mod constants;
mod coordinate;
pub mod field;
pub mod product;
pub mod transform;
pub mod wide;
mod words;

use super::adder::Adder;
use super::point::{PackedG1, PackedG2};
use adder::IfmaAdder;

/// Proof that this CPU has every feature used in this room. A function may enter one with
/// `#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]`, or a part of these, if it holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ifma(());

impl Ifma {
    pub fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi2");
        has_all.then_some(Self(()))
    }
}

/// The additions of G1.
pub(super) fn g1(ifma: Ifma, points: usize) -> impl Adder<PackedG1> {
    IfmaAdder::<coordinate::Fq8>::new(ifma, points.div_ceil(field::LANES))
}

/// The additions of G2.
pub(super) fn g2(ifma: Ifma, points: usize) -> impl Adder<PackedG2> {
    IfmaAdder::<coordinate::Fq2x8>::new(ifma, points.div_ceil(field::LANES))
}

/// Runs a test on a CPU that has the features, or prints that it did not.
#[cfg(test)]
pub(crate) fn with_ifma(test: impl FnOnce(Ifma)) {
    match Ifma::detect() {
        Some(ifma) => test(ifma),
        None => println!("skipped: this CPU has no AVX-512 IFMA"),
    }
}
