//! Many points, each times a scalar of its own, by the kernels' batches of affine additions.
//!
//! Scalars are taken odd (an even s becomes r − s, and the sign is kept), and cut into 64 signed digits of four bits
//! that are all odd: no digit is zero, so every lane does the same and no sum on the way is the identity. A point has a
//! table of its eight odd multiples. For public points and scalars: the time depends on neither, the addresses do.

use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField, Zero};

use crate::kernel::Kernel;
use crate::kernel::adder::{Adder, NEGATIVE, Pair, Run};
use crate::kernel::point::{PackedG1, TablePoint};

/// Bits of a digit, digits of a scalar, odd multiples of a point.
const WIDTH: u32 = 4;
const DIGITS: usize = 64;
const MULTIPLES: usize = 1 << (WIDTH - 1);

/// Each point times its own factor.
pub(super) fn multiply_each(kernel: Kernel, points: &[G1Affine], factors: &[Fr]) -> Vec<G1Affine> {
    let places: Vec<usize> = (0..points.len())
        .filter(|i| !points[*i].is_zero() && !factors[*i].is_zero())
        .collect();
    let mut products = vec![G1Affine::identity(); points.len()];
    if places.is_empty() {
        return products;
    }
    let bases: Vec<_> = places
        .iter()
        .map(|i| PackedG1::from_affine(&points[*i]))
        .collect();
    let digits: Vec<_> = places.iter().map(|i| odd_digits(&factors[*i])).collect();
    for (place, product) in places.into_iter().zip(multiply(kernel, &bases, &digits)) {
        products[place] = product.to_affine();
    }
    products
}

/// A batch that fills one workspace: accumulators in its first half, what is added to them in the second.
struct Batch {
    adder: Box<dyn Adder<PackedG1>>,
    slots: usize,
    runs: Vec<Vec<Run>>,
    pairs: Vec<Pair>,
}

impl Batch {
    fn new(kernel: Kernel, count: usize) -> Self {
        let lanes = PackedG1::adder(kernel, 1).lanes();
        let slots = count.div_ceil(lanes);
        // Lanes left over do the last point once more: none may hold the identity.
        let run = |i: usize| Run {
            first: i.min(count - 1) as u32,
            len: 1,
            to: i as u32,
        };
        let runs = (0..slots).map(|slot| (slot * lanes..(slot + 1) * lanes).map(run));
        Self {
            adder: PackedG1::adder(kernel, 2 * slots),
            slots,
            runs: runs.map(Iterator::collect).collect(),
            pairs: (0..slots)
                .map(|slot| Pair {
                    a: slot as u32,
                    b: (slots + slot) as u32,
                })
                .collect(),
        }
    }

    fn load(&mut self, first: usize, points: &[PackedG1], entries: &[u32]) {
        for (slot, runs) in self.runs.iter().enumerate() {
            self.adder.load(first + slot, points, entries, runs);
        }
    }

    /// Adds an entry to each accumulator.
    fn add(&mut self, points: &[PackedG1], entries: &[u32]) {
        self.load(self.slots, points, entries);
        self.adder.add(&self.pairs, &[]);
    }

    fn store(&mut self, out: &mut [PackedG1]) {
        for (slot, runs) in self.runs.iter().enumerate() {
            let kept = runs.len().min(out.len() - runs[0].to as usize);
            self.adder.store(slot, &runs[..kept], out);
        }
    }
}

fn multiply(kernel: Kernel, bases: &[PackedG1], digits: &[[i8; DIGITS]]) -> Vec<PackedG1> {
    let count = bases.len();
    let mut batch = Batch::new(kernel, count);
    let itself: Vec<u32> = (0..count as u32).collect();
    let slots = batch.slots;

    // Multiple k of all points, then multiple k + 1.
    let mut table = bases.to_vec();
    let mut doubled = bases.to_vec();
    batch.load(0, bases, &itself);
    batch.adder.double(0..slots);
    batch.store(&mut doubled);
    batch.load(0, bases, &itself);
    for _ in 1..MULTIPLES {
        batch.add(&doubled, &itself);
        let mut multiple = doubled.clone();
        batch.store(&mut multiple);
        table.extend(multiple);
    }

    let entries = |place: usize| -> Vec<u32> {
        let entry = |(i, digits): (usize, &[i8; DIGITS])| {
            let digit = digits[place];
            let multiple = usize::from(digit.unsigned_abs() / 2);
            let sign = if digit < 0 { NEGATIVE } else { 0 };
            (multiple * count + i) as u32 | sign
        };
        digits.iter().enumerate().map(entry).collect()
    };
    batch.load(0, &table, &entries(DIGITS - 1));
    for place in (0..DIGITS - 1).rev() {
        for _ in 0..WIDTH {
            batch.adder.double(0..slots);
        }
        batch.add(&table, &entries(place));
    }
    let mut products = bases.to_vec();
    batch.store(&mut products);
    products
}

/// A non-zero scalar as Σ d_i·16^i, every d_i odd and between −15 and 15.
fn odd_digits(scalar: &Fr) -> [i8; DIGITS] {
    let even = scalar.into_bigint().is_even();
    let mut rest = if even { -*scalar } else { *scalar }.into_bigint();
    let mut digits = [0i8; DIGITS];
    let (last, lower) = digits.split_last_mut().expect("there are 64 digits");
    for digit in lower {
        // The lowest five bits less sixteen: odd, and what is left is odd again.
        let value = (rest.0[0] & 31) as i8 - 16;
        *digit = value;
        rest.0[0] &= !31;
        rest.add_with_carry(&16u64.into());
        rest >>= WIDTH;
    }
    *last = rest.0[0] as i8;
    if even {
        digits.iter_mut().for_each(|digit| *digit = -*digit);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::CurveGroup;
    use ark_ff::{One, UniformRand};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn digits_are_odd_small_and_spell_the_scalar() {
        let mut rng = StdRng::seed_from_u64(1);
        let edge = [Fr::one(), -Fr::one(), Fr::from(2u64), -Fr::from(2u64)];
        for scalar in edge.into_iter().chain((0..100).map(|_| Fr::rand(&mut rng))) {
            let digits = odd_digits(&scalar);
            let sum = digits.iter().rev().fold(Fr::zero(), |sum, digit| {
                assert!(digit % 2 != 0 && (-15..=15).contains(digit));
                sum * Fr::from(16u64) + Fr::from(*digit)
            });
            assert_eq!(sum, scalar);
        }
    }

    #[test]
    fn products_are_arks_for_every_count_and_for_edge_points_and_factors() {
        let mut rng = StdRng::seed_from_u64(2);
        for kernel in Kernel::all() {
            for count in [0, 1, 7, 8, 9, 30] {
                let mut points: Vec<G1Affine> =
                    (0..count).map(|_| G1Affine::rand(&mut rng)).collect();
                let mut factors: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
                if count == 30 {
                    points[3] = G1Affine::identity();
                    points[5] = points[4];
                    points[6] = -points[4];
                    let edges = [Fr::zero(), Fr::one(), -Fr::one(), Fr::from(2u64)];
                    factors[10..14].copy_from_slice(&edges);
                    factors[14] = Fr::from(16u64);
                }
                let expected: Vec<G1Affine> = points
                    .iter()
                    .zip(&factors)
                    .map(|(p, f)| (*p * f).into_affine())
                    .collect();
                assert_eq!(multiply_each(kernel, &points, &factors), expected);
            }
        }
    }
}
