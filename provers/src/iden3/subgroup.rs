//! Whether a point on its curve is in the group of prime order r: nothing to ask in G1, and the cost of reading a key
//! in G2.
//!
//! In G2 with the endomorphism ψ (untwist, Frobenius, twist) and BN254's parameter x, after Dai, Lin, Zhao and Zhou
//! (<https://eprint.iacr.org/2022/348>, sections 3 and 5.1): P is in the group if and only if
//!
//! ```text
//! (x + 1)·P + ψ(x·P) + ψ²(x·P) = ψ³(2x·P)
//! ```
//!
//! which takes one multiplication by 63 bits, where arkworks' own check takes 127. "If": the difference of the two
//! sides is f(ψ)P with f = x + 1 + xX + xX² − 2xX³. With ψ² = tψ − p it is (a + bψ)P, and so N·P = O for the norm
//! N = a² + abt + b²p. The greatest common divisor of N and the cofactor 2p − r is 1, and the curve has r·(2p − r)
//! points, so the order of P divides r. "Only if": in the group ψ multiplies by p, and f(p) = 0 modulo r.

use ark_bn254::{Fq2, G2Projective, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::{AdditiveGroup, MontFp};

/// The parameter of the curve's family.
const X: u64 = 4_965_661_367_192_848_881;
/// (u + 9)^((p − 1)/3) and (u + 9)^((p − 1)/2).
const PSI_X: Fq2 = Fq2::new(
    MontFp!("21575463638280843010398324269430826099269044274347216827212613867836435027261"),
    MontFp!("10307601595873709700152284273816112264069230130616436755625194854815875713954"),
);
const PSI_Y: Fq2 = Fq2::new(
    MontFp!("2821565182194536844548159561693502659359617185244120367078079554186484126554"),
    MontFp!("3505843767911556378687030309984248845540243509899259641013678093033130930403"),
);

/// A curve with a subgroup of prime order.
pub trait Subgroup: SWCurveConfig {
    /// For a point on the curve.
    fn contains(point: &Affine<Self>) -> bool;
}

impl Subgroup for g1::Config {
    /// The whole curve is of prime order.
    fn contains(_: &Affine<Self>) -> bool {
        true
    }
}

impl Subgroup for g2::Config {
    fn contains(point: &Affine<Self>) -> bool {
        let xp = point.mul_bigint([X]);
        let psi1 = psi(&xp);
        let psi2 = psi(&psi1);
        let psi3 = psi(&psi2);
        xp + point + psi1 + psi2 == psi3.double()
    }
}

/// In Jacobian coordinates the denominators are conjugated too.
fn psi(point: &G2Projective) -> G2Projective {
    let conjugate = |c: Fq2| Fq2::new(c.c0, -c.c1);
    G2Projective::new_unchecked(
        conjugate(point.x) * PSI_X,
        conjugate(point.y) * PSI_Y,
        conjugate(point.z),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
    use ark_ec::{CurveConfig, CurveGroup};
    use ark_ff::{BigInteger, Field, One, PrimeField, UniformRand, Zero};
    use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

    /// The smaller prime factors of the cofactor.
    const FACTORS: [u64; 3] = [10_069, 5_864_401, 1_875_725_156_269];

    fn on_the_twist(rng: &mut StdRng) -> G2Affine {
        loop {
            let (x, greatest) = (Fq2::rand(rng), rng.r#gen());
            if let Some(point) = G2Affine::get_point_from_x_unchecked(x, greatest) {
                return point;
            }
        }
    }

    fn agree(point: &G2Affine) -> bool {
        assert!(point.is_on_curve());
        let ours = g2::Config::contains(point);
        assert_eq!(ours, point.is_in_correct_subgroup_assuming_on_curve());
        assert_eq!(ours, point.mul_bigint(Fr::MODULUS).is_zero());
        ours
    }

    #[test]
    fn the_check_is_arkworks_and_the_definitions_on_points_inside_and_outside() {
        let mut rng = StdRng::seed_from_u64(1);
        assert!(agree(&G2Affine::identity()));
        assert!(agree(&G2Affine::generator()));
        for _ in 0..50 {
            let outside = on_the_twist(&mut rng);
            assert!(!agree(&outside));
            let inside = G2Affine::generator() * Fr::rand(&mut rng);
            assert!(agree(&inside.into_affine()));
            assert!(agree(&outside.clear_cofactor()));
            // What the cofactor leaves of it, alone and beside a point of the group.
            let small = outside.mul_bigint(Fr::MODULUS);
            assert!(!agree(&small.into_affine()));
            assert!(!agree(&(small + inside).into_affine()));
        }
    }

    #[test]
    fn points_of_small_order_are_outside_alone_and_beside_points_of_the_group() {
        let mut rng = StdRng::seed_from_u64(2);
        for factor in FACTORS {
            let cofactor = <g2::Config as CurveConfig>::COFACTOR;
            let others = divided(cofactor, factor);
            let point = loop {
                let point = on_the_twist(&mut rng).mul_bigint(Fr::MODULUS);
                let point = point.into_affine().mul_bigint(&others);
                if !point.is_zero() {
                    break point.into_affine();
                }
            };
            assert!(point.mul_bigint([factor]).is_zero());
            assert!(!agree(&point));
            assert!(!agree(&(point + G2Affine::generator()).into_affine()));
        }
    }

    /// A multiple of `divisor` over it, word by word.
    fn divided(number: &[u64], divisor: u64) -> Vec<u64> {
        let mut rest = 0u128;
        let mut words: Vec<u64> = number
            .iter()
            .rev()
            .map(|word| {
                let part = (rest << 64) | u128::from(*word);
                rest = part % u128::from(divisor);
                (part / u128::from(divisor)) as u64
            })
            .collect();
        assert_eq!(rest, 0);
        words.reverse();
        words
    }

    #[test]
    fn psi_is_the_frobenius_of_the_twist() {
        let nine_and_u = Fq2::new(Fq::from(9u64), Fq::one());
        let mut exponent = Fq::MODULUS;
        exponent.sub_with_borrow(&1u64.into());
        let half = divided(&exponent.0, 2);
        let third = divided(&exponent.0, 3);
        assert_eq!(PSI_X, nine_and_u.pow(third));
        assert_eq!(PSI_Y, nine_and_u.pow(half));
        // ψ acts on the group as p does, and satisfies ψ² − tψ + p = 0 on all of the curve; t − 1 = 6x².
        let mut rng = StdRng::seed_from_u64(3);
        let point = on_the_twist(&mut rng).into_group();
        let x = u128::from(X);
        let square = |n: u128| Fq::from(n) * Fq::from(n);
        let t = (square(x) * Fq::from(6u64) + Fq::one()).into_bigint();
        let once = psi(&point);
        let by_t = once.into_affine().mul_bigint(t);
        let by_p = point.into_affine().mul_bigint(Fq::MODULUS);
        assert!((psi(&once) - by_t + by_p).is_zero());
        assert_ne!(once, point);
    }

    #[test]
    fn every_point_of_g1s_curve_is_in_it() {
        let mut rng = StdRng::seed_from_u64(4);
        let point = loop {
            if let Some(p) = G1Affine::get_point_from_x_unchecked(Fq::rand(&mut rng), true) {
                break p;
            }
        };
        assert!(g1::Config::contains(&point));
        assert!(point.mul_bigint(Fr::MODULUS).is_zero());
    }
}
