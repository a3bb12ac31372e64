//! How wide the windows are and how many multiples of each base a table keeps.
//!
//! A scalar is cut into w windows of c bits, digits signed, so 2^(c−1) buckets. With m tables a base has its multiples by
//! 2^(c·s·t), t < m, where s = ⌈w/m⌉: window s·t + q then falls into bucket set q, and s sets are joined by c·(s − 1)
//! doublings. m = 1 is Pippenger's method without precomputation; m = w has one set of buckets.
//!
//! # Cost model, in affine additions
//! - every non-zero digit is one addition: n·w;
//! - a bucket costs two additions when the buckets are split by the halves of their number (see `reduce`), less the
//!   one that its first point did not need, and its sum is written and read twice, about half of one more, for these
//!   are next to each other, where a digit's point may be anywhere in the tables: 1.5·s·2^(c−1).
//!
//! A wider window trades digits for buckets; one that does not save a digit is never the cheapest.

use super::super::kernel::point::TablePoint;

/// A scalar is below 2^254, and the top digit must not carry.
const SCALAR_BITS: usize = 255;

/// Windows wider than this would have more buckets than any key has points.
const WINDOWS: core::ops::RangeInclusive<usize> = 2..=20;

/// Entries are 31-bit indices into the tables.
const MAX_POINTS: usize = 1 << 31;

/// The shape of the tables of one set of bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TablePlan {
    window: usize,
    tables: usize,
}

impl TablePlan {
    /// No precomputation: one table, the bases themselves.
    pub fn plain(bases: usize) -> Self {
        Self::cheapest(bases, 1)
    }

    /// The fastest tables of at most `budget` bytes for this many bases with points of type `P`. Never less than the
    /// bases themselves.
    pub fn within<P: TablePoint>(budget: usize, bases: usize) -> Self {
        let tables = (budget / P::BYTES / bases.max(1)).clamp(1, SCALAR_BITS);
        Self::cheapest(bases, tables)
    }

    /// `window` bits, 2 to 20, and `tables` per base; more than there are windows is the same as all of them.
    pub fn new(window: usize, tables: usize) -> Option<Self> {
        if !WINDOWS.contains(&window) || tables == 0 {
            return None;
        }
        let windows = SCALAR_BITS.div_ceil(window);
        // No table that would be left without a window.
        let sets = windows.div_ceil(tables.min(windows));
        let tables = windows.div_ceil(sets);
        Some(Self { window, tables })
    }

    fn cheapest(bases: usize, max_tables: usize) -> Self {
        WINDOWS
            .filter_map(|window| Self::new(window, max_tables))
            .filter(|plan| bases.saturating_mul(plan.tables) <= MAX_POINTS)
            .min_by_key(|plan| plan.cost(bases))
            .expect("a plan of one table always fits")
    }

    /// In halves of an addition, by the model above.
    fn cost(&self, bases: usize) -> usize {
        2 * bases * self.windows() + 3 * self.sets() * self.buckets()
    }

    /// Bits of a window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Multiples kept of each base, itself included.
    pub fn tables(&self) -> usize {
        self.tables
    }

    /// Digits of a scalar.
    pub fn windows(&self) -> usize {
        SCALAR_BITS.div_ceil(self.window)
    }

    /// Sets of buckets.
    pub fn sets(&self) -> usize {
        self.windows().div_ceil(self.tables)
    }

    /// Buckets of a set, for the digits 1 to 2^(c−1).
    pub fn buckets(&self) -> usize {
        1 << (self.window - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::point::{PackedG1, PackedG2};

    #[test]
    fn a_plan_keeps_to_its_budget_and_uses_it() {
        for log2 in 0..20 {
            let bases = 1 << log2;
            let plain = TablePlan::plain(bases);
            assert_eq!(plain.tables(), 1);
            assert_eq!(TablePlan::within::<PackedG1>(0, bases), plain);
            for budget in [1 << 20, 64 << 20, 1 << 30] {
                let plan = TablePlan::within::<PackedG2>(budget, bases);
                assert!(plan.tables() == 1 || plan.tables() * bases * 128 <= budget);
                assert!(plan.cost(bases) <= plain.cost(bases));
            }
            let full = TablePlan::within::<PackedG1>(usize::MAX, bases);
            assert_eq!((full.sets(), full.tables()), (1, full.windows()));
        }
    }

    #[test]
    fn no_table_is_without_a_window() {
        for window in WINDOWS {
            for tables in 1..140 {
                let plan = TablePlan::new(window, tables).unwrap();
                assert!(plan.tables() <= tables);
                assert!(plan.sets() * (plan.tables() - 1) < plan.windows());
                assert!(plan.sets() * plan.tables() >= plan.windows());
            }
        }
        assert_eq!(TablePlan::new(15, 0), None);
        assert_eq!(TablePlan::new(1, 1), None);
        assert_eq!(TablePlan::new(21, 1), None);
    }
}
