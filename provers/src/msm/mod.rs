//! Multi-scalar multiplication over bases that never change: Σ s_i·P_i.
//!
//! Signed digits, all windows of all tables sharing sets of buckets ([`TablePlan`]), entries sorted by bucket, buckets
//! added up as trees of independent affine additions (`accumulate`), and the bucket sums the same way (`reduce`). The
//! same for every kernel and every number of tables.
//!
//! Secrets: the scalars' digits, the sorted entries, the workspace and the bucket sums are overwritten before return.
//! The time and the memory addresses depend on the scalars: which of them are zero, small, or have equal digits.
//!
//! Knows nothing of keys and proofs.

mod accumulate;
mod batch;
mod digits;
mod pages;
mod plan;
mod reduce;
mod table;

use ark_bn254::{Fr, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::AdditiveGroup;

use crate::kernel::Kernel;
use crate::kernel::point::{PackedG1, PackedG2, TablePoint};

pub use batch::batch_mul;
pub use plan::TablePlan;

/// A group with tables: G1 or G2 of BN254.
pub trait MsmCurve: AffineRepr<ScalarField = Fr> {
    type Point: TablePoint<Affine = Self>;
}

// The aliases `G1Affine` and `G2Affine` go through a trait, and two impls for such would count as overlapping.
impl MsmCurve for Affine<g1::Config> {
    type Point = PackedG1;
}

impl MsmCurve for Affine<g2::Config> {
    type Point = PackedG2;
}

/// Bases with their tables, read by any number of threads.
pub struct MsmBases<G: MsmCurve> {
    plan: TablePlan,
    /// Bases given, the identity among them.
    len: usize,
    /// The indices of the others: row i of the table belongs to base `kept[i]`.
    kept: Vec<u32>,
    table: Vec<G::Point>,
}

impl<G: MsmCurve> MsmBases<G> {
    /// Tables of `points`, which must be on the curve, built on one thread.
    pub fn new(kernel: Kernel, points: &[G], plan: TablePlan) -> Self {
        Self::build(kernel, points, plan, 1, &|_| {})
    }

    /// The same on `threads` threads; `progress` is told how many bases are done, of those that are not the identity.
    pub fn build(
        kernel: Kernel,
        points: &[G],
        plan: TablePlan,
        threads: usize,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Self {
        let (mut kept, mut bases) = (Vec::new(), Vec::new());
        for (index, point) in points.iter().enumerate() {
            if !point.is_zero() {
                kept.push(index as u32);
                bases.push(G::Point::from_affine(point));
            }
        }
        let table = table::build(kernel, &bases, &plan, threads, progress);
        Self {
            plan,
            len: points.len(),
            kept,
            table,
        }
    }

    /// The sum of each point times its scalar, on this thread.
    ///
    /// # Panics
    /// If there are not as many scalars as points were given.
    pub fn msm(&self, kernel: Kernel, scalars: &[Fr]) -> G::Group {
        assert_eq!(scalars.len(), self.len, "a scalar for each base");
        let kept = self.kept.iter().map(|index| &scalars[*index as usize]);
        let lists = digits::sort_by_bucket(&self.plan, kept);
        if lists.entries.is_empty() {
            return G::Group::ZERO;
        }
        let mut adder = G::Point::adder(kernel, accumulate::workspace::<G::Point>());
        let sums = accumulate::sum_lists(&mut *adder, &self.table, &lists);
        drop(lists);
        let result = reduce::weighted_sum(&mut *adder, sums, self.plan.sets(), self.plan.window());
        adder.erase();
        result
    }

    pub fn plan(&self) -> TablePlan {
        self.plan
    }

    /// Memory of the tables.
    pub fn bytes(&self) -> usize {
        self.table.len() * G::Point::BYTES
    }
}

#[cfg(test)]
mod tests;
#[cfg(all(test, target_os = "linux"))]
mod timings;
