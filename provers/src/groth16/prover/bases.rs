//! The points a proof is a combination of, as the kernels want them, with as many tables as a budget allows.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};

use super::fold::Fold;
use crate::groth16::ProvingKey;
use crate::kernel::Kernel;
use crate::kernel::point::{PackedG1, PackedG2, TablePoint};
use crate::msm::{MsmBases, TablePlan};

/// What the three multiplications of a proof are of.
pub(super) struct Points<'a> {
    pub(super) a: &'a [G1Affine],
    pub(super) b: &'a [G2Affine],
    /// L for the variables from `first` on, then H.
    pub(super) c: Vec<G1Affine>,
    pub(super) first: usize,
    /// Whether C's matrix is folded into L, so that H takes A∘B alone.
    pub(super) folded: bool,
}

/// The tables of each of the three.
#[derive(Clone, Copy)]
pub(super) struct Plans {
    a: TablePlan,
    b: TablePlan,
    c: TablePlan,
}

/// The bases of A, of B in G2 and of C, one multiplication each.
pub(super) struct Bases {
    kernel: Kernel,
    a: MsmBases<G1Affine>,
    b: MsmBases<G2Affine>,
    c: MsmBases<G1Affine>,
    pub(super) first: usize,
    pub(super) folded: bool,
}

impl<'a> Points<'a> {
    /// Those of the key as it is, or with C folded into L.
    pub(super) fn of(key: &'a ProvingKey, fold: Option<&Fold>) -> Self {
        let points = key.points();
        let (l, first) = match fold {
            Some(fold) => (fold.l(), 0),
            None => (&points.l_query[..], points.vk.gamma_abc_g1.len()),
        };
        Self {
            a: &points.a_query,
            b: &points.b_g2_query,
            c: [l, &points.h_query].concat(),
            first,
            folded: fold.is_some(),
        }
    }

    /// No tables: nothing to compute.
    pub(super) fn plain(&self) -> Plans {
        Plans {
            a: TablePlan::plain(self.a.len()),
            b: TablePlan::plain(self.b.len()),
            c: TablePlan::plain(self.c.len()),
        }
    }

    /// The fastest tables of at most `budget` bytes, which the three share as the largest tables would.
    pub(super) fn within(&self, budget: u64) -> Plans {
        let full = self.bytes(&self.plans(|_| usize::MAX));
        let budget = budget.min(full.iter().sum());
        let total: u128 = full.iter().map(|bytes| u128::from(*bytes)).sum();
        let share = |i: usize| {
            let share = u128::from(budget) * u128::from(full[i]) / total.max(1);
            usize::try_from(share).unwrap_or(usize::MAX)
        };
        self.plans(share)
    }

    fn plans(&self, budget: impl Fn(usize) -> usize) -> Plans {
        Plans {
            a: TablePlan::within::<PackedG1>(budget(0), self.a.len()),
            b: TablePlan::within::<PackedG2>(budget(1), self.b.len()),
            c: TablePlan::within::<PackedG1>(budget(2), self.c.len()),
        }
    }

    /// Bytes the tables take at most; the bases alone are not counted.
    fn bytes(&self, plans: &Plans) -> [u64; 3] {
        let tables = |plan: &TablePlan, bases: usize, point: usize| match plan.tables() {
            1 => 0,
            tables => tables as u64 * bases as u64 * point as u64,
        };
        [
            tables(&plans.a, self.a.len(), PackedG1::BYTES),
            tables(&plans.b, self.b.len(), PackedG2::BYTES),
            tables(&plans.c, self.c.len(), PackedG1::BYTES),
        ]
    }

    pub(super) fn total_bytes(&self, plans: &Plans) -> u64 {
        self.bytes(plans).iter().sum()
    }

    /// As many bytes as the largest useful tables take.
    pub(super) fn wanted(&self) -> u64 {
        self.total_bytes(&self.plans(|_| usize::MAX))
    }

    /// Computes the tables on `threads` threads.
    pub(super) fn build(&self, kernel: Kernel, plans: &Plans, threads: usize) -> Bases {
        let progress = &|_| {};
        Bases {
            kernel,
            a: MsmBases::build(kernel, self.a, plans.a, threads, progress),
            b: MsmBases::build(kernel, self.b, plans.b, threads, progress),
            c: MsmBases::build(kernel, &self.c, plans.c, threads, progress),
            first: self.first,
            folded: self.folded,
        }
    }
}

impl Bases {
    pub(super) fn a(&self, z: &[Fr]) -> G1Projective {
        self.a.msm(self.kernel, z)
    }

    pub(super) fn b(&self, z: &[Fr]) -> G2Projective {
        self.b.msm(self.kernel, z)
    }

    /// `scalars` are z from `first` on, then those of H.
    pub(super) fn c(&self, scalars: &[Fr]) -> G1Projective {
        self.c.msm(self.kernel, scalars)
    }
}
