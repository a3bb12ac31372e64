//! Arithmetic on four words, least first, in plain Rust. Bounds are those of [`super::field`].
// On x86-64 some of it stands by only.
#![cfg_attr(all(target_arch = "x86_64", not(miri)), allow(dead_code))]

/// A modulus p and −1/p modulo 2^64.
#[repr(C)]
pub(super) struct Modulus {
    pub p: [u64; 4],
    pub minus_inverse: u64,
}

/// a·b.
pub(super) fn product(a: &[u64; 4], b: &[u64; 4]) -> [u64; 8] {
    let mut t = [0; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            (t[i + j], carry) = a[j].carrying_mul_add(b[i], carry, t[i + j]);
        }
        t[i + 4] = carry;
    }
    t
}

/// t/2^256 modulo p, below t/2^256 + p, which must be below 2^256.
pub(super) fn reduce(t: &[u64; 8], modulus: &Modulus) -> [u64; 4] {
    let p = &modulus.p;
    let [mut r, high] = [[t[0], t[1], t[2], t[3]], [t[4], t[5], t[6], t[7]]];
    for _ in 0..4 {
        // (r + m·p)/2^64 ≤ (2^256 − 1 + (2^64 − 1)·p)/2^64 fits: no carry leaves the top word.
        let m = r[0].wrapping_mul(modulus.minus_inverse);
        let (_, mut carry) = m.carrying_mul_add(p[0], 0, r[0]);
        for j in 1..4 {
            (r[j - 1], carry) = m.carrying_mul_add(p[j], carry, r[j]);
        }
        r[3] = carry;
    }
    let mut carry = false;
    for j in 0..4 {
        (r[j], carry) = r[j].carrying_add(high[j], carry);
    }
    debug_assert!(!carry, "the value was too large to reduce");
    r
}

/// a·b/2^256 modulo p, below a·b/2^256 + p. Both below 2p, and p below 2^254.
pub(super) fn mul(a: &[u64; 4], b: &[u64; 4], modulus: &Modulus) -> [u64; 4] {
    let p = &modulus.p;
    let mut t = [0u64; 4];
    for b in b {
        // t < a + p before and after: (t + a·b + m·p)/2^64 ≤ (a + p)·(1 + 2^64 − 1)/2^64. Hence no fifth word.
        let (low, mut high) = a[0].carrying_mul_add(*b, 0, t[0]);
        let m = low.wrapping_mul(modulus.minus_inverse);
        let (_, mut carry) = m.carrying_mul_add(p[0], 0, low);
        for j in 1..4 {
            let middle;
            (middle, high) = a[j].carrying_mul_add(*b, high, t[j]);
            (t[j - 1], carry) = m.carrying_mul_add(p[j], carry, middle);
        }
        t[3] = high + carry;
    }
    t
}

/// (a·b + c·d)/2^256 modulo p, below (a·b + c·d)/2^256 + p. All below 2p, and p below 2^256/5.
pub(super) fn mul_add(
    [a, b]: [&[u64; 4]; 2],
    [c, d]: [&[u64; 4]; 2],
    modulus: &Modulus,
) -> [u64; 4] {
    // Word by word of b and d, the value before and after is below a + c + p < 5p: no fifth word, as in `mul`.
    reduce(&wide_sum(&product(a, b), &product(c, d)), modulus)
}

/// a + b, less the bound if that is not negative. a + b below 2^256.
pub(super) fn sum(a: &[u64; 4], b: &[u64; 4], bound: &[u64; 4]) -> [u64; 4] {
    let sum = plus(a, b);
    let (less, negative) = minus(&sum, bound);
    if negative { sum } else { less }
}

/// a − b, plus the bound if that is negative.
pub(super) fn difference(a: &[u64; 4], b: &[u64; 4], bound: &[u64; 4]) -> [u64; 4] {
    let (difference, negative) = minus(a, b);
    if negative {
        plus(&difference, bound)
    } else {
        difference
    }
}

/// a + b below 2^512.
pub(super) fn wide_sum(a: &[u64; 8], b: &[u64; 8]) -> [u64; 8] {
    let (mut sum, mut carry) = ([0; 8], false);
    for i in 0..8 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    sum
}

fn plus(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (mut sum, mut carry) = ([0; 4], false);
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    sum
}

/// a − b modulo 2^256, and whether it is negative.
fn minus(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow) = ([0; 4], false);
    for i in 0..4 {
        (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    (difference, borrow)
}
