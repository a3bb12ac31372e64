//! Coordinates of eight points: Fq for G1, and Fq2 for G2 in [`super::extension`], behind one trait so that the additions
//! are written once.
//!
//! Every method needs the features of this room; that is the condition of all its `unsafe`.

use core::arch::x86_64::*;

use ark_bn254::FqConfig;

use super::super::point::{Packed, PackedG1};
use super::constants::Multiple;
use super::field::{Fp8, carry, reduce_limbs, splat};

pub(super) type Fq8 = Fp8<FqConfig>;

/// Coordinates as loaded, and sums, have bound 16 at most; those of sums have bound 2.
///
/// # Safety
/// Every method may be called only where the CPU has the features of this room.
pub(super) trait Coordinate: Copy {
    type Point: Copy + 'static;
    const IDENTITY: Self::Point;

    unsafe fn zero() -> Self;
    unsafe fn one() -> Self;
    /// x and y of eight points, bound 16.
    unsafe fn gather(points: [&Self::Point; 8]) -> (Self, Self);
    /// Eight points of x and y of any bound.
    unsafe fn scatter(x: Self, y: Self) -> [Self::Point; 8];
    /// 16p − self in the lanes of `mask`, with limbs that need not be normalised; bound 16. Only `sub`, `minus` and
    /// `normalise` take such a value.
    unsafe fn negate(self, mask: __mmask8) -> Self;
    unsafe fn normalise(self) -> Self;
    unsafe fn add(self, rhs: Self) -> Self;
    /// self − rhs for rhs of bound 16: adds 16 to the bound.
    unsafe fn sub(self, rhs: Self) -> Self;
    /// The same for rhs of bound 2: adds 2 to the bound.
    unsafe fn sub_reduced(self, rhs: Self) -> Self;
    /// self − rhs for rhs of bound 16, self of bound 60; bound 2.
    unsafe fn minus(self, rhs: Self) -> Self;
    /// self − a − b for a, b of bound 16, self of bound 40; bound 2.
    unsafe fn minus_both(self, a: Self, b: Self) -> Self;
    /// Bounds A and B with A·B ≤ 64, result of bound 3.
    unsafe fn mul(self, rhs: Self) -> Self;
    /// Bound 3, result of bound 2.
    unsafe fn square(self) -> Self;
    unsafe fn reduce(self) -> Self;
    /// A number that is zero where the value is: itself, or its norm. Bound 32 in, 32 out.
    unsafe fn norm(self) -> Fq8;
    /// The inverse of self (bound 32), given that of its norm (bound 2); bound 2.
    unsafe fn inverse(self, of_norm: Fq8) -> Self;
    unsafe fn is_zero(self) -> __mmask8;
    unsafe fn is_exactly_zero(self) -> __mmask8;
    unsafe fn select(mask: __mmask8, yes: Self, no: Self) -> Self;
}

/// Rows and columns exchanged.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose(r: [__m512i; 8]) -> [__m512i; 8] {
    // Pairs of rows, then 128-bit blocks in two steps.
    let even = [0, 2, 4, 6].map(|i| _mm512_unpacklo_epi64(r[i], r[i + 1]));
    let odd = [0, 2, 4, 6].map(|i| _mm512_unpackhi_epi64(r[i], r[i + 1]));
    let mut out = r;
    for (half, pairs) in [even, odd].into_iter().enumerate() {
        let [a, b, c, d] = pairs;
        let low = [
            _mm512_shuffle_i64x2::<0b10_00_10_00>(a, b),
            _mm512_shuffle_i64x2::<0b10_00_10_00>(c, d),
        ];
        let high = [
            _mm512_shuffle_i64x2::<0b11_01_11_01>(a, b),
            _mm512_shuffle_i64x2::<0b11_01_11_01>(c, d),
        ];
        out[half] = _mm512_shuffle_i64x2::<0b10_00_10_00>(low[0], low[1]);
        out[half + 4] = _mm512_shuffle_i64x2::<0b11_01_11_01>(low[0], low[1]);
        out[half + 2] = _mm512_shuffle_i64x2::<0b10_00_10_00>(high[0], high[1]);
        out[half + 6] = _mm512_shuffle_i64x2::<0b11_01_11_01>(high[0], high[1]);
    }
    out
}

/// The `line`-th cache line of eight points, transposed: the words of two field elements.
#[inline]
#[target_feature(enable = "avx512f,avx512vbmi2")]
pub(super) fn gather_line<const WORDS: usize>(
    points: [&Packed<WORDS>; 8],
    line: usize,
) -> (Fq8, Fq8) {
    assert!(8 * line + 8 <= WORDS);
    let rows = points.map(|point| {
        // SAFETY: the line is inside the point, by the assertion; points are aligned to lines.
        unsafe { _mm512_load_si512(point.0.as_ptr().add(8 * line).cast()) }
    });
    let [a, b, c, d, e, f, g, h] = transpose(rows);
    (
        Fq8::from_words_times_16([a, b, c, d]),
        Fq8::from_words_times_16([e, f, g, h]),
    )
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn scatter_line<const WORDS: usize>(
    low: Fq8,
    high: Fq8,
    points: &mut [Packed<WORDS>; 8],
    line: usize,
) {
    assert!(8 * line + 8 <= WORDS);
    let ([a, b, c, d], [e, f, g, h]) = (low.to_words_over_16(), high.to_words_over_16());
    let rows = transpose([a, b, c, d, e, f, g, h]);
    for (point, row) in points.iter_mut().zip(rows) {
        // SAFETY: as in `gather_line`.
        unsafe { _mm512_store_si512(point.0.as_mut_ptr().add(8 * line).cast(), row) };
    }
}

/// self + K·p − rhs − other, reduced: K exceeds the bounds of what is subtracted by one at least, so that the number is
/// at least p, as `reduce_limbs` asks.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn subtract_and_reduce<const K: u64>(from: Fq8, terms: &[Fq8]) -> Fq8 {
    let mut t = from.0;
    for i in 0..5 {
        t[i] = _mm512_add_epi64(t[i], splat(Multiple::<FqConfig, K>::LIMBS[i]));
        for term in terms {
            t[i] = _mm512_sub_epi64(t[i], term.0[i]);
        }
    }
    Fq8::from_limbs(reduce_limbs::<FqConfig>(t))
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn negate_limbs(mut v: Fq8, mask: __mmask8) -> Fq8 {
    for i in 0..5 {
        let whole = splat(Multiple::<FqConfig, 16>::LIMBS[i]);
        v.0[i] = _mm512_mask_sub_epi64(v.0[i], mask, whole, v.0[i]);
    }
    v
}

impl Coordinate for Fq8 {
    type Point = PackedG1;
    const IDENTITY: PackedG1 = Packed([0; 8]);

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn zero() -> Self {
        Fq8::zero()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    unsafe fn one() -> Self {
        Fq8::one().reduce()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi2")]
    unsafe fn gather(points: [&PackedG1; 8]) -> (Self, Self) {
        gather_line(points, 0)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn scatter(x: Self, y: Self) -> [PackedG1; 8] {
        let mut points = [Self::IDENTITY; 8];
        scatter_line(x, y, &mut points, 0);
        points
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn negate(self, mask: __mmask8) -> Self {
        negate_limbs(self, mask)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn normalise(self) -> Self {
        Self::from_limbs(carry(self.0))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add(self, rhs: Self) -> Self {
        Fq8::add(self, rhs)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sub(self, rhs: Self) -> Self {
        Fq8::sub::<16>(self, rhs)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sub_reduced(self, rhs: Self) -> Self {
        Fq8::sub::<2>(self, rhs)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn minus(self, rhs: Self) -> Self {
        subtract_and_reduce::<17>(self, &[rhs])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn minus_both(self, a: Self, b: Self) -> Self {
        subtract_and_reduce::<33>(self, &[a, b])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn mul(self, rhs: Self) -> Self {
        Fq8::mul(self, rhs)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn square(self) -> Self {
        Fq8::square(self)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn reduce(self) -> Self {
        Fq8::reduce(self)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn norm(self) -> Fq8 {
        self
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn inverse(self, of_norm: Fq8) -> Self {
        of_norm
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    unsafe fn is_zero(self) -> __mmask8 {
        Fq8::is_zero(self)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn is_exactly_zero(self) -> __mmask8 {
        Fq8::is_exactly_zero(self)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        Fq8::select(mask, yes, no)
    }
}
