//! From the x coordinates of eight proofs to their points: square roots, and the subgroup of G2.
//!
//! Only sound lanes are answered for. Whatever else a lane holds (no point above x, a point outside the subgroup, a root
//! that the shortcuts here do not find, an exceptional addition) is left to the decoder that takes one proof at a time and
//! says what is wrong.

use ark_bn254::{Config, Fq, Fq2, FqConfig, g1, g2};
use ark_ec::bn::BnConfig;
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ff::{AdditiveGroup, Field, MontConfig};

use super::fq2::{Fq2x8, Fq8, constant, load};
use crate::kernel::ifma::field::LANES;

/// The x coordinates of eight proofs.
pub(super) struct Block {
    pub a: [Fq; LANES],
    pub b: [Fq2; LANES],
    pub c: [Fq; LANES],
}

/// A y above each x, either of the two, and the lanes where all three are right and B is in the subgroup.
pub(super) struct Lifted {
    pub a: [Fq; LANES],
    pub b: [Fq2; LANES],
    pub c: [Fq; LANES],
    pub good: u8,
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
pub(super) fn lift(block: &Block) -> Lifted {
    let (xa, xb, xc) = (load(&block.a), Fq2x8::load(&block.b), load(&block.c));
    let three = constant(&g1::Config::COEFF_B);
    let cube = |x: Fq8| x.square().mul(x).add(three).reduce();
    let (wa, wc) = (cube(xa), cube(xc));
    let wb = xb.square().mul(xb);
    let wb = wb.add(Fq2x8::constant(&g2::Config::COEFF_B)).reduce();
    let norm = wb.c0.square().add(wb.c1.square()).reduce();

    let [ta, tc, tn] = quarter_power([wa, wc, norm]);
    let (ya, yc) = (wa.mul(ta), wc.mul(tc));
    let yb = root_in_fq2(wb, norm.mul(tn));
    let is_root = |y: Fq8, w: Fq8| y.square().sub::<2>(w).is_zero();
    let good = is_root(ya, wa)
        & is_root(yc, wc)
        & yb.square().sub::<2>(wb).is_zero()
        & in_subgroup(xb, yb);

    let mut lifted = Lifted {
        a: [Fq::ZERO; LANES],
        b: yb.store(),
        c: [Fq::ZERO; LANES],
        good,
    };
    ya.to_ark(&mut lifted.a);
    yc.to_ark(&mut lifted.c);
    lifted
}

/// w^((p − 3)/4): times w it is a square root of w, if there is one. Several at once, because one chain of
/// multiplications leaves the multiplier idle half of the time. Bound 2 in and out.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn quarter_power<const N: usize>(bases: [Fq8; N]) -> [Fq8; N] {
    const WINDOW: u32 = 4;
    const DIGITS: u32 = 63;
    // p = 4k + 3.
    let exponent = |digit: u32| -> usize {
        let bit = 2 + digit * WINDOW;
        let [word, shift] = [bit / 64, bit % 64];
        let low = FqConfig::MODULUS.0[word as usize] >> shift;
        let high = match FqConfig::MODULUS.0.get(word as usize + 1) {
            Some(next) if shift > 0 => next << (64 - shift),
            _ => 0,
        };
        ((low | high) & 15) as usize
    };
    let mut powers = [[constant(&Fq::ONE); N]; 16];
    for i in 1..16 {
        for n in 0..N {
            powers[i][n] = powers[i - 1][n].mul(bases[n]);
        }
    }
    let mut result = powers[exponent(DIGITS - 1)];
    for digit in (0..DIGITS - 1).rev() {
        for _ in 0..WINDOW {
            for value in &mut result {
                *value = value.square();
            }
        }
        let factor = &powers[exponent(digit)];
        for n in 0..N {
            result[n] = result[n].mul(factor[n]);
        }
    }
    result
}

/// A square root of w, given α with α² = norm(w), where it has one and w.c1 is not zero.
///
/// With δ = (α + c0)/2 and t = δ^((p − 3)/4): either (δt)² = δ, and the root is δt + (c1/2)·t·u; or δt² = −1, and since
/// δ·(δ − α) = −c1²/4, it is (c1/2)·t − δt·u.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn root_in_fq2(w: Fq2x8, alpha: Fq8) -> Fq2x8 {
    let half = constant(&Fq::from(2u8).inverse().expect("2 is not 0"));
    let delta = alpha.add(w.c0).mul(half);
    let [t] = quarter_power([delta]);
    let root = delta.mul(t);
    let other = w.c1.mul(half).mul(t);
    let is_square = root.square().sub::<2>(delta).is_zero();
    Fq2x8 {
        c0: Fq8::select(is_square, root, other),
        c1: Fq8::select(is_square, other, root.neg::<2>()),
    }
}

/// Whether points of the twist are in the prime-order subgroup: P is if and only if
/// [x+1]P + ψ([x]P) + ψ²([x]P) = ψ³([2x]P) (El Housni, Guillevic, Piellard, eprint 2022/352, section 4.3).
///
/// Additions are incomplete. A point of the subgroup meets no exception, x being far below its order; any other point that
/// meets one has a z of zero from there on, and is not accepted.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn in_subgroup(px: Fq2x8, py: Fq2x8) -> u8 {
    let affine = Point {
        x: px,
        y: py,
        z: Fq2x8::constant(&Fq2::ONE),
    };
    let minus = Point {
        y: py.neg::<2>(),
        ..affine
    };
    let mut multiple = affine;
    for digit in seed_digits().into_iter().skip(1) {
        multiple = multiple.double();
        match digit {
            1 => multiple = multiple.add(&affine),
            -1 => multiple = multiple.add(&minus),
            _ => {}
        }
    }
    let psi = multiple.frobenius();
    let psi_2 = psi.frobenius();
    let left = multiple.add(&affine).add(&psi).add(&psi_2);
    let right = psi_2.frobenius().double();
    left.equals(&right)
}

/// The curve's seed in non-adjacent form, most significant digit first.
fn seed_digits() -> Vec<i8> {
    let mut rest = i128::from(Config::X[0]);
    let mut digits = Vec::with_capacity(64);
    while rest != 0 {
        let digit = match rest & 3 {
            1 => 1,
            3 => -1,
            _ => 0,
        };
        digits.push(digit as i8);
        rest = (rest - digit) >> 1;
    }
    digits.reverse();
    digits
}

/// Jacobian coordinates of bounds 2, 2, 4.
#[derive(Clone, Copy)]
struct Point {
    x: Fq2x8,
    y: Fq2x8,
    z: Fq2x8,
}

impl Point {
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn double(&self) -> Self {
        let Self { x, y, z } = *self;
        let (a, b) = (x.square(), y.square());
        let c = b.square();
        let d = x.mul(b).double().double().reduce();
        let e = a.double().add(a).reduce();
        let x3 = e.square().sub::<4>(d.double()).reduce();
        let eight_c = c.double().double().double();
        Self {
            x: x3,
            y: e.mul(d.sub::<2>(x3)).sub::<16>(eight_c).reduce(),
            z: y.mul(z).double(),
        }
    }

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn add(&self, other: &Self) -> Self {
        let (zz1, zz2) = (self.z.square(), other.z.square());
        let (u1, u2) = (self.x.mul(zz2), other.x.mul(zz1));
        let s1 = self.y.mul(other.z).mul(zz2);
        let s2 = other.y.mul(self.z).mul(zz1);
        let (h, r) = (u2.sub::<2>(u1), s2.sub::<2>(s1));
        let hh = h.square();
        let (hhh, v) = (h.mul(hh), u1.mul(hh));
        let x3 = r.square().sub::<2>(hhh).sub::<4>(v.double()).reduce();
        Self {
            x: x3,
            y: r.mul(v.sub::<2>(x3)).sub::<2>(s1.mul(hhh)).reduce(),
            z: self.z.mul(other.z).mul(h),
        }
    }

    /// ψ: untwist, Frobenius, twist.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn frobenius(&self) -> Self {
        Self {
            x: self
                .x
                .conjugate::<2>()
                .mul(Fq2x8::constant(&Config::TWIST_MUL_BY_Q_X)),
            y: self
                .y
                .conjugate::<2>()
                .mul(Fq2x8::constant(&Config::TWIST_MUL_BY_Q_Y)),
            z: self.z.conjugate::<4>(),
        }
    }

    /// The lanes where both are the same point and neither is the identity.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn equals(&self, other: &Self) -> u8 {
        let (zz1, zz2) = (self.z.square(), other.z.square());
        let same_x = self.x.mul(zz2).sub::<2>(other.x.mul(zz1)).is_zero();
        let (y1, y2) = (self.y.mul(other.z).mul(zz2), other.y.mul(self.z).mul(zz1));
        let same_y = y1.sub::<2>(y2).is_zero();
        same_x & same_y & !self.z.is_zero() & !other.z.is_zero()
    }
}
