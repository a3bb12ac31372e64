//! Eight elements of Fq12 at once: what a Miller loop multiplies up.
//!
//! The tower is arkworks': Fq6 = Fq2[v]/(v³ − ξ), Fq12 = Fq6[w]/(w² − v), ξ = 9 + u. Products are schoolbook with one
//! reduction a coefficient: a multiply-add costs less than the additions that Karatsuba trades it for, and there are no
//! bounds to juggle. Every element has bound 2.

use ark_bn254::{Fq6, Fq12};

use super::fq2::{Factor, Fq2x8, Sum};
use crate::kernel::ifma::field::LANES;

/// c0 + c1·v + c2·v².
#[derive(Clone, Copy)]
struct Fq6x8([Fq2x8; 3]);

/// f + g·w.
#[derive(Clone, Copy)]
pub(super) struct Fq12x8 {
    f: Fq6x8,
    g: Fq6x8,
}

/// A line l0 + (l3 + l4·v)·w, as arkworks' `mul_by_034` takes it. Bounds 2, 2 and 4.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub l0: Fq2x8,
    pub l3: Fq2x8,
    pub l4: Fq2x8,
}

impl Fq6x8 {
    /// Bound 1 + 3·A·10/84, for the right side of bound 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn mul(self, rhs: Self) -> Self {
        let [a0, a1, a2] = self.0;
        let [b0, b1, b2] = rhs.0;
        let (xb1, xb2) = (b1.times_xi().factor(), b2.times_xi().factor());
        let (b0, b1, b2) = (b0.factor(), b1.factor(), b2.factor());
        Self([
            Sum::zero()
                .add(a0, &b0)
                .add(a1, &xb2)
                .add(a2, &xb1)
                .reduce(),
            Sum::zero().add(a0, &b1).add(a1, &b0).add(a2, &xb2).reduce(),
            Sum::zero().add(a0, &b2).add(a1, &b1).add(a2, &b0).reduce(),
        ])
    }

    /// Times v. Bound 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn times_v(self) -> Self {
        let [a0, a1, a2] = self.0;
        Self([a2.times_xi(), a0, a1])
    }
}

impl Fq12x8 {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn one() -> Self {
        let zero = Fq2x8::constant(&ark_bn254::Fq2::default());
        let one = Fq2x8::constant(&<ark_bn254::Fq2 as ark_ff::Field>::ONE);
        Self {
            f: Fq6x8([one, zero, zero]),
            g: Fq6x8([zero; 3]),
        }
    }

    /// (f + g·w)² = (f + g)(f + v·g) − fg − v·fg + 2fg·w.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn square(&mut self) {
        let (f, g) = (self.f, self.g);
        let fg = f.mul(g);
        let (vg, vfg) = (g.times_v(), fg.times_v());
        let mut left = f;
        let mut right = f;
        for i in 0..3 {
            left.0[i] = f.0[i].add(g.0[i]);
            right.0[i] = f.0[i].add(vg.0[i]).reduce();
        }
        let whole = left.mul(right);
        for i in 0..3 {
            self.f.0[i] = whole.0[i].sub::<2>(fg.0[i]).sub::<2>(vfg.0[i]).reduce();
            self.g.0[i] = fg.0[i].double().reduce();
        }
    }

    /// Times a line: 18 products in Fq2, counted at most 64 a coefficient, so the result has bound 2.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn mul_by(&mut self, line: &Line) {
        let Line { l0, l3, l4 } = *line;
        let (x3, x4): (Factor, Factor) = (l3.times_xi().factor(), l4.times_xi().factor());
        let (l0, l3, l4) = (l0.factor(), l3.factor(), l4.factor());
        let [f0, f1, f2] = self.f.0;
        let [g0, g1, g2] = self.g.0;
        self.f = Fq6x8([
            Sum::zero().add(f0, &l0).add(g1, &x4).add(g2, &x3).reduce(),
            Sum::zero().add(f1, &l0).add(g0, &l3).add(g2, &x4).reduce(),
            Sum::zero().add(f2, &l0).add(g0, &l4).add(g1, &l3).reduce(),
        ]);
        self.g = Fq6x8([
            Sum::zero().add(g0, &l0).add(f0, &l3).add(f2, &x4).reduce(),
            Sum::zero().add(g1, &l0).add(f0, &l4).add(f1, &l3).reduce(),
            Sum::zero().add(g2, &l0).add(f1, &l4).add(f2, &l3).reduce(),
        ]);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn store(self) -> [Fq12; LANES] {
        let [f, g] = [self.f, self.g].map(|half| half.0.map(|c| c.store()));
        std::array::from_fn(|i| {
            Fq12::new(
                Fq6::new(f[0][i], f[1][i], f[2][i]),
                Fq6::new(g[0][i], g[1][i], g[2][i]),
            )
        })
    }
}
