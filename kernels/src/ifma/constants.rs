//! The constants of a modulus, in limbs of 52 bits, computed when compiling.

use core::marker::PhantomData;

use ark_ff::MontConfig;

pub const MASK: u64 = (1 << 52) - 1;

/// Splits a 260-bit number, least word first, into limbs.
pub const fn limbs(words: [u64; 5]) -> [u64; 5] {
    let [a, b, c, d, e] = words;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        (d >> 16 | e << 48) & MASK,
    ]
}

/// k·p modulo 2^320, in words.
pub const fn multiple(p: [u64; 4], k: u64) -> [u64; 5] {
    let mut words = [0; 5];
    let mut carry = 0u128;
    let mut i = 0;
    while i < 4 {
        carry += p[i] as u128 * k as u128;
        words[i] = carry as u64;
        carry >>= 64;
        i += 1;
    }
    words[4] = carry as u64;
    words
}

/// 2^260 − the number in `words`.
const fn complement(words: [u64; 5]) -> [u64; 5] {
    let mut negated = [0; 5];
    let mut carry = true;
    let mut i = 0;
    while i < 5 {
        let (word, overflow) = (!words[i]).overflowing_add(carry as u64);
        negated[i] = word;
        carry = overflow;
        i += 1;
    }
    negated
}

/// Constants of one modulus, as limbs.
pub struct Constants<M>(PhantomData<M>);

impl<M: MontConfig<4>> Constants<M> {
    pub const P: [u64; 5] = Self::times_p(1);
    /// −p modulo 2^260.
    pub const MINUS_P: [u64; 5] = limbs(complement(multiple(M::MODULUS.0, 1)));
    /// −1/p modulo 2^52.
    pub const MINUS_INVERSE: u64 = M::INV & MASK;
    /// The integer part of 2^260 / p.
    pub const QUOTIENT: u64 = {
        let mut k = 1;
        while multiple(M::MODULUS.0, k + 1)[4] < 16 {
            k += 1;
        }
        k
    };
    /// 2^256 and 2^260 modulo p are one in either form.
    pub const ONE_256: [u64; 4] = M::R.0;

    pub const fn times_p(k: u64) -> [u64; 5] {
        assert!(k <= 84, "k·p must be below 2^260");
        limbs(multiple(M::MODULUS.0, k))
    }
}

/// The limbs of `K`·p.
pub struct Multiple<M, const K: u64>(PhantomData<M>);

impl<M: MontConfig<4>, const K: u64> Multiple<M, K> {
    pub const LIMBS: [u64; 5] = Constants::<M>::times_p(K);
}

/// 64·p², in columns of 52 bits.
pub struct LiftOfDifferences<M>(PhantomData<M>);

impl<M: MontConfig<4>> LiftOfDifferences<M> {
    pub const COLUMNS: [u64; 10] = {
        let (p, mut columns, mut i) = (Constants::<M>::P, [0u128; 11], 0);
        while i < 25 {
            let product = p[i / 5] as u128 * p[i % 5] as u128 * 64;
            columns[i / 5 + i % 5] += product & MASK as u128;
            columns[i / 5 + i % 5 + 1] += product >> 52;
            i += 1;
        }
        let (mut narrow, mut i) = ([0; 10], 0);
        while i < 10 {
            narrow[i] = (columns[i] & MASK as u128) as u64;
            columns[i + 1] += columns[i] >> 52;
            i += 1;
        }
        narrow
    };
}
