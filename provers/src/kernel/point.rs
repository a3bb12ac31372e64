//! Curve points as the tables keep them: affine coordinates in arkworks' Montgomery form, least word first, in whole
//! cache lines.
//!
//! Invariant: every coordinate is canonical. The identity is all zeros; no other point has y = 0, because neither
//! group has a point of order two. Both kernels read this form, and it does not change between versions of one.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::BigInt;

use super::Kernel;
use super::adder::Adder;

/// `WORDS` words of a point: 8 in G1 (x, y), 16 in G2 (x.c0, x.c1, y.c0, y.c1).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Packed<const WORDS: usize>(pub(super) [u64; WORDS]);

pub type PackedG1 = Packed<8>;
pub type PackedG2 = Packed<16>;

/// A point in table form.
pub trait TablePoint: Copy + Send + Sync + 'static {
    type Affine: AffineRepr<ScalarField = ark_bn254::Fr>;
    const BYTES: usize;
    const IDENTITY: Self;

    /// A workspace for this many points.
    fn adder(kernel: Kernel, points: usize) -> Box<dyn Adder<Self>>;

    /// Zeros for the identity.
    fn from_coordinates(
        x: <Self::Affine as AffineRepr>::BaseField,
        y: <Self::Affine as AffineRepr>::BaseField,
    ) -> Self;
    fn from_affine(point: &Self::Affine) -> Self {
        match point.xy() {
            None => Self::IDENTITY,
            Some((x, y)) => Self::from_coordinates(x, y),
        }
    }
    fn to_affine(&self) -> Self::Affine;
    fn is_identity(&self) -> bool;

    /// Overwrites a value that depends on a witness.
    fn erase(points: &mut [Self]);
}

impl<const WORDS: usize> Packed<WORDS> {
    fn pack(coordinates: &[Fq]) -> Self {
        let mut words = [0; WORDS];
        for (to, from) in words.chunks_exact_mut(4).zip(coordinates) {
            to.copy_from_slice(&from.0.0);
        }
        Self(words)
    }

    fn coordinate(&self, index: usize) -> Fq {
        let words = [0, 1, 2, 3].map(|word| self.0[4 * index + word]);
        Fq::new_unchecked(BigInt(words))
    }
}

macro_rules! table_point {
    ($packed:ty, $affine:ty, $words:literal, $portable:path, $ifma:path, $split:expr, $join:expr) => {
        impl TablePoint for $packed {
            type Affine = $affine;
            const BYTES: usize = 8 * $words;
            const IDENTITY: Self = Self([0; $words]);

            fn adder(kernel: Kernel, points: usize) -> Box<dyn Adder<Self>> {
                match kernel {
                    Kernel::Portable => Box::new($portable(points)),
                    #[cfg(target_arch = "x86_64")]
                    Kernel::Ifma(ifma) => Box::new($ifma(ifma, points)),
                }
            }

            fn from_coordinates(
                x: <$affine as AffineRepr>::BaseField,
                y: <$affine as AffineRepr>::BaseField,
            ) -> Self {
                Self::pack(&$split(x, y))
            }

            fn to_affine(&self) -> $affine {
                if self.is_identity() {
                    return <$affine>::identity();
                }
                let (x, y) = $join(&|index| self.coordinate(index));
                <$affine>::new_unchecked(x, y)
            }

            fn is_identity(&self) -> bool {
                self.0[$words / 2..].iter().all(|word| *word == 0)
            }

            fn erase(points: &mut [Self]) {
                for point in points {
                    zeroize::Zeroize::zeroize(&mut point.0);
                }
            }
        }
    };
}

table_point!(
    PackedG1,
    G1Affine,
    8,
    super::portable::g1,
    super::ifma::g1,
    |x, y| [x, y],
    |at: &dyn Fn(usize) -> Fq| (at(0), at(1))
);
table_point!(
    PackedG2,
    G2Affine,
    16,
    super::portable::g2,
    super::ifma::g2,
    |x: Fq2, y: Fq2| [x.c0, x.c1, y.c0, y.c1],
    |at: &dyn Fn(usize) -> Fq| (Fq2::new(at(0), at(1)), Fq2::new(at(2), at(3)))
);
