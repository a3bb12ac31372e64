//! Many points, each times its own scalar: the work of deriving keys.
//!
//! All points go through the same steps side by side, so that doublings and additions are batches like any other. Digits
//! are odd, hence never zero: no step meets the identity, and every addition is a plain one. Scalars here are public.

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};

use super::MsmCurve;
use super::accumulate::workspace;
use crate::kernel::Kernel;
use crate::kernel::adder::{Adder, NEGATIVE, Pair, Run};
use crate::kernel::point::TablePoint;

/// Bits of a digit; its odd values below 2^4 are the multiples kept of each point.
const WINDOW: usize = 4;
const MULTIPLES: usize = 1 << (WINDOW - 1);
const DIGITS: usize = 64;

/// Each point times its own scalar, on this thread.
///
/// # Panics
/// If there are not as many scalars as points.
pub fn batch_mul<G: MsmCurve>(kernel: Kernel, points: &[G], scalars: &[Fr]) -> Vec<G> {
    assert_eq!(points.len(), scalars.len(), "a scalar for each point");
    let mut products = vec![G::zero(); points.len()];
    let work: Vec<usize> = (0..points.len())
        .filter(|i| !points[*i].is_zero() && !scalars[*i].is_zero())
        .collect();
    let Some(slots) = work.len().checked_sub(1) else {
        return products;
    };
    let lanes = G::Point::adder(kernel, 1).lanes();
    // As many points as are worked on at once are added to them.
    let slots = (slots / lanes + 1).min(workspace::<G::Point>() / 2 / lanes);
    let mut batch = Batch::<G::Point> {
        adder: G::Point::adder(kernel, 2 * slots * lanes),
        slots,
    };
    for indices in work.chunks(slots * lanes) {
        // Lanes left over repeat the last point.
        let padded = || (0..slots * lanes).map(|i| indices[i.min(indices.len() - 1)]);
        let bases: Vec<_> = padded()
            .map(|i| G::Point::from_affine(&points[i]))
            .collect();
        let digits: Vec<_> = padded().map(|i| odd_digits(&scalars[i])).collect();
        let results = batch.multiply(bases, &digits);
        for (index, result) in indices.iter().zip(results) {
            products[*index] = result.to_affine();
        }
    }
    products
}

/// The scalar or its negative, whichever is odd as a number, in digits ±1, ±3 … ±15, the lowest first. Not for zero.
fn odd_digits(scalar: &Fr) -> [i8; DIGITS] {
    let mut words = scalar.into_bigint().0;
    let negated = words[0] & 1 == 0;
    if negated {
        words = (-*scalar).into_bigint().0;
    }
    let mut digits = [0; DIGITS];
    for (i, digit) in digits.iter_mut().enumerate() {
        let nibble = words[i / 16] >> (4 * (i % 16)) & 15;
        // The number above this digit must be odd too. Where the next nibble is even, 16 is taken from this digit and
        // one added there, which is why every nibble is read with its lowest bit set.
        *digit = (nibble | 1) as i8;
        let next = (i + 1 < DIGITS).then(|| words[(i + 1) / 16] >> (4 * ((i + 1) % 16)) & 1);
        if next == Some(0) {
            *digit -= 16;
        }
        if negated {
            *digit = -*digit;
        }
    }
    digits
}

/// A workspace: results in the slots below `slots`, addends in those from there on. Point i is in lane i / slots.
struct Batch<P> {
    adder: Box<dyn Adder<P>>,
    slots: usize,
}

impl<P: TablePoint> Batch<P> {
    fn multiply(&mut self, bases: Vec<P>, digits: &[[i8; DIGITS]]) -> Vec<P> {
        let count = bases.len();
        let table = self.odd_multiples(bases);
        let entries = |digit: usize| -> Vec<u32> {
            (0..count)
                .map(|i| {
                    let d = digits[i][digit];
                    let index = d.unsigned_abs() as usize / 2 * count + i;
                    index as u32 | if d < 0 { NEGATIVE } else { 0 }
                })
                .collect()
        };
        self.load(0, &table, &entries(DIGITS - 1));
        for digit in (0..DIGITS - 1).rev() {
            for _ in 0..WINDOW {
                self.adder.double(0..self.slots);
            }
            self.load(self.slots, &table, &entries(digit));
            self.add(0, self.slots);
        }
        let mut products = vec![P::IDENTITY; count];
        self.store(0, 0, &mut products);
        products
    }

    /// P, 3P, 5P … 15P of every point, one multiple of all after the other.
    fn odd_multiples(&mut self, bases: Vec<P>) -> Vec<P> {
        let count = bases.len();
        let entries: Vec<u32> = (0..count as u32).collect();
        self.load(0, &bases, &entries);
        self.load(self.slots, &bases, &entries);
        self.adder.double(0..self.slots);
        let mut table = bases;
        table.resize(MULTIPLES * count, P::IDENTITY);
        for multiple in 1..MULTIPLES {
            self.add(self.slots, 0);
            self.store(self.slots, multiple * count, &mut table);
        }
        table
    }

    fn load(&mut self, slot: usize, points: &[P], entries: &[u32]) {
        let runs: Vec<Run> = (0..self.adder.lanes())
            .map(|lane| Run {
                first: (lane * self.slots) as u32,
                len: self.slots as u32,
                to: 0,
            })
            .collect();
        self.adder.load(slot, points, entries, &runs);
    }

    fn add(&mut self, a: usize, b: usize) {
        let pairs: Vec<Pair> = (0..self.slots)
            .map(|slot| Pair {
                a: (a + slot) as u32,
                b: (b + slot) as u32,
            })
            .collect();
        self.adder.add(&pairs, &[]);
    }

    fn store(&mut self, slot: usize, to: usize, out: &mut [P]) {
        for j in 0..self.slots {
            let runs: Vec<Run> = (0..self.adder.lanes())
                .map(|lane| Run {
                    first: 0,
                    len: 1,
                    to: (to + lane * self.slots + j) as u32,
                })
                .collect();
            self.adder.store(slot + j, &runs, out);
        }
    }
}
