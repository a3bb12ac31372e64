//! Who hears whom, how late, how often.

use crate::rng::Rng;
use std::collections::BTreeSet;

/// One millisecond of virtual time.
pub const MS: u64 = 1_000;

#[derive(Default)]
pub struct Network {
    /// Ordered pairs (from, to) that hear nothing: partitions may be one-way.
    cut: BTreeSet<(usize, usize)>,
    pub loss_percent: u64,
    pub duplicate_percent: u64,
    /// Chance of a delay of up to `late_ms`: reordering.
    pub late_percent: u64,
    pub late_ms: u64,
}

impl Network {
    pub fn calm() -> Self {
        Self::default()
    }

    pub fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    pub fn cut_both(&mut self, one: usize, other: usize) {
        self.cut(one, other);
        self.cut(other, one);
    }

    pub fn is_cut(&self, from: usize, to: usize) -> bool {
        !self.cut.is_empty() && self.cut.contains(&(from, to))
    }

    /// Two sides that do not hear one another.
    pub fn partition(&mut self, side: &[usize], nodes: usize) {
        for one in side {
            for other in (0..nodes).filter(|n| !side.contains(n)) {
                self.cut_both(*one, other);
            }
        }
    }

    pub fn heal(&mut self) {
        *self = Self::calm();
    }

    /// When the copies of a frame arrive, in microseconds from now; none if it is lost.
    pub fn deliveries(&self, from: usize, to: usize, rng: &mut Rng) -> Vec<u64> {
        if self.cut.contains(&(from, to)) || rng.chance(self.loss_percent) {
            return Vec::new();
        }
        let copies = 1 + usize::from(rng.chance(self.duplicate_percent));
        (0..copies)
            .map(|_| {
                let late = match rng.chance(self.late_percent) {
                    true => rng.range(0, self.late_ms * MS + 1),
                    false => 0,
                };
                rng.range(MS / 2, 5 * MS) + late
            })
            .collect()
    }
}
