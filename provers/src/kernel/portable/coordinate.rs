//! The coordinates of points: elements of Fq for G1, of Fq[u]/(u² + 1) for G2, as four or eight words below 2p.

use ark_bn254::FqConfig;
use ukehi_kernels::portable::field::Lazy;
use zeroize::Zeroize;

use super::super::point::{Packed, PackedG1, PackedG2};

pub(super) type Fq = Lazy<FqConfig>;

/// What additions need of a coordinate. An inverse is that of its norm, an element of Fq, and little more, so that both
/// groups share inversions in Fq.
pub(super) trait Coordinate: Copy + Zeroize {
    type Point;
    const ZERO: Self;
    const ONE: Self;

    fn read(point: &Self::Point) -> (Self, Self);
    fn write(x: Self, y: Self) -> Self::Point;

    fn add(&self, rhs: &Self) -> Self;
    fn sub(&self, rhs: &Self) -> Self;
    /// The negative if `negative`; exactly zero of exactly zero.
    fn negated(&self, negative: bool) -> Self;
    fn mul(&self, rhs: &Self) -> Self;
    fn square(&self) -> Self;
    /// Zero if and only if the coordinate is.
    fn norm(&self) -> Fq;
    /// 1/self, of 1/norm.
    fn inverse(&self, of_norm: &Fq) -> Self;
    fn is_zero(&self) -> bool;
    fn is_exactly_zero(&self) -> bool;
}

#[inline(always)]
fn words(point: &[u64], coordinate: usize) -> Fq {
    Fq::from_words(point.as_chunks::<4>().0[coordinate])
}

impl Coordinate for Fq {
    type Point = PackedG1;
    const ZERO: Self = Lazy::ZERO;
    const ONE: Self = Lazy::ONE;

    #[inline(always)]
    fn read(point: &PackedG1) -> (Self, Self) {
        (words(&point.0, 0), words(&point.0, 1))
    }

    #[inline(always)]
    fn write(x: Self, y: Self) -> PackedG1 {
        packed([x, y])
    }

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        Lazy::add(self, rhs)
    }

    #[inline(always)]
    fn sub(&self, rhs: &Self) -> Self {
        Lazy::sub(self, rhs)
    }

    #[inline(always)]
    fn negated(&self, negative: bool) -> Self {
        Lazy::negated(self, negative)
    }

    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        Lazy::mul(self, rhs)
    }

    #[inline(always)]
    fn square(&self) -> Self {
        Lazy::square(self)
    }

    #[inline(always)]
    fn norm(&self) -> Fq {
        *self
    }

    #[inline(always)]
    fn inverse(&self, of_norm: &Fq) -> Self {
        *of_norm
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        Lazy::is_zero(self)
    }

    #[inline(always)]
    fn is_exactly_zero(&self) -> bool {
        Lazy::is_exactly_zero(self)
    }
}

/// c0 + c1·u with u² = −1.
#[derive(Clone, Copy)]
pub(super) struct Fq2 {
    c0: Fq,
    c1: Fq,
}

impl Zeroize for Fq2 {
    fn zeroize(&mut self) {
        self.c0.zeroize();
        self.c1.zeroize();
    }
}

impl Coordinate for Fq2 {
    type Point = PackedG2;
    const ZERO: Self = Self {
        c0: Lazy::ZERO,
        c1: Lazy::ZERO,
    };
    const ONE: Self = Self {
        c0: Lazy::ONE,
        c1: Lazy::ZERO,
    };

    #[inline(always)]
    fn read(point: &PackedG2) -> (Self, Self) {
        let of = |first| Self {
            c0: words(&point.0, first),
            c1: words(&point.0, first + 1),
        };
        (of(0), of(2))
    }

    #[inline(always)]
    fn write(x: Self, y: Self) -> PackedG2 {
        packed([x.c0, x.c1, y.c0, y.c1])
    }

    #[inline(always)]
    fn add(&self, rhs: &Self) -> Self {
        let (c0, c1) = (self.c0.add(&rhs.c0), self.c1.add(&rhs.c1));
        Self { c0, c1 }
    }

    #[inline(always)]
    fn sub(&self, rhs: &Self) -> Self {
        let (c0, c1) = (self.c0.sub(&rhs.c0), self.c1.sub(&rhs.c1));
        Self { c0, c1 }
    }

    #[inline(always)]
    fn negated(&self, negative: bool) -> Self {
        let (c0, c1) = (self.c0.negated(negative), self.c1.negated(negative));
        Self { c0, c1 }
    }

    /// Two sums of two products, each reduced once. (Karatsuba would save one product of four and pay for it in carries.)
    #[inline(always)]
    fn mul(&self, rhs: &Self) -> Self {
        let minus = rhs.c1.neg();
        Self {
            c0: Fq::mul_add([&self.c0, &rhs.c0], [&self.c1, &minus]),
            c1: Fq::mul_add([&self.c0, &rhs.c1], [&self.c1, &rhs.c0]),
        }
    }

    /// (c0 + c1)(c0 − c1) and 2·c0·c1.
    #[inline(always)]
    fn square(&self) -> Self {
        let (sum, difference) = (self.c0.add(&self.c1), self.c0.sub(&self.c1));
        let (c0, c1) = (sum.mul(&difference), self.c0.double().mul(&self.c1));
        Self { c0, c1 }
    }

    /// c0² + c1².
    #[inline(always)]
    fn norm(&self) -> Fq {
        Fq::mul_add([&self.c0; 2], [&self.c1; 2])
    }

    #[inline(always)]
    fn inverse(&self, of_norm: &Fq) -> Self {
        let (c0, c1) = (self.c0.mul(of_norm), self.c1.mul(&of_norm.neg()));
        Self { c0, c1 }
    }

    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.c0.is_zero() && self.c1.is_zero()
    }

    #[inline(always)]
    fn is_exactly_zero(&self) -> bool {
        self.c0.is_exactly_zero() && self.c1.is_exactly_zero()
    }
}

#[inline(always)]
fn packed<const N: usize, const WORDS: usize>(coordinates: [Fq; N]) -> Packed<WORDS> {
    let mut words = [0; WORDS];
    for (to, from) in words.chunks_exact_mut(4).zip(coordinates) {
        to.copy_from_slice(&from.canonical());
    }
    Packed(words)
}
