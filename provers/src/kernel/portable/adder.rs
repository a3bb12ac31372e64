//! Batches of affine additions on scalar field arithmetic, for both curves.
//!
//! A batch goes over its pairs twice. Forward: the differences x_b − x_a, or their norms, are multiplied up, each pair
//! keeping the product before it. One inversion. Backward: each difference's inverse, the slope, the sum. Two chains of
//! products run side by side, because one multiplication waits for the one before it.
//!
//! Invariant: the identity, and nothing else, has y exactly zero.

use core::ops::Range;

use ukehi_kernels::portable::prefetch;
use zeroize::Zeroize;

use super::super::adder::{Adder, NEGATIVE, Pair, Run};
use super::super::point::TablePoint;
use super::coordinate::{Coordinate, Fq};

#[derive(Clone, Copy)]
struct Slot<C> {
    x: C,
    y: C,
}

/// What the forward pass leaves for the backward pass.
#[derive(Clone, Copy)]
struct Step {
    /// The product of the norms before this one in its chain.
    before: Fq,
    norm: Fq,
}

pub(super) struct PortableAdder<C> {
    slots: Vec<Slot<C>>,
    steps: Vec<Step>,
}

/// How a sum comes about.
enum Case {
    /// Of two points that are not each other's negative.
    Sum,
    Double,
    First,
    Second,
    Identity,
}

impl<C: Coordinate> PortableAdder<C> {
    pub(super) fn new(slots: usize) -> Self {
        let (zero, none) = (C::ZERO, Fq::ZERO);
        Self {
            slots: vec![Slot { x: zero, y: zero }; slots],
            steps: vec![
                Step {
                    before: none,
                    norm: none
                };
                slots
            ],
        }
    }

    #[inline(always)]
    fn both(&self, pair: Pair) -> (Slot<C>, Slot<C>) {
        (self.slots[pair.a as usize], self.slots[pair.b as usize])
    }

    #[inline(always)]
    fn forward(&mut self, at: usize, denominator: &C, chain: &mut Fq) {
        let step = &mut self.steps[at];
        step.before = *chain;
        step.norm = denominator.norm();
        *chain = chain.mul(&step.norm);
    }

    /// 1/denominator.
    #[inline(always)]
    fn backward(&self, at: usize, denominator: &C, chain: &mut Fq) -> C {
        let step = &self.steps[at];
        let inverse = denominator.inverse(&chain.mul(&step.before));
        *chain = chain.mul(&step.norm);
        inverse
    }

    /// Into slot a, the point where the line of this slope through a and b meets the curve again, reflected.
    #[inline(always)]
    fn finish(&mut self, pair: Pair, slope: &C) {
        let (a, b) = (&self.slots[pair.a as usize], &self.slots[pair.b as usize]);
        let x = slope.square().sub(&a.x).sub(&b.x);
        let y = slope.mul(&a.x.sub(&x)).sub(&a.y);
        let sum = &mut self.slots[pair.a as usize];
        sum.x = x;
        sum.y = y;
    }

    #[inline(always)]
    fn difference(&self, pair: Pair) -> C {
        self.slots[pair.b as usize]
            .x
            .sub(&self.slots[pair.a as usize].x)
    }

    #[inline(always)]
    fn backward_plain(&mut self, pair: Pair, at: usize, chain: &mut Fq) {
        let inverse = self.backward(at, &self.difference(pair), chain);
        let (a, b) = (&self.slots[pair.a as usize], &self.slots[pair.b as usize]);
        self.finish(pair, &b.y.sub(&a.y).mul(&inverse));
    }

    fn case(&self, pair: Pair) -> Case {
        let (a, b) = self.both(pair);
        match () {
            () if a.y.is_exactly_zero() => Case::Second,
            () if b.y.is_exactly_zero() => Case::First,
            () if !b.x.sub(&a.x).is_zero() => Case::Sum,
            () if b.y.sub(&a.y).is_zero() => Case::Double,
            () => Case::Identity,
        }
    }

    fn careful_denominator(&self, pair: Pair) -> C {
        let (a, b) = self.both(pair);
        match self.case(pair) {
            Case::Sum => b.x.sub(&a.x),
            Case::Double => a.y.add(&a.y),
            _ => C::ONE,
        }
    }

    fn backward_careful(&mut self, pair: Pair, at: usize, chain: &mut Fq) {
        let (a, b) = self.both(pair);
        let inverse = self.backward(at, &self.careful_denominator(pair), chain);
        match self.case(pair) {
            Case::Sum => self.finish(pair, &b.y.sub(&a.y).mul(&inverse)),
            Case::Double => self.finish(pair, &thrice_square(&a.x).mul(&inverse)),
            Case::First => {}
            Case::Second => self.slots[pair.a as usize] = b,
            Case::Identity => {
                let zero = C::ZERO;
                self.slots[pair.a as usize] = Slot { x: zero, y: zero };
            }
        }
    }
}

#[inline(always)]
fn thrice_square<C: Coordinate>(x: &C) -> C {
    let square = x.square();
    square.add(&square).add(&square)
}

/// The inverses of both, or `None` if either is zero.
fn invert([a, b]: [Fq; 2]) -> Option<[Fq; 2]> {
    let inverse = a.mul(&b).inverse()?;
    Some([inverse.mul(&b), inverse.mul(&a)])
}

impl<C: Coordinate<Point: TablePoint>> Adder<C::Point> for PortableAdder<C> {
    fn lanes(&self) -> usize {
        1
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn load(&mut self, slot: usize, points: &[C::Point], entries: &[u32], runs: &[Run]) {
        let Some(run) = runs.first() else { return };
        let entries = &entries[run.first as usize..][..run.len as usize];
        for (slot, entry) in self.slots[slot..].iter_mut().zip(entries) {
            let (x, y) = C::read(&points[(entry & !NEGATIVE) as usize]);
            slot.x = x;
            slot.y = y.negated(entry & NEGATIVE != 0);
        }
    }

    fn prefetch(&self, points: &[C::Point], entries: &[u32]) {
        for entry in entries {
            prefetch(&points[(entry & !NEGATIVE) as usize]);
        }
    }

    fn add(&mut self, plain: &[Pair], careful: &[Pair]) -> bool {
        let n = plain.len();
        let [mut even, mut odd] = [Fq::ONE; 2];
        let (twos, last) = plain.as_chunks::<2>();
        for (i, [first, second]) in twos.iter().enumerate() {
            self.forward(2 * i, &self.difference(*first), &mut even);
            self.forward(2 * i + 1, &self.difference(*second), &mut odd);
        }
        for pair in last {
            self.forward(n - 1, &self.difference(*pair), &mut even);
        }
        let mut chains = [even, odd];
        for (i, pair) in careful.iter().enumerate() {
            let denominator = self.careful_denominator(*pair);
            self.forward(n + i, &denominator, &mut chains[i % 2]);
        }
        let Some(mut chains) = invert(chains) else {
            // Equal points, opposites or an identity among the plain pairs. Nothing has been overwritten yet.
            assert!(!plain.is_empty(), "a careful denominator is never zero");
            let all = [plain, careful].concat();
            self.add(&[], &all);
            return true;
        };
        for (i, pair) in careful.iter().enumerate().rev() {
            self.backward_careful(*pair, n + i, &mut chains[i % 2]);
        }
        let [mut even, mut odd] = chains;
        for pair in last {
            self.backward_plain(*pair, n - 1, &mut even);
        }
        for (i, [first, second]) in twos.iter().enumerate().rev() {
            self.backward_plain(*first, 2 * i, &mut even);
            self.backward_plain(*second, 2 * i + 1, &mut odd);
        }
        false
    }

    fn double(&mut self, slots: Range<usize>) {
        let mut chains = [Fq::ONE; 2];
        for slot in slots.clone() {
            let y = self.slots[slot].y;
            self.forward(slot, &y.add(&y), &mut chains[slot % 2]);
        }
        let mut chains = invert(chains).expect("no point has y = 0 but the identity");
        for slot in slots.rev() {
            let Slot { x, y } = self.slots[slot];
            let inverse = self.backward(slot, &y.add(&y), &mut chains[slot % 2]);
            let same = Pair {
                a: slot as u32,
                b: slot as u32,
            };
            self.finish(same, &thrice_square(&x).mul(&inverse));
        }
    }

    fn store(&mut self, slot: usize, runs: &[Run], out: &mut [C::Point]) {
        let Slot { x, y } = self.slots[slot];
        if let Some(run) = runs.first() {
            out[run.to as usize] = C::write(x, y);
        }
    }

    fn erase(&mut self) {
        for slot in &mut self.slots {
            slot.x.zeroize();
            slot.y.zeroize();
        }
        for step in &mut self.steps {
            step.before.zeroize();
            step.norm.zeroize();
        }
    }
}
