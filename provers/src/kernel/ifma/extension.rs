//! Coordinates of eight points of G2, elements of Fq2. Conditions and bounds are those of [`super::coordinate`].

use core::arch::x86_64::*;

use super::super::point::{Packed, PackedG2};
use super::coordinate::{
    Coordinate, Fq8, gather_line, negate_limbs, scatter_line, subtract_and_reduce,
};
use super::field::carry;
use super::wide::Wide;

/// c0 + c1·u with u² = −1.
#[derive(Clone, Copy)]
pub(super) struct Fq2x8 {
    c0: Fq8,
    c1: Fq8,
}

impl Coordinate for Fq2x8 {
    type Point = PackedG2;
    const IDENTITY: PackedG2 = Packed([0; 16]);

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn zero() -> Self {
        let (c0, c1) = (Fq8::zero(), Fq8::zero());
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    unsafe fn one() -> Self {
        let (c0, c1) = (Fq8::one().reduce(), Fq8::zero());
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    unsafe fn gather(points: [&PackedG2; 8]) -> (Self, Self) {
        let [x, y] = [0, 1].map(|line| {
            let (c0, c1) = gather_line(points, line);
            Self { c0, c1 }
        });
        (x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn scatter(x: Self, y: Self) -> [PackedG2; 8] {
        let mut points = [Self::IDENTITY; 8];
        scatter_line(x.c0, x.c1, &mut points, 0);
        scatter_line(y.c0, y.c1, &mut points, 1);
        points
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn negate(self, mask: __mmask8) -> Self {
        let [c0, c1] = [self.c0, self.c1].map(|c| negate_limbs(c, mask));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn normalise(self) -> Self {
        let [c0, c1] = [self.c0, self.c1].map(|c| Fq8::from_limbs(carry(c.0)));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add(self, rhs: Self) -> Self {
        let (c0, c1) = (self.c0.add(rhs.c0), self.c1.add(rhs.c1));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sub(self, rhs: Self) -> Self {
        let (c0, c1) = (self.c0.sub::<16>(rhs.c0), self.c1.sub::<16>(rhs.c1));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sub_reduced(self, rhs: Self) -> Self {
        let (c0, c1) = (self.c0.sub::<2>(rhs.c0), self.c1.sub::<2>(rhs.c1));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn minus(self, rhs: Self) -> Self {
        let c0 = subtract_and_reduce::<17>(self.c0, &[rhs.c0]);
        let c1 = subtract_and_reduce::<17>(self.c1, &[rhs.c1]);
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn minus_both(self, a: Self, b: Self) -> Self {
        let c0 = subtract_and_reduce::<33>(self.c0, &[a.c0, b.c0]);
        let c1 = subtract_and_reduce::<33>(self.c1, &[a.c1, b.c1]);
        Self { c0, c1 }
    }

    /// Karatsuba over unreduced products, two reductions. With v0 = a0·b0 and v1 = a1·b1: c1 = (a0 + a1)(b0 + b1) − v0 −
    /// v1 = a0·b1 + a1·b0 ≤ 2AB·p² is never negative; c0 = v0 − v1 is made so by adding 64·p² ≥ AB·p². Hence bounds
    /// 1 + 128/84 < 3.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn mul(self, rhs: Self) -> Self {
        let v0 = Wide::product(self.c0, rhs.c0);
        let v1 = Wide::product(self.c1, rhs.c1);
        let both = Wide::product(self.c0.add(self.c1), rhs.c0.add(rhs.c1));
        Self {
            c0: v0.sub(v1).lift().reduce(),
            c1: both.sub(v0).sub(v1).reduce(),
        }
    }

    /// (a0 + a1)(a0 − a1) and 2·a0·a1: bounds 1 + 6·6/84 and 1 + 3·6/84.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn square(self) -> Self {
        let (sum, difference) = (self.c0.add(self.c1), self.c0.sub::<3>(self.c1));
        let (c0, c1) = (sum.mul(difference), self.c0.double().mul(self.c1));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn reduce(self) -> Self {
        let (c0, c1) = (self.c0.reduce(), self.c1.reduce());
        Self { c0, c1 }
    }

    /// c0² + c1² ≤ 2·32²·p²: bound 1 + 2048/84 < 26.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn norm(self) -> Fq8 {
        Wide::square(self.c0).add(Wide::square(self.c1)).reduce()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn inverse(self, of_norm: Fq8) -> Self {
        let (c0, c1) = (self.c0.mul(of_norm), self.c1.mul(of_norm.neg::<2>()));
        Self { c0, c1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn is_zero(self) -> __mmask8 {
        self.c0.is_zero() & self.c1.is_zero()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn is_exactly_zero(self) -> __mmask8 {
        self.c0.is_exactly_zero() & self.c1.is_exactly_zero()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        let c0 = Fq8::select(mask, yes.c0, no.c0);
        let c1 = Fq8::select(mask, yes.c1, no.c1);
        Self { c0, c1 }
    }
}
