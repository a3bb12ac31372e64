//! The kernel for any CPU: the same batches of affine additions, one lane a slot, on [`ukehi_kernels::portable`].

mod adder;
mod coordinate;

use super::adder::Adder;
use super::point::{PackedG1, PackedG2};
use adder::PortableAdder;

/// The additions of G1.
pub(super) fn g1(points: usize) -> impl Adder<PackedG1> {
    PortableAdder::<coordinate::Fq>::new(points)
}

/// The additions of G2.
pub(super) fn g2(points: usize) -> impl Adder<PackedG2> {
    PortableAdder::<coordinate::Fq2>::new(points)
}
