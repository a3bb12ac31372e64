//! From the unblinded proof π0 to a proof that may be seen.
//!
//! π0 is the Groth16 proof with r = s = 0: A0, B0 and C0 are functions of the witness alone, so π0 tells whoever
//! holds it whether a guessed witness is the right one. It has a type of its own that cannot be cloned, printed,
//! encoded or returned from this directory, and that is zeroised.
//!
//! The one map applied to it (Baghery, Kohlweiss, Siim, Volkhov, <https://eprint.iacr.org/2020/811>, theorem 3),
//! with r1 ← F* and r2 ← F fresh and of full width for every proof:
//!
//! ```text
//! A' = r1⁻¹·A0      B' = r1·B0 + r1·r2·δ₂      C' = C0 + r2·A0
//! ```
//!
//! It keeps the verifier's equation, since e(A', B') = e(A0, B0 + r2·δ₂) = e(A0, B0)·e(r2·A0, δ₂). And it hides the
//! witness: with A0 ≠ O, A' is uniform among the points that are not O, because r1⁻¹ is uniform in F*; with δ₂ ≠ O, B'
//! is uniform given A', because r1·r2 is uniform in F for every r1; and C' is the one point that the equation leaves.
//! So is a proof of standard Groth16 blinded with r and s, but for the 1/r chance that its A is O. Both conditions
//! are held: [`super::super::VerifyingKey`] refuses δ₂ = O, and A0 = O is an error here.
//! Each part is needed: r1 = 1 would show A0, r2 = 0 would show C0. Blinding additively instead needs B in G1, a
//! multiplication of its own, which this prover therefore never does.

use ark_bn254::{Fr, G1Projective, G2Affine, G2Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::groth16::{Groth16Proof, ProveError};
use crate::randomness;

/// π0. Not `Clone`, not `Debug`, without an encoding, zeroised on drop; all one can do with it is
/// [`Unblinded::blind`].
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Unblinded {
    pub(super) a: G1Projective,
    pub(super) b: G2Projective,
    pub(super) c: G1Projective,
}

impl Unblinded {
    /// # Errors
    /// [`ProveError::Unblindable`] if A0 is the identity: A' would be too, and B' and C' would show their parts.
    pub(super) fn blind(self, delta: &G2Affine) -> Result<Groth16Proof, ProveError> {
        let r1 = Zeroizing::new(randomness::scalar_where(|r| !r.is_zero())?);
        let r2 = randomness::scalar()?;
        self.blind_with(&r1, &r2, delta)
    }

    fn blind_with(self, r1: &Fr, r2: &Fr, delta: &G2Affine) -> Result<Groth16Proof, ProveError> {
        if self.a.is_zero() {
            return Err(ProveError::Unblindable);
        }
        let inverse = Zeroizing::new(r1.inverse().ok_or(ProveError::Unblindable)?);
        let shifted = Zeroizing::new(self.b + *delta * *r2);
        Groth16Proof::new(ark_groth16::Proof {
            a: (self.a * *inverse).into_affine(),
            b: (*shifted * *r1).into_affine(),
            c: (self.c + self.a * *r2).into_affine(),
        })
        // B' or C' is O with probability 2/r, whatever π0 is.
        .map_err(|_| ProveError::Unblindable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{G1Affine, G2Affine};
    use ark_ec::{AffineRepr, PrimeGroup};

    fn pi0() -> Unblinded {
        Unblinded {
            a: G1Projective::generator() * Fr::from(11u64),
            b: G2Projective::generator() * Fr::from(13u64),
            c: G1Projective::generator() * Fr::from(17u64),
        }
    }

    #[test]
    fn the_map_is_that_of_theorem_3_for_a_fixed_pi0_and_fixed_randomness() {
        let [r1, r2, d] = [5u64, 7, 19].map(Fr::from);
        let delta = (G2Affine::generator() * d).into_affine();
        let blinded = pi0().blind_with(&r1, &r2, &delta).unwrap();
        let points = blinded.points();
        let g1 = |s: Fr| (G1Affine::generator() * s).into_affine();
        let g2 = |s: Fr| (G2Affine::generator() * s).into_affine();
        assert_eq!(points.a, g1(Fr::from(11u64) * r1.inverse().unwrap()));
        assert_eq!(points.b, g2(r1 * Fr::from(13u64) + r1 * r2 * d));
        assert_eq!(points.c, g1(Fr::from(17u64) + r2 * Fr::from(11u64)));
    }

    #[test]
    fn every_element_of_two_blindings_of_one_pi0_differs_and_none_is_pi0s() {
        let delta = (G2Affine::generator() * Fr::from(19u64)).into_affine();
        let [one, two] = [(); 2].map(|()| pi0().blind(&delta).unwrap());
        let (one, two, bare) = (one.points(), two.points(), pi0());
        assert!(one.a != two.a && one.b != two.b && one.c != two.c);
        assert!(bare.a != one.a && bare.b != one.b && bare.c != one.c);
    }

    #[test]
    fn an_identity_a_is_refused_and_so_is_an_r1_of_zero() {
        let delta = G2Affine::generator();
        let mut degenerate = pi0();
        degenerate.a = G1Projective::zero();
        assert_eq!(degenerate.blind(&delta), Err(ProveError::Unblindable));
        assert_eq!(
            pi0().blind_with(&Fr::zero(), &Fr::from(7u64), &delta),
            Err(ProveError::Unblindable)
        );
    }

    #[test]
    fn pi0_is_erased_on_demand_and_on_drop() {
        fn zeroised_on_drop<T: ZeroizeOnDrop>(_: &T) {}
        let mut pi0 = pi0();
        zeroised_on_drop(&pi0);
        pi0.zeroize();
        assert!(pi0.a.is_zero() && pi0.b.is_zero() && pi0.c.is_zero());
    }
}
