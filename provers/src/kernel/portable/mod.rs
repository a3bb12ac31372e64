//! The kernel for any CPU: the same batches of affine additions, one lane a slot, on scalar field arithmetic.

use core::ops::Range;

use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Field, One, Zero};
use zeroize::Zeroize;

use super::adder::{Adder, NEGATIVE, Pair, Run};
use super::point::TablePoint;

type Coordinate<P> = <<P as TablePoint>::Affine as AffineRepr>::BaseField;

#[derive(Clone, Copy)]
struct Slot<F> {
    x: F,
    y: F,
}

pub(crate) struct PortableAdder<P: TablePoint> {
    slots: Vec<Slot<Coordinate<P>>>,
    /// The product of the denominators before each pair's, and the denominator.
    steps: Vec<(Coordinate<P>, Coordinate<P>)>,
}

/// What an addition divides by, and how the sum comes about.
enum Case {
    /// Of two points that are not each other's negative: the slope's numerator.
    Sum,
    Double,
    First,
    Second,
    Identity,
}

impl<P: TablePoint> PortableAdder<P> {
    pub(super) fn new(slots: usize) -> Self {
        let zero = Coordinate::<P>::zero();
        Self {
            slots: vec![Slot { x: zero, y: zero }; slots],
            steps: vec![(zero, zero); slots],
        }
    }

    fn case(&self, pair: Pair) -> Case {
        let (a, b) = (self.slots[pair.a as usize], self.slots[pair.b as usize]);
        match () {
            () if a.y.is_zero() => Case::Second,
            () if b.y.is_zero() => Case::First,
            () if a.x != b.x => Case::Sum,
            () if a.y == b.y => Case::Double,
            () => Case::Identity,
        }
    }

    fn finish(&mut self, pair: Pair, numerator: Coordinate<P>, inverse: Coordinate<P>) {
        let (a, b) = (self.slots[pair.a as usize], self.slots[pair.b as usize]);
        let slope = numerator * inverse;
        let x = slope.square() - a.x - b.x;
        let y = slope * (a.x - x) - a.y;
        self.slots[pair.a as usize] = Slot { x, y };
    }
}

impl<P: TablePoint> Adder<P> for PortableAdder<P> {
    fn lanes(&self) -> usize {
        1
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn load(&mut self, slot: usize, points: &[P], entries: &[u32], runs: &[Run]) {
        let Some(run) = runs.first() else { return };
        let entries = &entries[run.first as usize..][..run.len as usize];
        for (slot, entry) in self.slots[slot..].iter_mut().zip(entries) {
            let point = points[(entry & !NEGATIVE) as usize].to_affine();
            let zero = Coordinate::<P>::zero();
            let (x, y) = point.xy().unwrap_or((zero, zero));
            let y = if entry & NEGATIVE == 0 { y } else { -y };
            *slot = Slot { x, y };
        }
    }

    /// There is no prefetch in portable code: independent loads side by side bring the points into the cache as well.
    fn prefetch(&self, points: &[P], entries: &[u32]) {
        let words = entries
            .iter()
            .map(|entry| points[(entry & !NEGATIVE) as usize].any_word());
        core::hint::black_box(words.fold(0, |all, word| all ^ word));
    }

    fn add(&mut self, plain: &[Pair], careful: &[Pair]) -> bool {
        let mut product = Coordinate::<P>::one();
        for (step, pair) in self.steps.iter_mut().zip(plain) {
            let denominator = self.slots[pair.b as usize].x - self.slots[pair.a as usize].x;
            *step = (product, denominator);
            product *= denominator;
        }
        for (i, pair) in careful.iter().enumerate() {
            let (a, b) = (self.slots[pair.a as usize], self.slots[pair.b as usize]);
            let denominator = match self.case(*pair) {
                Case::Sum => b.x - a.x,
                Case::Double => a.y.double(),
                _ => Coordinate::<P>::one(),
            };
            self.steps[plain.len() + i] = (product, denominator);
            product *= denominator;
        }
        let Some(mut inverse) = product.inverse() else {
            assert!(!plain.is_empty(), "a careful denominator is never zero");
            let all = [plain, careful].concat();
            self.add(&[], &all);
            return true;
        };
        for (i, pair) in careful.iter().enumerate().rev() {
            let (before, denominator) = self.steps[plain.len() + i];
            let this = inverse * before;
            inverse *= denominator;
            let (a, b) = (self.slots[pair.a as usize], self.slots[pair.b as usize]);
            match self.case(*pair) {
                Case::Sum => self.finish(*pair, b.y - a.y, this),
                Case::Double => {
                    let square = a.x.square();
                    self.finish(*pair, square.double() + square, this);
                }
                Case::First => {}
                Case::Second => self.slots[pair.a as usize] = b,
                Case::Identity => {
                    let zero = Coordinate::<P>::zero();
                    self.slots[pair.a as usize] = Slot { x: zero, y: zero };
                }
            }
        }
        for (i, pair) in plain.iter().enumerate().rev() {
            let (before, denominator) = self.steps[i];
            let this = inverse * before;
            inverse *= denominator;
            let numerator = self.slots[pair.b as usize].y - self.slots[pair.a as usize].y;
            self.finish(*pair, numerator, this);
        }
        false
    }

    fn double(&mut self, slots: Range<usize>) {
        let mut product = Coordinate::<P>::one();
        for slot in slots.clone() {
            let denominator = self.slots[slot].y.double();
            self.steps[slot] = (product, denominator);
            product *= denominator;
        }
        let mut inverse = product
            .inverse()
            .expect("no point has y = 0 but the identity");
        for slot in slots.rev() {
            let (before, denominator) = self.steps[slot];
            let this = inverse * before;
            inverse *= denominator;
            let square = self.slots[slot].x.square();
            let same = Pair {
                a: slot as u32,
                b: slot as u32,
            };
            self.finish(same, square.double() + square, this);
        }
    }

    fn store(&mut self, slot: usize, runs: &[Run], out: &mut [P]) {
        let Slot { x, y } = self.slots[slot];
        if let Some(run) = runs.first() {
            out[run.to as usize] = P::from_coordinates(x, y);
        }
    }

    fn erase(&mut self) {
        for slot in &mut self.slots {
            slot.x.zeroize();
            slot.y.zeroize();
        }
        for step in &mut self.steps {
            step.0.zeroize();
            step.1.zeroize();
        }
    }
}
