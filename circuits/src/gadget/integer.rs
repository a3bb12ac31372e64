//! Integers in rows: booleans, range checks.

use super::{Builder, Num};
use crate::F;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// Most bits of a range check: every sum of so many bits is below the modulus, so its bits are unique.
pub const MAX_BITS: usize = 253;

impl Builder {
    /// Rows only if `num` is 0 or 1: one row.
    pub fn enforce_boolean(&mut self, num: &Num) {
        let (one, zero) = (self.constant(F::ONE), self.constant(F::ZERO));
        self.enforce(num, &(&one - num), &zero);
    }

    /// `num` = 0: one row.
    pub fn enforce_zero(&mut self, num: &Num) {
        let (one, zero) = (self.constant(F::ONE), self.constant(F::ZERO));
        self.enforce(num, &one, &zero);
    }

    /// 0 ≤ `num` < 2^`bits`: `bits` + 1 rows. Panics above [`MAX_BITS`].
    ///
    /// The bits are hints. Uniqueness: each is 0 or 1 by its own row, and Σ bitᵢ·2^i is injective below the modulus.
    /// A difference that wrapped below zero is at least p − 2^253 > 2^252, so it fails any check of at most 252 bits.
    pub fn range_check(&mut self, num: &Num, bits: usize) {
        assert!(
            bits <= MAX_BITS,
            "a range check of {bits} bits wraps around"
        );
        let value = num.value().into_bigint();
        let digits: Vec<Num> = (0..bits).map(|i| self.boolean(value.get_bit(i))).collect();
        let mut power = F::ONE;
        let weighted = digits.iter().map(|digit| {
            let weight = power;
            power.double_in_place();
            (weight, digit)
        });
        let sum = self.sum(weighted);
        self.enforce_zero(&(num - &sum));
    }

    /// `a` ≤ `b` where `flag` is 1, for numbers known to be below 2^`bits`: `bits` + 2 rows, 0 ≤ flag·(b − a) < 2^bits.
    /// Panics from [`MAX_BITS`] bits on: there, a difference below zero can have a decomposition.
    pub fn enforce_at_most(&mut self, a: &Num, b: &Num, bits: usize, flag: &Num) {
        assert!(
            bits < MAX_BITS,
            "an order of numbers of {bits} bits wraps around"
        );
        let difference = self.product(flag, &(b - a));
        self.range_check(&difference, bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::{first_violation, variables_free_alone};
    use crate::matrices::Matrices;

    #[test]
    fn a_range_check_ends_at_its_power_of_two() {
        let power = |bits: u64| F::from(2u8).pow([bits]);
        for (value, bits, inside) in [
            (F::ZERO, 64, true),
            (F::from(u64::MAX), 64, true),
            (power(64), 64, false),
            (-F::ONE, 64, false),
            (-F::ONE, 253, false),
            (power(248) - F::ONE, 248, true),
            (power(248), 248, false),
        ] {
            let mut builder = Builder::recording();
            let num = builder.witness(value);
            builder.range_check(&num, bits);
            assert_eq!(builder.is_violated(), !inside, "{value} in {bits} bits");
            assert_eq!(first_violation(builder).is_none(), inside);
        }
    }

    #[test]
    fn no_bit_of_a_range_check_moves_alone() {
        let mut builder = Builder::recording();
        let num = builder.witness(F::from(0x1234_5678_9abcu64));
        builder.range_check(&num, 64);
        let (values, rows) = builder.finish();
        let matrices = Matrices::from_rows(rows.unwrap(), values.len());
        assert_eq!(matrices.num_constraints, 65);
        assert!(variables_free_alone(&matrices, &values).is_empty());
    }

    #[test]
    fn no_wrapped_difference_has_as_many_bits_as_an_order_takes() {
        let power = |bits: usize| F::from(2u8).pow([bits as u64]);
        let holds = |a: F, b: F, bits| {
            let mut builder = Builder::recording();
            let (a, b) = (builder.witness(a), builder.witness(b));
            let flag = builder.boolean(true);
            builder.enforce_at_most(&a, &b, bits, &flag);
            first_violation(builder).is_none()
        };
        let (bits, greatest) = (MAX_BITS - 1, power(MAX_BITS - 1) - F::ONE);
        assert!(holds(F::ZERO, greatest, bits));
        assert!(!holds(greatest, F::ZERO, bits));
        assert!(!holds(F::ONE, F::ZERO, bits));
        // One bit more, and the greatest number is "at most" zero: p − (2^253 − 1) is below 2^253.
        let wrapped = F::ONE - power(MAX_BITS);
        assert!(wrapped.into_bigint().num_bits() <= MAX_BITS as u32);
    }

    #[test]
    #[should_panic(expected = "wraps around")]
    fn an_order_of_numbers_whose_differences_wrap_is_no_gadget() {
        let mut builder = Builder::recording();
        let one = builder.constant(F::ONE);
        builder.enforce_at_most(&one, &one, MAX_BITS, &one);
    }

    #[test]
    fn an_order_holds_only_where_its_flag_is_set() {
        for (a, b, flag, holds) in [
            (3u64, 3, true, true),
            (3, 4, true, true),
            (4, 3, true, false),
            (4, 3, false, true),
        ] {
            let mut builder = Builder::recording();
            let (a, b) = (builder.witness(F::from(a)), builder.witness(F::from(b)));
            let flag = builder.boolean(flag);
            builder.enforce_at_most(&a, &b, 64, &flag);
            assert_eq!(first_violation(builder).is_none(), holds);
        }
    }
}
