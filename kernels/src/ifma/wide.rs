//! Sums of products that are reduced once.

use core::arch::x86_64::*;
use core::marker::PhantomData;

use ark_ff::MontConfig;

use super::constants::{Constants, LiftOfDifferences};
use super::field::{Fp8, carry, splat};

/// An unreduced sum of products: ten columns of 64 bits, column i worth 2^(52·i).
///
/// A product puts at most ten numbers below 2^52 into a column, and 2^12 of them fit, so a sum may have 400 products.
pub struct Wide<M>([__m512i; 10], PhantomData<fn() -> M>);

impl<M> Clone for Wide<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Wide<M> {}

impl<M: MontConfig<4>> Wide<M> {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn zero() -> Self {
        Self([_mm512_setzero_si512(); 10], PhantomData)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn product(a: Fp8<M>, b: Fp8<M>) -> Self {
        Self::zero().mul_add(a, b)
    }

    /// Adds a·b.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn mul_add(mut self, a: Fp8<M>, b: Fp8<M>) -> Self {
        for i in 0..5 {
            for j in 0..5 {
                self.0[i + j] = _mm512_madd52lo_epu64(self.0[i + j], a.0[i], b.0[j]);
                self.0[i + j + 1] = _mm512_madd52hi_epu64(self.0[i + j + 1], a.0[i], b.0[j]);
            }
        }
        self
    }

    /// a²: the products of two different limbs once, doubled.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn square(a: Fp8<M>) -> Self {
        let mut t = Self::zero().0;
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a.0[i], a.0[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a.0[i], a.0[j]);
            }
        }
        for column in &mut t[1..9] {
            *column = _mm512_add_epi64(*column, *column);
        }
        for i in 0..5 {
            t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a.0[i], a.0[i]);
            t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a.0[i], a.0[i]);
        }
        Self(t, PhantomData)
    }

    /// Column by column. Columns are numbers modulo 2^64: a difference is sound if the whole is not negative.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn add(mut self, rhs: Self) -> Self {
        for (column, other) in self.0.iter_mut().zip(rhs.0) {
            *column = _mm512_add_epi64(*column, other);
        }
        self
    }

    /// Column by column: columns may become negative, the whole must not.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn sub(mut self, rhs: Self) -> Self {
        for (column, other) in self.0.iter_mut().zip(rhs.0) {
            *column = _mm512_sub_epi64(*column, other);
        }
        self
    }

    /// Adds 64·p²: zero modulo p, and enough to make a difference of two products of bounds A·B ≤ 64 positive.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn lift(mut self) -> Self {
        for (column, lift) in self.0.iter_mut().zip(LiftOfDifferences::<M>::COLUMNS) {
            *column = _mm512_add_epi64(*column, splat(lift));
        }
        self
    }

    /// Montgomery's reduction: the sum over 2^260 modulo p, normalised.
    ///
    /// With a sum of at most S·p² the result is at most S·p²/2^260 + p. Carries are signed, so columns may be negative
    /// as long as the whole is not.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn reduce(self) -> Fp8<M> {
        let mut t = self.0;
        let inverse = splat(Constants::<M>::MINUS_INVERSE);
        for i in 0..5 {
            let m = _mm512_madd52lo_epu64(_mm512_setzero_si512(), t[i], inverse);
            for j in 0..5 {
                let p = splat(Constants::<M>::P[j]);
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], m, p);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], m, p);
            }
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
        }
        Fp8::from_limbs(carry([t[5], t[6], t[7], t[8], t[9]]))
    }
}
