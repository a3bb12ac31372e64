//! Eight elements of a 254-bit prime field at once: one 512-bit register a limb, five limbs of 52 bits.
//!
//! # Representation and bounds
//! Every value has *normalised* limbs: each of the five is below 2^52. The number they spell is below 2^260 (about
//! 84.6 p for both fields of BN254) and stands for itself modulo p; it need not be reduced. "Bound k" below means
//! "less than k·p". Montgomery form is taken with R = 2^260; arkworks' own form has R = 2^256.
//!
//! | operation | inputs | result | cost, vector instructions |
//! |---|---|---|---|
//! | [`Fp8::add`] | A, B with A + B ≤ 84 | A + B | 17 |
//! | [`Fp8::double`] | A ≤ 42 | 2A | 17 |
//! | [`Fp8::sub::<K>`](Fp8::sub) | A, B ≤ K, A + K ≤ 84 | A + K | 22 |
//! | [`Fp8::neg::<K>`](Fp8::neg) | B ≤ K | K | 17 |
//! | [`Fp8::mul`] | A·B ≤ 84 | 1 + A·B/84 ≤ 2 | 127 (105 multiply-adds) |
//! | [`Fp8::square`] | A ≤ 9 | 1 + A²/84 ≤ 2 | 112 (85 multiply-adds) |
//! | [`Wide::mul_add`] | see there | | 50 |
//! | [`Wide::reduce`] | sum of A·B = S ≤ 6,900 | 1 + S/84 | 77 |
//! | [`Fp8::reduce`] | any | 1 + A·0.0074 ≤ 2 | 22 |
//! | [`Fp8::canonical`] | any | 1 (the one representative) | 46 |
//! | [`Fp8::is_zero`] | any | a mask of lanes | 51 |
//! | [`Fp8::from_ark`] | | 16, R = 2^260 | 16 |
//! | [`Fp8::from_ark_as_is`] | | 1, R = 2^256 | 16 |
//! | [`Fp8::to_ark`] | any, R = 2^260 | | 85 |
//! | [`Fp8::to_ark_as_is`] | any, R = 2^256 | | 63 |
//!
//! # Two forms
//! arkworks keeps x as x·2^256. Times 16 that is x·2^260: a shift of the limbs, folded into the unpacking, so
//! [`Fp8::from_ark`] is exact, costs nothing more than splitting the words, and has bound 16. Linear work may stay in
//! arkworks' own form instead: `mul` of a value with R = 2^256 by one with R = 2^260 has R = 2^256. A transform whose
//! factors were loaded with `from_ark` reads and writes its data with the `as_is` pair and never converts.
//!
//! Knows nothing of curves. Functions carry `target_feature`, so they are safe to call, and inlined, only from functions
//! with the same features ([`super::Ifma`] says when one may enter such a function).

use core::arch::x86_64::*;
use core::marker::PhantomData;

use ark_ff::{Fp, MontBackend, MontConfig};

use super::constants::{Constants, MASK, Multiple};
use super::wide::Wide;
use super::words::{load_words, store_words};

/// The field of arkworks with modulus and constants `M`.
pub type ArkField<M> = Fp<MontBackend<M, 4>, 4>;

/// Lanes in a vector.
pub const LANES: usize = 8;

/// Eight elements, see the module's documentation.
pub struct Fp8<M>(pub [__m512i; 5], PhantomData<fn() -> M>);

impl<M> Clone for Fp8<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Fp8<M> {}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn splat(limb: u64) -> __m512i {
    _mm512_set1_epi64(limb as i64)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mask() -> __m512i {
    splat(MASK)
}

/// Carries what is above 52 bits into the next limb, as signed numbers. The value is unchanged modulo 2^260, so if it
/// is in 0..2^260 the result is its normalised form.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn carry(mut t: [__m512i; 5]) -> [__m512i; 5] {
    for i in 0..4 {
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
        t[i] = _mm512_and_si512(t[i], mask());
    }
    t[4] = _mm512_and_si512(t[4], mask());
    t
}

impl<M: MontConfig<4>> Fp8<M> {
    #[inline]
    pub const fn from_limbs(limbs: [__m512i; 5]) -> Self {
        Self(limbs, PhantomData)
    }

    /// Zero in every lane; bound 0.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn zero() -> Self {
        Self::from_limbs([_mm512_setzero_si512(); 5])
    }

    /// One in every lane, R = 2^260; bound 16.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn one() -> Self {
        let words = Constants::<M>::ONE_256;
        Self::from_words_times_16(words.map(|word| splat(word)))
    }

    /// The same element in every lane, R = 2^260; bound 16.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn broadcast(element: &ArkField<M>) -> Self {
        Self::from_words_times_16(element.0.0.map(|word| splat(word)))
    }

    /// x in four words a lane to x; bound 1 if x is canonical.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn from_words([a, b, c, d]: [__m512i; 4]) -> Self {
        let middle = [
            _mm512_shldi_epi64::<12>(b, a),
            _mm512_shldi_epi64::<24>(c, b),
            _mm512_shldi_epi64::<36>(d, c),
        ];
        let [m1, m2, m3] = middle.map(|limb| _mm512_and_si512(limb, mask()));
        let low = _mm512_and_si512(a, mask());
        Self::from_limbs([low, m1, m2, m3, _mm512_srli_epi64::<16>(d)])
    }

    /// x in four words a lane to 16·x; bound 16 if x is canonical.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn from_words_times_16([a, b, c, d]: [__m512i; 4]) -> Self {
        let lower = [
            _mm512_slli_epi64::<4>(a),
            _mm512_shldi_epi64::<16>(b, a),
            _mm512_shldi_epi64::<28>(c, b),
            _mm512_shldi_epi64::<40>(d, c),
        ];
        let [l0, l1, l2, l3] = lower.map(|limb| _mm512_and_si512(limb, mask()));
        Self::from_limbs([l0, l1, l2, l3, _mm512_srli_epi64::<12>(d)])
    }

    /// The canonical value in four words a lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_words(self) -> [__m512i; 4] {
        let [a, b, c, d, e] = self.canonical().0;
        [
            _mm512_or_si512(a, _mm512_slli_epi64::<52>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<12>(b), _mm512_slli_epi64::<40>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<24>(c), _mm512_slli_epi64::<28>(d)),
            _mm512_or_si512(_mm512_srli_epi64::<36>(d), _mm512_slli_epi64::<16>(e)),
        ]
    }

    /// The canonical value divided by 16 modulo p, in four words a lane: 2^260 form to 2^256 form.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_words_over_16(self) -> [__m512i; 4] {
        let value = self.canonical().0;
        // The multiple of p that makes the last four bits zero: (v + m·p)/16 ≤ (p − 1 + 15p)/16 < p, canonical again.
        let zero = _mm512_setzero_si512();
        let inverse = splat(Constants::<M>::MINUS_INVERSE);
        let m = _mm512_and_si512(_mm512_madd52lo_epu64(zero, value[0], inverse), splat(15));
        let [a, b, c, d, e] = carry(multiply_add_low(value, m, Constants::<M>::P));
        [
            _mm512_or_si512(_mm512_srli_epi64::<4>(a), _mm512_slli_epi64::<48>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<16>(b), _mm512_slli_epi64::<36>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<28>(c), _mm512_slli_epi64::<24>(d)),
            _mm512_or_si512(_mm512_srli_epi64::<40>(d), _mm512_slli_epi64::<12>(e)),
        ]
    }

    /// Eight elements of arkworks, R = 2^260; bound 16.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn from_ark(elements: &[ArkField<M>; LANES]) -> Self {
        Self::from_words_times_16(load_words(elements))
    }

    /// Eight elements of arkworks, R = 2^256; bound 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    pub fn from_ark_as_is(elements: &[ArkField<M>; LANES]) -> Self {
        Self::from_words(load_words(elements))
    }

    /// Writes eight elements with R = 2^260.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_ark(self, out: &mut [ArkField<M>; LANES]) {
        store_words(self.to_words_over_16(), out);
    }

    /// Writes eight elements with R = 2^256.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_ark_as_is(self, out: &mut [ArkField<M>; LANES]) {
        store_words(self.to_words(), out);
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn add(self, rhs: Self) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            t[i] = _mm512_add_epi64(t[i], rhs.0[i]);
        }
        Self::from_limbs(carry(t))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn double(self) -> Self {
        self.add(self)
    }

    /// `self` − `rhs`, computed as `self` + `K`·p − `rhs`: `rhs` must have bound `K`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn sub<const K: u64>(self, rhs: Self) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            let lifted = _mm512_add_epi64(t[i], splat(Multiple::<M, K>::LIMBS[i]));
            t[i] = _mm512_sub_epi64(lifted, rhs.0[i]);
        }
        Self::from_limbs(carry(t))
    }

    /// `K`·p − `self`: `self` must have bound `K`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn neg<const K: u64>(self) -> Self {
        let mut t = self.0;
        for i in 0..5 {
            t[i] = _mm512_sub_epi64(splat(Multiple::<M, K>::LIMBS[i]), t[i]);
        }
        Self::from_limbs(carry(t))
    }

    /// The Montgomery product self·rhs/2^260.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn mul(self, rhs: Self) -> Self {
        Wide::product(self, rhs).reduce()
    }

    /// The Montgomery square.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn square(self) -> Self {
        Wide::square(self).reduce()
    }

    /// The same values with bound 2 (1.63 at most).
    ///
    /// The quotient is estimated from the top limb: v/p·0.9926 − 1 < q ≤ v/p because 84 of 84.6 is 0.9926.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn reduce(self) -> Self {
        Self::from_limbs(reduce_limbs::<M>(self.0))
    }

    /// The one representative in 0..p.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn canonical(self) -> Self {
        let t = self.reduce().0;
        let mut less = t;
        for i in 0..5 {
            less[i] = _mm512_sub_epi64(t[i], splat(Constants::<M>::P[i]));
        }
        // Signed carries, the top limb keeping its sign: negative where the value was below p.
        for i in 0..4 {
            less[i + 1] = _mm512_add_epi64(less[i + 1], _mm512_srai_epi64::<52>(less[i]));
            less[i] = _mm512_and_si512(less[i], mask());
        }
        let below = _mm512_cmplt_epi64_mask(less[4], _mm512_setzero_si512());
        Self::select(below, Self::from_limbs(t), Self::from_limbs(less))
    }

    /// The lanes that are zero modulo p, lane 0 in the lowest bit.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn is_zero(self) -> __mmask8 {
        self.canonical().is_exactly_zero()
    }

    /// The lanes whose limbs are all zero. Cheaper than [`Self::is_zero`], which also finds the other multiples of p.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn is_exactly_zero(self) -> __mmask8 {
        let [a, b, c, d, e] = self.0;
        let any = _mm512_or_si512(
            _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)),
            e,
        );
        _mm512_testn_epi64_mask(any, any)
    }

    /// `yes` in the lanes of `mask`, `no` in the others.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        let mut t = no.0;
        for i in 0..5 {
            t[i] = _mm512_mask_blend_epi64(mask, no.0[i], yes.0[i]);
        }
        Self::from_limbs(t)
    }
}

/// t + m·factor modulo 2^260 before carrying, for m below 2^52.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply_add_low(mut t: [__m512i; 5], m: __m512i, factor: [u64; 5]) -> [__m512i; 5] {
    for i in 0..5 {
        t[i] = _mm512_madd52lo_epu64(t[i], m, splat(factor[i]));
    }
    for i in 0..4 {
        t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], m, splat(factor[i]));
    }
    t
}

/// The number spelt by limbs that need not be normalised (they may be negative), minus a multiple of p: the result is
/// normalised and has bound 2. The number must be in 0..2^260, and the top limb as it stands must not be negative: a
/// number of at least p guarantees that.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn reduce_limbs<M: MontConfig<4>>(t: [__m512i; 5]) -> [__m512i; 5] {
    let zero = _mm512_setzero_si512();
    let q = _mm512_madd52hi_epu64(zero, t[4], splat(Constants::<M>::QUOTIENT));
    carry(multiply_add_low(t, q, Constants::<M>::MINUS_P))
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
