//! Every step against arkworks.

use super::*;
use ark_bn254::g2;
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

/// Runs a test where the instructions are, or says that it did not.
fn with_lanes(test: impl FnOnce(Lanes)) {
    match Ifma::detect() {
        Some(ifma) => test(Lanes(ifma)),
        None => println!("skipped: this CPU has no AVX-512 IFMA"),
    }
}

fn pairs(rng: &mut StdRng, count: usize) -> Vec<(G1Affine, G2Affine)> {
    (0..count)
        .map(|_| (G1Affine::rand(rng), G2Affine::rand(rng)))
        .collect()
}

#[test]
fn miller_loops_of_any_number_of_pairs_give_arkworks_pairing() {
    with_lanes(|lanes| {
        let mut rng = StdRng::seed_from_u64(1);
        for count in [0, 1, 2, 7, 8, 9, 16, 17] {
            let pairs = pairs(&mut rng, count);
            let (g1, g2): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let expected = Bn254::multi_pairing(g1, g2);
            let found = Bn254::final_exponentiation(lanes.miller(&pairs)).unwrap();
            assert_eq!(found, expected, "{count} pairs");
        }
    });
}

#[test]
fn miller_loops_of_edge_points_give_arkworks_pairing() {
    with_lanes(|lanes| {
        let (p, q) = (G1Affine::generator(), G2Affine::generator());
        // Equal pairs, opposite pairs: the product is one.
        for pairs in [
            vec![(p, q); 9],
            vec![(p, q), (-p, q)],
            vec![(p, q), (p, -q)],
        ] {
            let (g1, g2): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let found = Bn254::final_exponentiation(lanes.miller(&pairs)).unwrap();
            assert_eq!(found, Bn254::multi_pairing(g1, g2));
        }
    });
}

#[test]
fn points_are_scaled_by_short_coefficients_as_by_the_scalars_they_stand_for() {
    with_lanes(|lanes| {
        let mut rng = StdRng::seed_from_u64(2);
        let mut coefficients: Vec<Short> = (0..40).map(|_| [rng.r#gen(), rng.r#gen()]).collect();
        let edges = [0, 1, 2, u64::MAX, 1 << 63, (1 << 63) - 1];
        coefficients.extend(edges.into_iter().flat_map(|l| edges.map(|h| [l, h])));
        let points: Vec<_> = coefficients
            .iter()
            .map(|_| G1Affine::rand(&mut rng))
            .collect();
        for length in [1, 7, 8, coefficients.len()] {
            let scaled = lanes.scale(&points[..length], &coefficients[..length]);
            assert_eq!(scaled.len(), length);
            for i in 0..length {
                let expected = points[i] * scalar_of(coefficients[i]);
                assert_eq!(scaled[i], expected, "{:?}", coefficients[i]);
            }
        }
    });
}

fn abscissas(a: G1Affine, b: G2Affine, c: G1Affine) -> Abscissas {
    Abscissas {
        a: a.x,
        b: b.x,
        c: c.x,
    }
}

#[test]
fn lifted_points_are_those_they_came_from_up_to_sign() {
    with_lanes(|lanes| {
        let mut rng = StdRng::seed_from_u64(3);
        let proofs: Vec<_> = (0..67)
            .map(|_| {
                let [a, c] = [0; 2].map(|_| G1Affine::rand(&mut rng));
                (a, G2Affine::rand(&mut rng), c)
            })
            .collect();
        let xs: Vec<_> = proofs
            .iter()
            .map(|(a, b, c)| abscissas(*a, *b, *c))
            .collect();
        for length in [0, 1, 7, 8, 9, 67] {
            let lifted = lanes.lift(&xs[..length]);
            assert_eq!(lifted.len(), length);
            for ((a, b, c), y) in proofs.iter().zip(lifted) {
                let y = y.expect("a point of the subgroup is lifted");
                assert!(y.a == a.y || y.a == -a.y);
                assert!(y.b == b.y || y.b == -b.y);
                assert!(y.c == c.y || y.c == -c.y);
            }
        }
    });
}

/// A point of the twist that is on the curve, and of what order is not known.
fn point_of_the_twist(rng: &mut StdRng) -> G2Affine {
    loop {
        let x = Fq2::rand(rng);
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, rng.r#gen()) {
            return point;
        }
    }
}

#[test]
fn no_lane_that_arkworks_refuses_is_lifted() {
    with_lanes(|lanes| {
        let mut rng = StdRng::seed_from_u64(4);
        let good = (
            G1Affine::rand(&mut rng),
            G2Affine::rand(&mut rng),
            G1Affine::rand(&mut rng),
        );
        let off = |rng: &mut StdRng| loop {
            let x = Fq::rand(rng);
            if G1Affine::get_point_from_x_unchecked(x, true).is_none() {
                return x;
            }
        };
        let mut bad = Vec::new();
        for i in 0..40u64 {
            let mut xs = abscissas(good.0, good.1, good.2);
            match i % 4 {
                0 => xs.a = off(&mut rng),
                1 => xs.c = off(&mut rng),
                // On the curve or not: a random x is half of the time, and never in the subgroup.
                2 => xs.b = Fq2::rand(&mut rng),
                _ => xs.b = point_of_the_twist(&mut rng).x,
            }
            bad.push(xs);
        }
        for x in [
            Fq2::ZERO,
            Fq2::new(Fq::ZERO, Fq::from(1u8)),
            Fq2::from(5u8),
            -g2::G2_GENERATOR_X,
        ] {
            bad.push(Abscissas {
                b: x,
                ..abscissas(good.0, good.1, good.2)
            });
        }
        // Each bad one among seven good ones, at every place.
        for (n, bad) in bad.iter().enumerate() {
            let mut block = [abscissas(good.0, good.1, good.2); LANES];
            block[n % LANES] = *bad;
            for (lane, lifted) in lanes.lift(&block).into_iter().enumerate() {
                assert_eq!(lifted.is_none(), lane == n % LANES, "bad {n}, lane {lane}");
            }
        }
    });
}

/// Points of small order are where incomplete additions go wrong: the cofactor's prime factors are 10,069, 5,864,401 and
/// larger ones.
#[test]
fn points_of_small_order_are_not_taken_for_points_of_the_subgroup() {
    with_lanes(|lanes| {
        let mut rng = StdRng::seed_from_u64(5);
        let cofactor = num_cofactor();
        let (a, c) = (G1Affine::rand(&mut rng), G1Affine::rand(&mut rng));
        for small in [10_069u64, 5_864_401] {
            let (rest, remainder) = divide(cofactor, small);
            assert_eq!(remainder, 0, "{small} divides the cofactor");
            let point = loop {
                let point = point_of_the_twist(&mut rng)
                    .mul_bigint(rest)
                    .into_affine()
                    .mul_bigint(<Fr as ark_ff::PrimeField>::MODULUS)
                    .into_affine();
                if !point.is_zero() {
                    break point;
                }
            };
            assert!(point.mul_bigint([small]).is_zero());
            let shifted = (point + G2Affine::generator()).into_affine();
            for b in [point, shifted] {
                let lifted = lanes.lift(&[abscissas(a, b, c)]);
                assert!(lifted[0].is_none(), "order {small}");
            }
        }
    });
}

fn num_cofactor() -> [u64; 4] {
    use ark_ec::CurveConfig;
    g2::Config::COFACTOR.try_into().unwrap()
}

fn divide(number: [u64; 4], by: u64) -> ([u64; 4], u64) {
    let (mut quotient, mut rest) = ([0; 4], 0u128);
    for i in (0..4).rev() {
        let part = rest << 64 | u128::from(number[i]);
        quotient[i] = (part / u128::from(by)) as u64;
        rest = part % u128::from(by);
    }
    (quotient, rest as u64)
}
