//! Eight elements of Fq2 = Fq[u]/(u² + 1) at once, one a lane.
//!
//! "Bound k" is that of `kernel::ifma::field`, of both coordinates. What every operation asks and gives stands beside it.

use ark_bn254::FqConfig;

use crate::kernel::ifma::field::{Fp8, LANES};
use crate::kernel::ifma::wide::Wide;

pub(super) type Fq8 = Fp8<FqConfig>;

/// c0 + c1·u.
#[derive(Clone, Copy)]
pub(super) struct Fq2x8 {
    pub c0: Fq8,
    pub c1: Fq8,
}

/// Eight elements; bound 2.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
pub(super) fn load(elements: &[ark_bn254::Fq; LANES]) -> Fq8 {
    Fq8::from_ark(elements).reduce()
}

/// One element in every lane; bound 2.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
pub(super) fn constant(element: &ark_bn254::Fq) -> Fq8 {
    Fq8::broadcast(element).reduce()
}

impl Fq2x8 {
    /// Bound 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn load(elements: &[ark_bn254::Fq2; LANES]) -> Self {
        Self {
            c0: load(&elements.map(|e| e.c0)),
            c1: load(&elements.map(|e| e.c1)),
        }
    }

    /// Bound 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn constant(element: &ark_bn254::Fq2) -> Self {
        Self {
            c0: constant(&element.c0),
            c1: constant(&element.c1),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn store(self) -> [ark_bn254::Fq2; LANES] {
        let (mut c0, mut c1) = (
            [ark_bn254::Fq::default(); LANES],
            [ark_bn254::Fq::default(); LANES],
        );
        self.c0.to_ark(&mut c0);
        self.c1.to_ark(&mut c1);
        std::array::from_fn(|i| ark_bn254::Fq2::new(c0[i], c1[i]))
    }

    /// A + B.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn add(self, rhs: Self) -> Self {
        Self {
            c0: self.c0.add(rhs.c0),
            c1: self.c1.add(rhs.c1),
        }
    }

    /// 2A.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn double(self) -> Self {
        self.add(self)
    }

    /// A + K, for B ≤ K.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn sub<const K: u64>(self, rhs: Self) -> Self {
        Self {
            c0: self.c0.sub::<K>(rhs.c0),
            c1: self.c1.sub::<K>(rhs.c1),
        }
    }

    /// K, for A ≤ K.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn neg<const K: u64>(self) -> Self {
        Self {
            c0: self.c0.neg::<K>(),
            c1: self.c1.neg::<K>(),
        }
    }

    /// The Frobenius map of Fq2: c0 − c1·u. For A ≤ K; bound K.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn conjugate<const K: u64>(self) -> Self {
        Self {
            c0: self.c0,
            c1: self.c1.neg::<K>(),
        }
    }

    /// 2, for any bound.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn reduce(self) -> Self {
        Self {
            c0: self.c0.reduce(),
            c1: self.c1.reduce(),
        }
    }

    /// 2, for B ≤ 8 and A·(B + 8) ≤ 84.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn mul(self, rhs: Self) -> Self {
        Sum::zero().add(self, &rhs.factor()).reduce()
    }

    /// 2, for A ≤ 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn square(self) -> Self {
        // (a + b)(a − b) and 2ab.
        Self {
            c0: self.c0.add(self.c1).mul(self.c0.sub::<4>(self.c1)),
            c1: self.c0.double().mul(self.c1),
        }
    }

    /// 2, for A·B ≤ 84.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn scale(self, by: Fq8) -> Self {
        Self {
            c0: self.c0.mul(by),
            c1: self.c1.mul(by),
        }
    }

    /// Times 9 + u, the non-residue of the tower. 2, for A ≤ 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn times_xi(self) -> Self {
        let nine = self.double().double().double().add(self);
        Self {
            c0: nine.c0.sub::<4>(self.c1).reduce(),
            c1: nine.c1.add(self.c0).reduce(),
        }
    }

    /// The lanes that are zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn is_zero(self) -> u8 {
        self.c0.is_zero() & self.c1.is_zero()
    }

    /// `yes` in the lanes of `mask`, `no` in the others.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn select(mask: u8, yes: Self, no: Self) -> Self {
        Self {
            c0: Fq8::select(mask, yes.c0, no.c0),
            c1: Fq8::select(mask, yes.c1, no.c1),
        }
    }

    /// Made ready to be multiplied by, once for several products. Bound 8 at most.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn factor(self) -> Factor {
        Factor {
            c0: self.c0,
            c1: self.c1,
            minus_c1: self.c1.neg::<8>(),
        }
    }
}

/// An element with what products need of it.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    c0: Fq8,
    c1: Fq8,
    minus_c1: Fq8,
}

/// A sum of products with one reduction. A product of bounds A and B ≤ 8 counts A·(B + 8).
#[derive(Clone, Copy)]
pub(super) struct Sum {
    re: Wide<FqConfig>,
    im: Wide<FqConfig>,
}

impl Sum {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn zero() -> Self {
        Self {
            re: Wide::zero(),
            im: Wide::zero(),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn add(self, a: Fq2x8, b: &Factor) -> Self {
        Self {
            re: self.re.mul_add(a.c0, b.c0).mul_add(a.c1, b.minus_c1),
            im: self.im.mul_add(a.c0, b.c1).mul_add(a.c1, b.c0),
        }
    }

    /// 1 + S/84 for a sum that counts S.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
    pub fn reduce(self) -> Fq2x8 {
        Fq2x8 {
            c0: self.re.reduce(),
            c1: self.im.reduce(),
        }
    }
}
