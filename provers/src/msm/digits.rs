//! Scalars to signed digits, and the entries of all digits sorted by bucket.
//!
//! Invariant: bucket set q holds, in its bucket d, the entry of every base whose window s·t + q has the digit ±d, as an
//! index into the tables with the sign. Everything here is secret and erased on drop.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use zeroize::{Zeroize, Zeroizing};

use super::accumulate::Lists;
use super::plan::TablePlan;
use crate::kernel::adder::NEGATIVE;

/// The digits of one scalar, lowest first: (window, magnitude, negative), zeros left out.
fn for_each_digit(words: &[u64; 4], window: usize, mut take: impl FnMut(usize, usize, bool)) {
    let (mask, half) = ((1u64 << window) - 1, 1u64 << (window - 1));
    let mut carry = 0;
    let top = words.iter().rposition(|word| *word != 0).unwrap_or(0);
    let bits = 64 * (top + 1) - words[top].leading_zeros() as usize;
    for (index, bit) in (0..256).step_by(window).enumerate() {
        if bit >= bits && carry == 0 {
            break;
        }
        let (word, shift) = (bit / 64, bit % 64);
        let mut raw = words[word] >> shift;
        if shift + window > 64 && word < 3 {
            raw |= words[word + 1] << (64 - shift);
        }
        let digit = (raw & mask) + carry;
        // Digits lie in −half + 1 ..= half: one more window would be needed if the top one carried, and it cannot.
        carry = u64::from(digit > half);
        let magnitude = if carry == 1 {
            (1 << window) - digit
        } else {
            digit
        };
        if magnitude != 0 {
            take(index, magnitude as usize, carry == 1);
        }
    }
}

/// The scalar or its negative, whichever is smaller as a number, and whether it was negated: −1 has one digit, like 1.
fn shorter(scalar: &Fr) -> ([u64; 4], bool) {
    let (words, half) = (scalar.into_bigint(), Fr::MODULUS_MINUS_ONE_DIV_TWO);
    match words > half {
        true => ((-*scalar).into_bigint().0, true),
        false => (words.0, false),
    }
}

/// Sorts by bucket the digits of `scalars`, whose table rows are consecutive from zero. List q·buckets + d − 1 is
/// bucket d of set q.
pub(super) fn sort_by_bucket<'a>(plan: &TablePlan, scalars: impl Iterator<Item = &'a Fr>) -> Lists {
    let words: Zeroizing<Vec<([u64; 4], bool)>> = Zeroizing::new(scalars.map(shorter).collect());
    let (window, sets, buckets) = (plan.window(), plan.sets(), plan.buckets());
    // The number of each bucket, then where its next entry goes.
    let mut next = vec![0u32; sets * buckets + 1];
    // Window to set and table, without a division for each digit.
    let places: Vec<(usize, u32)> = (0..plan.windows())
        .map(|index| (index % sets * buckets, (index / sets) as u32))
        .collect();
    for (words, _) in words.iter() {
        for_each_digit(words, window, |index, magnitude, _| {
            next[places[index].0 + magnitude] += 1;
        });
    }
    for i in 1..next.len() {
        next[i] += next[i - 1];
    }
    let offsets = next.clone();
    let mut entries = vec![0; offsets[sets * buckets] as usize];
    for (row, (words, negated)) in words.iter().enumerate() {
        let first = (row * plan.tables()) as u32;
        for_each_digit(words, window, |index, magnitude, negative| {
            let (set, table) = places[index];
            let place = &mut next[set + magnitude - 1];
            let sign = if negative != *negated { NEGATIVE } else { 0 };
            entries[*place as usize] = (first + table) | sign;
            *place += 1;
        });
    }
    next.zeroize();
    Lists { entries, offsets }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, Field, One, UniformRand, Zero};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn the_digits_of_a_scalar_spell_it() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut scalars: Vec<Fr> = (0..50).map(|_| Fr::rand(&mut rng)).collect();
        scalars.extend([Fr::zero(), Fr::one(), -Fr::one()]);
        let mut power = Fr::one();
        for _ in 0..254 {
            scalars.extend([power, power - Fr::one(), -power]);
            power.double_in_place();
        }
        for window in 2..=20 {
            for scalar in &scalars {
                let mut sum = Fr::zero();
                for_each_digit(
                    &scalar.into_bigint().0,
                    window,
                    |index, magnitude, negative| {
                        assert!(magnitude <= 1 << (window - 1));
                        let power = Fr::from(2u64).pow([(index * window) as u64]);
                        let term = power * Fr::from(magnitude as u64);
                        sum += if negative { -term } else { term };
                    },
                );
                assert_eq!(sum, *scalar, "window {window}");
            }
        }
    }
}
