//! Batches of affine additions, eight lanes a slot, for both curves.
//!
//! A batch goes over its pairs twice. Forward: the differences x_b − x_a, or their norms, are multiplied up, each pair
//! keeping the product before it. One inversion. Backward: each difference's inverse, the slope, the sum. An addition
//! costs five multiplications and a squaring in G1. Two chains of products run side by side, because one multiplication
//! waits for the one before it about twice as long as it occupies the multipliers.
//!
//! Bounds: slots hold coordinates of bound 16 (as loaded) or 2 (sums); [`Coordinate`] says what each step makes of them.

use core::arch::x86_64::*;
use core::ops::Range;

use ark_bn254::Fq;
use ark_ff::Zero;
use ukehi_kernels::portable::field::Lazy;
use ukehi_kernels::portable::prefetch;

use super::super::adder::{Adder, NEGATIVE, Pair, Run};
use super::Ifma;
use super::coordinate::{Coordinate, Fq8};
use super::field::LANES;

#[derive(Clone, Copy)]
struct Slot<C> {
    x: C,
    y: C,
}

/// What the forward pass leaves for the backward pass.
#[derive(Clone, Copy)]
struct Step {
    /// The product of the norms before this one in its chain.
    before: Fq8,
    norm: Fq8,
}

pub struct IfmaAdder<C> {
    slots: Vec<Slot<C>>,
    steps: Vec<Step>,
}

/// The lanes of an addition whose denominators are not x_b − x_a.
#[derive(Clone, Copy)]
struct Cases {
    a_identity: __mmask8,
    b_identity: __mmask8,
    equal: __mmask8,
    opposite: __mmask8,
}

impl<C: Coordinate> IfmaAdder<C> {
    /// A workspace of this many slots.
    pub(super) fn new(_: Ifma, slots: usize) -> Self {
        // SAFETY: the caller holds the proof that the CPU has the features.
        unsafe {
            let (x, y) = (C::zero(), C::zero());
            let (before, norm) = (Fq8::zero(), Fq8::zero());
            Self {
                slots: vec![Slot { x, y }; slots],
                steps: vec![Step { before, norm }; slots],
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn fill(&mut self, slot: usize, points: &[C::Point], entries: &[u32], runs: &[Run]) {
        let longest = runs.iter().map(|run| run.len).max().unwrap_or(0);
        let identity = C::IDENTITY;
        for j in 0..longest {
            let mut negative = 0;
            let rows: [&C::Point; LANES] = core::array::from_fn(|lane| match runs.get(lane) {
                Some(run) if j < run.len => {
                    let entry = entries[(run.first + j) as usize];
                    negative |= ((entry >> 31) as u8) << lane;
                    &points[(entry & !NEGATIVE) as usize]
                }
                _ => &identity,
            });
            // SAFETY: the caller's.
            unsafe {
                let (x, y) = C::gather(rows);
                self.slots[slot + j as usize] = Slot {
                    x,
                    y: y.negate(negative),
                };
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn forward<const N: usize>(&mut self, pairs: &[Pair], at: usize, chains: &mut [Fq8; 2]) {
        // SAFETY: the caller's.
        unsafe {
            for k in 0..N {
                let Pair { a, b } = pairs[at + k];
                let (a, b) = (&self.slots[a as usize], &self.slots[b as usize]);
                let norm = b.x.sub(a.x).norm();
                self.steps[at + k] = Step {
                    before: chains[k],
                    norm,
                };
                chains[k] = chains[k].mul(norm);
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn backward<const N: usize>(
        &mut self,
        pairs: &[Pair],
        at: usize,
        chains: &mut [Fq8; 2],
    ) {
        // SAFETY: the caller's.
        unsafe {
            let zero = C::zero();
            let mut slope = [zero; N];
            let inverse: [Fq8; N] = core::array::from_fn(|k| {
                let step = &self.steps[at + k];
                let inverse = chains[k].mul(step.before);
                chains[k] = chains[k].mul(step.norm);
                inverse
            });
            for k in 0..N {
                let Pair { a, b } = pairs[at + k];
                let (a, b) = (&self.slots[a as usize], &self.slots[b as usize]);
                let inverse = b.x.sub(a.x).inverse(inverse[k]);
                slope[k] = b.y.sub(a.y).mul(inverse);
            }
            let x: [C; N] = core::array::from_fn(|k| {
                let Pair { a, b } = pairs[at + k];
                let (a, b) = (&self.slots[a as usize], &self.slots[b as usize]);
                slope[k].square().minus_both(a.x, b.x)
            });
            for k in 0..N {
                let a = &mut self.slots[pairs[at + k].a as usize];
                let y = slope[k].mul(a.x.sub_reduced(x[k])).minus(a.y);
                *a = Slot { x: x[k], y };
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn cases(&self, Pair { a, b }: Pair) -> Cases {
        let (a, b) = (&self.slots[a as usize], &self.slots[b as usize]);
        // SAFETY: the caller's.
        unsafe {
            let (a_identity, b_identity) = (a.y.is_exactly_zero(), b.y.is_exactly_zero());
            let points = !(a_identity | b_identity);
            let same_x = b.x.sub(a.x).is_zero() & points;
            let equal = if same_x == 0 {
                0
            } else {
                same_x & b.y.sub(a.y).is_zero()
            };
            Cases {
                a_identity,
                b_identity,
                equal,
                opposite: same_x & !equal,
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn forward_careful(&mut self, pair: Pair, at: usize, chain: &mut Fq8) {
        // SAFETY: the caller's.
        unsafe {
            let norm = self.denominator(pair, self.cases(pair)).norm();
            self.steps[at] = Step {
                before: *chain,
                norm,
            };
            *chain = chain.mul(norm);
        }
    }

    /// x_b − x_a, or 2·y_a for equal points, or one where no division is needed.
    ///
    /// # Safety
    /// The CPU has the features.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn denominator(&self, pair: Pair, cases: Cases) -> C {
        let (a, b) = (&self.slots[pair.a as usize], &self.slots[pair.b as usize]);
        // SAFETY: the caller's.
        unsafe {
            let twice_y = a.y.add(a.y);
            let denominator = C::select(cases.equal, twice_y, b.x.sub(a.x));
            let none = cases.a_identity | cases.b_identity | cases.opposite;
            C::select(none, C::one(), denominator)
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn backward_careful(&mut self, pair: Pair, at: usize, chain: &mut Fq8) {
        // SAFETY: the caller's.
        unsafe {
            let cases = self.cases(pair);
            let of_norm = chain.mul(self.steps[at].before);
            *chain = chain.mul(self.steps[at].norm);
            let inverse = self.denominator(pair, cases).inverse(of_norm);
            let (a, b) = (self.slots[pair.a as usize], self.slots[pair.b as usize]);
            let square = a.x.reduce().square();
            let tangent = square.add(square).add(square);
            let slope = C::select(cases.equal, tangent, b.y.sub(a.y)).mul(inverse);
            let x = slope.square().minus_both(a.x, b.x);
            let y = slope.mul(a.x.sub_reduced(x)).minus(a.y);
            let choose = |sum: C, a: C, b: C| {
                let sum = C::select(cases.opposite, C::zero(), sum);
                let sum = C::select(cases.a_identity, b, sum);
                C::select(cases.b_identity & !cases.a_identity, a, sum)
            };
            self.slots[pair.a as usize] = Slot {
                x: choose(x, a.x, b.x),
                y: choose(y, a.y, b.y),
            };
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn add_pairs(&mut self, plain: &[Pair], careful: &[Pair]) -> bool {
        // SAFETY: the caller's.
        unsafe {
            let mut chains = [C::one().norm().reduce(); 2];
            let twos = plain.len() / 2 * 2;
            for at in (0..twos).step_by(2) {
                self.forward::<2>(plain, at, &mut chains);
            }
            if twos < plain.len() {
                self.forward::<1>(plain, twos, &mut chains);
            }
            let n = plain.len();
            for (i, pair) in careful.iter().enumerate() {
                self.forward_careful(*pair, n + i, &mut chains[i % 2]);
            }
            let Some(mut chains) = invert(chains) else {
                // Equal points, opposites or an identity among the plain pairs. Nothing has been overwritten yet.
                assert!(!plain.is_empty(), "a careful denominator is never zero");
                let all = [plain, careful].concat();
                self.add_pairs(&[], &all);
                return true;
            };
            for (i, pair) in careful.iter().enumerate().rev() {
                self.backward_careful(*pair, n + i, &mut chains[i % 2]);
            }
            if twos < n {
                self.backward::<1>(plain, twos, &mut chains);
            }
            for at in (0..twos).step_by(2).rev() {
                self.backward::<2>(plain, at, &mut chains);
            }
            false
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn double_slots(&mut self, slots: Range<usize>) {
        // SAFETY: the caller's.
        unsafe {
            let mut chains = [C::one().norm().reduce(); 2];
            for slot in slots.clone() {
                let y = self.slots[slot].y;
                let norm = y.add(y).norm();
                let chain = &mut chains[slot % 2];
                self.steps[slot] = Step {
                    before: *chain,
                    norm,
                };
                *chain = chain.mul(norm);
            }
            let mut chains = invert(chains).expect("no point has y = 0 but the identity");
            for slot in slots.rev() {
                let Slot { x, y } = self.slots[slot];
                let Step { before, norm } = self.steps[slot];
                let chain = &mut chains[slot % 2];
                let of_norm = chain.mul(before);
                *chain = chain.mul(norm);
                let square = x.reduce().square();
                let slope = square
                    .add(square)
                    .add(square)
                    .mul(y.add(y).inverse(of_norm));
                let doubled = slope.square().minus_both(x, x);
                let y = slope.mul(x.sub_reduced(doubled)).minus(y);
                self.slots[slot] = Slot { x: doubled, y };
            }
        }
    }

    /// # Safety
    /// The CPU has the features.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    unsafe fn write(&self, slot: usize, runs: &[Run], out: &mut [C::Point]) {
        let Slot { x, y } = self.slots[slot];
        // SAFETY: the caller's.
        let points = unsafe { C::scatter(x, y.normalise()) };
        for (run, point) in runs.iter().zip(points) {
            out[run.to as usize] = point;
        }
    }
}

/// The inverses of two vectors, or `None` if a lane of either is zero. One inversion in all.
///
/// # Safety
/// The CPU has the features.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
unsafe fn invert(chains: [Fq8; 2]) -> Option<[Fq8; 2]> {
    let swap_halves =
        |v: Fq8| Fq8::from_limbs(v.0.map(|l| _mm512_shuffle_i64x2::<0b01_00_11_10>(l, l)));
    let swap_quarters =
        |v: Fq8| Fq8::from_limbs(v.0.map(|l| _mm512_shuffle_i64x2::<0b10_11_00_01>(l, l)));
    let swap_lanes =
        |v: Fq8| Fq8::from_limbs(v.0.map(|l| _mm512_shuffle_epi32::<0b01_00_11_10>(l)));
    let both = chains[0].mul(chains[1]);
    let opposite = swap_halves(both);
    let halves = both.mul(opposite);
    let other_half = swap_quarters(halves);
    let quarters = halves.mul(other_half);
    let other_quarter = swap_lanes(quarters);

    let mut product = [Fq::zero(); LANES];
    quarters.mul(other_quarter).to_ark(&mut product);
    let inverse = Lazy::from_ark(&product[0]).inverse()?;
    let inverse = Fq8::broadcast(&inverse.to_ark()).reduce();
    let of_both = inverse.mul(opposite).mul(other_half).mul(other_quarter);
    Some([of_both.mul(chains[1]), of_both.mul(chains[0])])
}

impl<C: Coordinate> Adder<C::Point> for IfmaAdder<C> {
    fn lanes(&self) -> usize {
        LANES
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn load(&mut self, slot: usize, points: &[C::Point], entries: &[u32], runs: &[Run]) {
        // SAFETY: `new` was given the proof that the CPU has the features.
        unsafe { self.fill(slot, points, entries, runs) }
    }

    fn prefetch(&self, points: &[C::Point], entries: &[u32]) {
        for entry in entries {
            prefetch(&points[(entry & !NEGATIVE) as usize]);
        }
    }

    fn add(&mut self, plain: &[Pair], careful: &[Pair]) -> bool {
        assert!(plain.len() + careful.len() <= self.steps.len());
        // SAFETY: `new` was given the proof that the CPU has the features.
        unsafe { self.add_pairs(plain, careful) }
    }

    fn double(&mut self, slots: Range<usize>) {
        // SAFETY: `new` was given the proof that the CPU has the features.
        unsafe { self.double_slots(slots) }
    }

    fn store(&mut self, slot: usize, runs: &[Run], out: &mut [C::Point]) {
        // SAFETY: `new` was given the proof that the CPU has the features.
        unsafe { self.write(slot, runs, out) }
    }

    fn erase(&mut self) {
        // SAFETY: `new` was given the proof that the CPU has the features.
        unsafe {
            let (zero, one) = (C::zero(), Fq8::zero());
            self.slots.fill(Slot { x: zero, y: zero });
            self.steps.fill(Step {
                before: one,
                norm: one,
            });
        }
        core::hint::black_box(&mut *self);
    }
}
