//! The points a proof is a combination of, as the kernels want them.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};

use super::fold::Fold;
use crate::groth16::ProvingKey;

/// Fixed bases of one multi-scalar multiplication.
pub(super) struct Msm<G: AffineRepr>(Vec<G>);

impl<G: AffineRepr<ScalarField = Fr>> Msm<G> {
    pub(super) fn new(points: Vec<G>) -> Self {
        Self(points)
    }

    pub(super) fn msm(&self, scalars: &[Fr]) -> G::Group {
        assert_eq!(self.0.len(), scalars.len(), "one scalar per base");
        G::Group::msm_unchecked(&self.0, scalars)
    }
}

/// Each point times its own factor.
pub(super) fn multiply_each(points: &[G1Affine], factors: &[Fr]) -> Vec<G1Affine> {
    let products: Vec<G1Projective> = points.iter().zip(factors).map(|(p, f)| *p * f).collect();
    G1Projective::normalize_batch(&products)
}

/// The bases of A, of B in G2 and of C, one multiplication each.
pub(super) struct Bases {
    pub(super) a: Msm<G1Affine>,
    pub(super) b: Msm<G2Affine>,
    /// L for the variables from `first` on, then H.
    pub(super) c: Msm<G1Affine>,
    pub(super) first: usize,
    /// Whether C's matrix is folded into L, so that H takes A∘B alone.
    pub(super) folded: bool,
}

impl Bases {
    /// Those of the key as it is.
    pub(super) fn plain(key: &ProvingKey) -> Self {
        let points = key.points();
        Self {
            a: Msm::new(points.a_query.clone()),
            b: Msm::new(points.b_g2_query.clone()),
            c: Msm::new([&points.l_query[..], &points.h_query].concat()),
            first: points.vk.gamma_abc_g1.len(),
            folded: false,
        }
    }

    /// Those of the key with C folded into L.
    pub(super) fn folded(key: &ProvingKey, fold: &Fold) -> Self {
        let points = key.points();
        Self {
            a: Msm::new(points.a_query.clone()),
            b: Msm::new(points.b_g2_query.clone()),
            c: Msm::new([fold.l(), &points.h_query].concat()),
            first: 0,
            folded: true,
        }
    }
}
