//! Eight points of G1, each times a short random scalar l + λ·h with 64-bit l and h.
//!
//! λ is the eigenvalue of φ(x, y) = (βx, y), so φP costs nothing, and P + φP = −φ²P neither (1 + β + β² = 0, and the chord
//! through P and φP is horizontal). 64 doublings then do for 128 random bits. The additions are incomplete: a lane that
//! meets an exception ends with z = 0, is noticed, and left to complete code.

use ark_bn254::{Fq, G1Affine, G1Projective, g1};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::AdditiveGroup;

use super::fq2::{Fq8, constant, load};
use crate::kernel::ifma::field::LANES;

/// Coordinates with bounds 2, 2, 4 (Jacobian).
#[derive(Clone, Copy)]
struct Jacobian {
    x: Fq8,
    y: Fq8,
    z: Fq8,
}

/// `None` where an exception was met.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
pub(super) fn scale(
    points: &[G1Affine; LANES],
    scalars: &[[u64; 2]; LANES],
) -> [Option<G1Projective>; LANES] {
    let beta = constant(&g1::Config::ENDO_COEFFS[0]);
    let (x, y) = (load(&points.map(|p| p.x)), load(&points.map(|p| p.y)));
    let x_phi = x.mul(beta);
    let (x_both, y_both) = (x_phi.mul(beta), y.neg::<2>());
    let one = constant(&<Fq as ark_ff::Field>::ONE);

    let mut sum = Jacobian { x, y, z: one };
    // Lanes that have not met a bit yet.
    let mut empty = u8::MAX;
    for bit in (0..64).rev() {
        if empty != u8::MAX {
            sum = sum.double();
        }
        let has = |half: usize| -> u8 {
            (0..LANES).fold(0, |mask, lane| {
                mask | (((scalars[lane][half] >> bit) & 1) as u8) << lane
            })
        };
        let (low, high) = (has(0), has(1));
        let both = low & high;
        let to_add = (
            Fq8::select(both, x_both, Fq8::select(high, x_phi, x)),
            Fq8::select(both, y_both, y),
        );
        let added = sum.add(to_add);
        let fresh = empty & (low | high);
        let keep = !(low | high);
        sum = Jacobian {
            x: Fq8::select(keep, sum.x, Fq8::select(fresh, to_add.0, added.x)),
            y: Fq8::select(keep, sum.y, Fq8::select(fresh, to_add.1, added.y)),
            z: Fq8::select(keep, sum.z, Fq8::select(fresh, one, added.z)),
        };
        empty &= keep;
    }
    sum.store(empty)
}

impl Jacobian {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn double(self) -> Self {
        let Self { x, y, z } = self;
        let (a, b) = (x.square(), y.square());
        let c = b.square();
        // D = 4xy², E = 3x².
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

    /// Plus an affine point of bound 2, neither of them the identity nor ± the other.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn add(self, (x2, y2): (Fq8, Fq8)) -> Self {
        let Self { x, y, z } = self;
        let zz = z.square();
        let h = x2.mul(zz).sub::<2>(x);
        let r = y2.mul(z).mul(zz).sub::<2>(y);
        let hh = h.square();
        let (hhh, v) = (h.mul(hh), x.mul(hh));
        let x3 = r.square().sub::<2>(hhh).sub::<4>(v.double()).reduce();
        Self {
            x: x3,
            y: r.mul(v.sub::<2>(x3)).sub::<2>(y.mul(hhh)).reduce(),
            z: z.mul(h),
        }
    }

    /// The points of the lanes that are not in `empty` (a scalar of zero) and have no z of zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    fn store(self, empty: u8) -> [Option<G1Projective>; LANES] {
        let mut words = [[Fq::ZERO; LANES]; 3];
        self.x.to_ark(&mut words[0]);
        self.y.to_ark(&mut words[1]);
        self.z.to_ark(&mut words[2]);
        let [x, y, z] = words;
        std::array::from_fn(|lane| {
            let usable = empty >> lane & 1 == 0 && z[lane] != Fq::ZERO;
            usable.then(|| G1Projective::new_unchecked(x[lane], y[lane], z[lane]))
        })
    }
}
