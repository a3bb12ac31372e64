//! Inner products with one Montgomery reduction for all terms.
//!
//! A field multiplication is half product, half reduction; summing the 512-bit products first halves the cost of
//! Poseidon's matrices. Invariant: at most 17 terms, so that the sum stays below 2^512 (17·p² < 2^511.4).

use crate::F;
use ark_ff::{BigInt, PrimeField};

const MODULUS: [u64; 4] = F::MODULUS.0;
const TWICE: [u64; 4] = shifted(MODULUS, 1);
const FOUR_TIMES: [u64; 4] = shifted(MODULUS, 2);

/// Most terms one call may sum.
pub(super) const MAX_TERMS: usize = 17;

/// Σ aᵢ·bᵢ over slices of equal length, at most 17.
#[inline]
pub(super) fn dot(a: &[F], b: &[F]) -> F {
    assert!(
        a.len() == b.len() && a.len() <= MAX_TERMS,
        "a lazy sum holds at most 17 products"
    );
    let mut sum = [0u64; 8];
    for (a, b) in a.iter().zip(b) {
        accumulate(&mut sum, &a.0.0, &b.0.0);
    }
    reduce(sum)
}

#[inline(always)]
fn accumulate(sum: &mut [u64; 8], a: &[u64; 4], b: &[u64; 4]) {
    let mut overflow = 0u64;
    for i in 0..4 {
        let mut carry = 0u64;
        for j in 0..4 {
            (sum[i + j], carry) = multiply_add(sum[i + j], a[i], b[j], carry);
        }
        // The carry out of this row waits for the next one, whose last limb it lands on.
        let (low, first) = sum[i + 4].overflowing_add(carry);
        let (low, second) = low.overflowing_add(overflow);
        sum[i + 4] = low;
        overflow = u64::from(first) + u64::from(second);
    }
    debug_assert_eq!(overflow, 0, "17·p² is below 2^512");
}

/// Montgomery reduction of a sum below 17·p². The quotient is below 4.3·p, hence the three conditional subtractions.
#[inline(always)]
fn reduce(mut sum: [u64; 8]) -> F {
    let mut overflow = 0u64;
    for i in 0..4 {
        let factor = sum[i].wrapping_mul(F::INV);
        let mut carry = 0u64;
        for j in 0..4 {
            (sum[i + j], carry) = multiply_add(sum[i + j], factor, MODULUS[j], carry);
        }
        let (low, first) = sum[i + 4].overflowing_add(carry);
        let (low, second) = low.overflowing_add(overflow);
        sum[i + 4] = low;
        overflow = u64::from(first) + u64::from(second);
    }
    debug_assert_eq!(overflow, 0, "the quotient is below 2^256");
    let mut quotient = [sum[4], sum[5], sum[6], sum[7]];
    for multiple in [&FOUR_TIMES, &TWICE, &MODULUS] {
        subtract_if_not_below(&mut quotient, multiple);
    }
    // Below the modulus after the subtractions, and already in Montgomery form.
    F::new_unchecked(BigInt(quotient))
}

/// `sum + a·b + carry` as (low, high): it never exceeds 128 bits.
#[inline(always)]
fn multiply_add(sum: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(sum) + u128::from(a) * u128::from(b) + u128::from(carry);
    (wide as u64, (wide >> 64) as u64)
}

#[inline(always)]
fn subtract_if_not_below(value: &mut [u64; 4], amount: &[u64; 4]) {
    let mut difference = [0u64; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (low, first) = value[i].overflowing_sub(amount[i]);
        let (low, second) = low.overflowing_sub(u64::from(borrow));
        difference[i] = low;
        borrow = first | second;
    }
    let keep = u64::from(borrow).wrapping_neg();
    for i in 0..4 {
        value[i] = (value[i] & keep) | (difference[i] & !keep);
    }
}

const fn shifted(value: [u64; 4], by: u32) -> [u64; 4] {
    let mut out = [0u64; 4];
    let mut carry = 0u64;
    let mut i = 0;
    while i < 4 {
        out[i] = (value[i] << by) | carry;
        carry = value[i] >> (64 - by);
        i += 1;
    }
    assert!(carry == 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::element;
    use ark_ff::AdditiveGroup;
    use proptest::prelude::*;

    #[test]
    fn the_largest_sum_does_not_overflow() {
        // The largest Montgomery representation, p − 1, in all 17 products.
        let mut limbs = MODULUS;
        limbs[0] -= 1;
        let largest = F::new_unchecked(BigInt(limbs));
        assert_eq!(
            dot(&[largest; 17], &[largest; 17]),
            largest * largest * F::from(17u8)
        );
        assert_eq!(dot(&[], &[]), F::ZERO);
    }

    /// Elements whose Montgomery representations are close below p: their sums need every subtraction.
    fn largest() -> impl Strategy<Value = F> {
        (1u64..1 << 40).prop_map(|below| {
            let mut limbs = MODULUS;
            limbs[1] -= below;
            F::new_unchecked(BigInt(limbs))
        })
    }

    proptest! {
        #[test]
        fn sums_of_the_largest_elements_are_fully_reduced(pairs in prop::collection::vec((largest(), largest()), 17)) {
            let (a, b): (Vec<F>, Vec<F>) = pairs.into_iter().unzip();
            prop_assert_eq!(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| *a * b).sum::<F>());
        }

        #[test]
        fn a_lazy_sum_equals_the_plain_sum(pairs in prop::collection::vec((element(), element()), 0..=17)) {
            let (a, b): (Vec<F>, Vec<F>) = pairs.into_iter().unzip();
            prop_assert_eq!(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| *a * b).sum::<F>());
        }
    }
}
