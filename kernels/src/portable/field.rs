//! Elements of a 254-bit prime field that are reduced no further than they must be.
//!
//! # Representation and bounds
//! Four words, arkworks' Montgomery form (R = 2^256), below 2p, not necessarily below p. R is above 5.28·p for both fields of
//! BN254, so a Montgomery product of two such is below (4/5.28 + 1)·p < 2p as it is, and sums stay below 4p < R. Sums and
//! differences come back below 2p by a masked 2p. On x86-64 nothing branches on a value.
//!
//! An [`Unreduced`] sum of products must stay below 15·p²: then it is reduced below (15/5.28 + 1)·p < 4p, and by a masked 2p
//! below 2p. A product of two elements is below 4p², of two canonical ones below p².
//!
//! Knows nothing of curves.

use core::marker::PhantomData;

use ark_ff::{BigInt, Fp, MontBackend, MontConfig};

use super::inverse::inverse;
use super::words::Modulus;

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
use super::words as arithmetic;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use super::x86 as arithmetic;

/// The field of arkworks with modulus and constants `M`.
pub type ArkField<M> = Fp<MontBackend<M, 4>, 4>;

/// An element below 2p, see the module's documentation.
pub struct Lazy<M>([u64; 4], PhantomData<fn() -> M>);

/// A sum of products of elements, not reduced.
pub struct Unreduced<M>([u64; 8], PhantomData<fn() -> M>);

/// Products of canonical elements that an [`Unreduced`] holds.
pub const CANONICAL_PRODUCTS: usize = 15;

impl<M> Clone for Lazy<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Lazy<M> {}

impl<M: MontConfig<4>> Lazy<M> {
    pub const ZERO: Self = Self::from_words([0; 4]);
    pub const ONE: Self = Self::from_words(M::R.0);

    const MODULUS: &'static Modulus = &Modulus {
        p: M::MODULUS.0,
        minus_inverse: M::INV,
    };

    const TWICE_P: [u64; 4] = {
        let (p, mut twice, mut i) = (M::MODULUS.0, [0; 4], 0);
        // 4p must be below 2^256, or the sums would lose a carry.
        assert!(p[3] >> 62 == 0);
        while i < 4 {
            twice[i] = p[i] << 1 | if i == 0 { 0 } else { p[i - 1] >> 63 };
            i += 1;
        }
        twice
    };

    /// Words of a number below 2p.
    #[inline(always)]
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words, PhantomData)
    }

    #[inline(always)]
    pub fn from_ark(element: &ArkField<M>) -> Self {
        Self::from_words(element.0.0)
    }

    #[inline(always)]
    pub fn to_ark(&self) -> ArkField<M> {
        ArkField::new_unchecked(BigInt(self.canonical()))
    }

    /// The words of the one representative below p.
    #[inline(always)]
    pub fn canonical(&self) -> [u64; 4] {
        arithmetic::sum(&self.0, &[0; 4], &M::MODULUS.0)
    }

    #[inline(always)]
    pub fn add(&self, rhs: &Self) -> Self {
        Self::from_words(arithmetic::sum(&self.0, &rhs.0, &Self::TWICE_P))
    }

    #[inline(always)]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub fn sub(&self, rhs: &Self) -> Self {
        Self::from_words(arithmetic::difference(&self.0, &rhs.0, &Self::TWICE_P))
    }

    /// Exactly zero of exactly zero.
    #[inline(always)]
    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// The negative if `negative`: no branch, for signs are random.
    #[inline(always)]
    pub fn negated(&self, negative: bool) -> Self {
        let (minus, mask) = (self.neg(), u64::from(negative).wrapping_neg());
        let choose = |i: usize| self.0[i] ^ (self.0[i] ^ minus.0[i]) & mask;
        Self::from_words([choose(0), choose(1), choose(2), choose(3)])
    }

    /// The Montgomery product.
    #[inline(always)]
    pub fn mul(&self, rhs: &Self) -> Self {
        Self::from_words(arithmetic::mul(&self.0, &rhs.0, Self::MODULUS))
    }

    /// a·b + c·d, reduced once.
    #[inline(always)]
    pub fn mul_add([a, b]: [&Self; 2], [c, d]: [&Self; 2]) -> Self {
        let below_4p = arithmetic::mul_add([&a.0, &b.0], [&c.0, &d.0], Self::MODULUS);
        Self::from_words(arithmetic::sum(&below_4p, &[0; 4], &Self::TWICE_P))
    }

    #[inline(always)]
    pub fn square(&self) -> Self {
        self.mul(self)
    }

    /// `None` of zero. In about a third of the time that arkworks takes, which depends on the value.
    pub fn inverse(&self) -> Option<Self> {
        // x·R to 1/(x·R), which times R² is R/x.
        let inverse = inverse(&self.0, &M::MODULUS.0, M::INV.wrapping_neg())?;
        let r_squared = Self::from_words(M::R2.0);
        Some(Self::from_words(inverse).mul(&r_squared.mul(&r_squared)))
    }

    /// Zero modulo p: 0 or p.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.is_exactly_zero() || self.0 == M::MODULUS.0
    }

    #[inline(always)]
    pub fn is_exactly_zero(&self) -> bool {
        self.0 == [0; 4]
    }
}

impl<M: MontConfig<4>> Unreduced<M> {
    pub const ZERO: Self = Self([0; 8], PhantomData);

    /// a·b, below 4p².
    #[inline(always)]
    pub fn product(a: &Lazy<M>, b: &Lazy<M>) -> Self {
        Self(arithmetic::product(&a.0, &b.0), PhantomData)
    }

    /// The sum, which must be below 15·p².
    #[inline(always)]
    pub fn add(&self, rhs: &Self) -> Self {
        Self(arithmetic::wide_sum(&self.0, &rhs.0), PhantomData)
    }

    /// The sum divided by R modulo p.
    #[inline(always)]
    pub fn reduce(&self) -> Lazy<M> {
        let below_4p = self.below_4p();
        Lazy::from_words(arithmetic::sum(&below_4p, &[0; 4], &Lazy::<M>::TWICE_P))
    }

    #[inline(always)]
    fn below_4p(&self) -> [u64; 4] {
        arithmetic::reduce(&self.0, Lazy::<M>::MODULUS)
    }
}

impl<M> zeroize::Zeroize for Lazy<M> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
