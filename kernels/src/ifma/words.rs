//! Eight field elements between memory, as arkworks keeps them, and vectors of words.

use core::arch::x86_64::*;
use core::mem::{offset_of, size_of};

use ark_ff::MontConfig;

use super::field::{ArkField, LANES};

/// How a field element of arkworks lies in memory: its four words, nothing else.
const fn assert_layout<M: MontConfig<4>>() {
    assert!(size_of::<ArkField<M>>() == 32 && offset_of!(ArkField<M>, 0) == 0);
    assert!(size_of::<ark_ff::BigInt<4>>() == 32);
}

/// Eight elements in memory, transposed into four vectors of words.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn load_words<M: MontConfig<4>>(elements: &[ArkField<M>; LANES]) -> [__m512i; 4] {
    const { assert_layout::<M>() };
    let rows = elements.as_ptr().cast::<__m512i>();
    // SAFETY: eight elements of 32 bytes each (checked at compile time) are four unaligned vectors of initialised bytes.
    let [r0, r1, r2, r3] = unsafe { [0, 1, 2, 3].map(|i| _mm512_loadu_si512(rows.add(i))) };
    let low = _mm512_setr_epi64(0, 4, 8, 12, 1, 5, 9, 13);
    let high = _mm512_setr_epi64(2, 6, 10, 14, 3, 7, 11, 15);
    let (a, b) = (
        _mm512_permutex2var_epi64(r0, low, r1),
        _mm512_permutex2var_epi64(r2, low, r3),
    );
    let (c, d) = (
        _mm512_permutex2var_epi64(r0, high, r1),
        _mm512_permutex2var_epi64(r2, high, r3),
    );
    [
        _mm512_shuffle_i64x2::<0b01_00_01_00>(a, b),
        _mm512_shuffle_i64x2::<0b11_10_11_10>(a, b),
        _mm512_shuffle_i64x2::<0b01_00_01_00>(c, d),
        _mm512_shuffle_i64x2::<0b11_10_11_10>(c, d),
    ]
}

/// The inverse of [`load_words`].
#[inline]
#[target_feature(enable = "avx512f")]
pub fn store_words<M: MontConfig<4>>([a, b, c, d]: [__m512i; 4], out: &mut [ArkField<M>; LANES]) {
    const { assert_layout::<M>() };
    let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    let high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    let front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    let (ab, cd) = (
        _mm512_permutex2var_epi64(a, low, b),
        _mm512_permutex2var_epi64(c, low, d),
    );
    let (ab_high, cd_high) = (
        _mm512_permutex2var_epi64(a, high, b),
        _mm512_permutex2var_epi64(c, high, d),
    );
    let rows = [
        _mm512_permutex2var_epi64(ab, front, cd),
        _mm512_permutex2var_epi64(ab, back, cd),
        _mm512_permutex2var_epi64(ab_high, front, cd_high),
        _mm512_permutex2var_epi64(ab_high, back, cd_high),
    ];
    let to = out.as_mut_ptr().cast::<__m512i>();
    for (i, row) in rows.into_iter().enumerate() {
        // SAFETY: as in `load_words`; every word written is a limb of a canonical value, which is all arkworks asks of
        // an element.
        unsafe { _mm512_storeu_si512(to.add(i), row) };
    }
}
