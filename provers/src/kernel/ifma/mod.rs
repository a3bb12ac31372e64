//! Curve arithmetic on AVX-512 IFMA. All `unsafe` is here for one of two reasons: entering a function that needs CPU
//! features ([`Ifma`] is the proof that they are there), and vector loads and stores.
#![allow(unsafe_code)]
// Loops over limbs and columns index several arrays at once.
#![allow(clippy::needless_range_loop)]

mod adder;
mod coordinate;
mod extension;
pub mod product;
pub mod transform;

pub(crate) use ukehi_kernels::ifma::{Ifma, constants, field, wide};

use super::adder::Adder;
use super::point::{PackedG1, PackedG2};
use adder::IfmaAdder;

/// The additions of G1.
pub(super) fn g1(ifma: Ifma, points: usize) -> impl Adder<PackedG1> {
    IfmaAdder::<coordinate::Fq8>::new(ifma, points.div_ceil(field::LANES))
}

/// The additions of G2.
pub(super) fn g2(ifma: Ifma, points: usize) -> impl Adder<PackedG2> {
    IfmaAdder::<extension::Fq2x8>::new(ifma, points.div_ceil(field::LANES))
}
