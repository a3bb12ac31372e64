//! The Miller loop of the optimal ate pairing, eight pairs a step.
//!
//! Formulas are arkworks' (`ark_ec::models::bn`), up to factors in Fq of points and lines, which the final exponentiation
//! removes: points are scaled by 4 in place of halving, lines of additions by −1. Every formula is complete for what comes
//! here, points of the prime-order subgroup: no multiple below the order is the identity or ± another.

use ark_bn254::{Config, Fq2, Fq12, G1Affine, G2Affine, g2};
use ark_ec::bn::BnConfig;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{Field, One};

use super::fq2::{Fq2x8, Fq8, load};
use super::fq12::{Fq12x8, Line};
use crate::kernel::ifma::field::LANES;

/// The Miller loops of all pairs, multiplied. Every lane of a block is a pair; `used` says which of them count.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
pub(super) fn product(blocks: &[([(G1Affine, G2Affine); LANES], u8)]) -> Fq12 {
    let curve = Constants::new();
    let mut pairs = Vec::with_capacity(blocks.len());
    for (block, used) in blocks {
        pairs.push(Pair::new(block, *used));
    }
    let mut f = Fq12x8::one();
    let digits = Config::ATE_LOOP_COUNT;
    for (i, digit) in digits.iter().rev().skip(1).enumerate() {
        if i > 0 {
            f.square();
        }
        for pair in &mut pairs {
            pair.double(&curve, &mut f);
            match digit {
                1 => pair.add(pair.q, &mut f),
                -1 => pair.add((pair.q.0, pair.q.1.neg::<2>()), &mut f),
                _ => {}
            }
        }
    }
    for pair in &mut pairs {
        let first = curve.frobenius(pair.q);
        let second = curve.frobenius(first);
        pair.add(first, &mut f);
        pair.add((second.0, second.1.neg::<2>()), &mut f);
    }
    f.store()
        .into_iter()
        .fold(Fq12::one(), |all, lane| all * lane)
}

struct Constants {
    /// The twist's b.
    b: Fq2x8,
    twist_x: Fq2x8,
    twist_y: Fq2x8,
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn new() -> Self {
        Self {
            b: Fq2x8::constant(&g2::Config::COEFF_B),
            twist_x: Fq2x8::constant(&Config::TWIST_MUL_BY_Q_X),
            twist_y: Fq2x8::constant(&Config::TWIST_MUL_BY_Q_Y),
        }
    }

    /// The endomorphism ψ. Bound 2 in and out.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn frobenius(&self, (x, y): (Fq2x8, Fq2x8)) -> (Fq2x8, Fq2x8) {
        (
            x.conjugate::<2>().mul(self.twist_x),
            y.conjugate::<2>().mul(self.twist_y),
        )
    }
}

/// Eight pairs on their way: q fixed, r a multiple of it in homogeneous coordinates.
struct Pair {
    used: u8,
    px: Fq8,
    minus_py: Fq8,
    /// Bound 2.
    q: (Fq2x8, Fq2x8),
    /// Bounds 4, 2, 2.
    r: [Fq2x8; 3],
}

impl Pair {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn new(pairs: &[(G1Affine, G2Affine); LANES], used: u8) -> Self {
        let q = (
            Fq2x8::load(&pairs.map(|(_, q)| q.x)),
            Fq2x8::load(&pairs.map(|(_, q)| q.y)),
        );
        Self {
            used,
            px: load(&pairs.map(|(p, _)| p.x)),
            minus_py: load(&pairs.map(|(p, _)| -p.y)),
            q,
            r: [q.0, q.1, Fq2x8::constant(&Fq2::ONE)],
        }
    }

    /// r ← 2r, and f times the tangent there.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn double(&mut self, curve: &Constants, f: &mut Fq12x8) {
        let [x, y, z] = self.r;
        let xy = x.mul(y);
        let (b, c) = (y.square(), z.square());
        let e = c.double().add(c).mul(curve.b);
        let three_e = e.double().add(e);
        let twice_g = b.add(three_e).reduce();
        // Bound 6.
        let h = y.add(z).square().sub::<4>(b.add(c));
        let j = x.square();
        let e2 = e.square();
        let twelve_e2 = e2.double().add(e2).double().double();
        self.r = [
            xy.mul(b.sub::<6>(three_e)).double(),
            twice_g.square().sub::<24>(twelve_e2).reduce(),
            h.mul(b).double().double().reduce(),
        ];
        let line = Line {
            l0: h.scale(self.minus_py),
            l3: j.double().add(j).scale(self.px),
            l4: e.sub::<2>(b),
        };
        self.take(&line, f);
    }

    /// r ← r + q, and f times the line through both. q of bound 2.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn add(&mut self, q: (Fq2x8, Fq2x8), f: &mut Fq12x8) {
        let [x, y, z] = self.r;
        let theta = y.sub::<2>(q.1.mul(z));
        let lambda = x.sub::<2>(q.0.mul(z)).reduce();
        let (c, d) = (theta.square(), lambda.square());
        let (e, g) = (lambda.mul(d), x.mul(d));
        let h = e.add(z.mul(c)).sub::<4>(g.double()).reduce();
        self.r = [
            lambda.mul(h),
            theta.mul(g.sub::<2>(h)).sub::<2>(e.mul(y)).reduce(),
            z.mul(e),
        ];
        let line = Line {
            l0: lambda.scale(self.minus_py),
            l3: theta.scale(self.px),
            l4: lambda.mul(q.1).sub::<2>(theta.mul(q.0)),
        };
        self.take(&line, f);
    }

    /// Lanes that are not used take the line 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn take(&self, line: &Line, f: &mut Fq12x8) {
        if self.used == u8::MAX {
            return f.mul_by(line);
        }
        let (zero, one) = (Fq2x8::constant(&Fq2::default()), Fq2x8::constant(&Fq2::ONE));
        f.mul_by(&Line {
            l0: Fq2x8::select(self.used, line.l0, one),
            l3: Fq2x8::select(self.used, line.l3, zero),
            l4: Fq2x8::select(self.used, line.l4, zero),
        });
    }
}
