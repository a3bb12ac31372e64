//! Every plan and both kernels against arkworks.

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::{Field, One, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::testing::rounds;

fn points<G: MsmCurve>(rng: &mut StdRng, n: usize) -> Vec<G> {
    let points: Vec<G::Group> = (0..n).map(|_| G::Group::rand(rng)).collect();
    G::Group::normalize_batch(&points)
}

fn naive<G: MsmCurve>(points: &[G], scalars: &[Fr]) -> G::Group {
    points.iter().zip(scalars).map(|(p, s)| *p * s).sum()
}

/// The sum by every kernel under this plan.
fn assert_msm<G: MsmCurve>(points: &[G], scalars: &[Fr], plan: TablePlan) {
    let expected = naive(points, scalars);
    for kernel in Kernel::all() {
        let bases = MsmBases::new(kernel, points, plan);
        let sum = bases.msm(kernel, scalars);
        assert_eq!(
            sum,
            expected,
            "{} {plan:?} n = {}",
            kernel.name(),
            points.len()
        );
    }
}

fn plans() -> Vec<TablePlan> {
    [
        (2, 1),
        (2, 200),
        (3, 7),
        (5, 1),
        (8, 1),
        (8, 3),
        (8, 32),
        (11, 4),
        (13, 20),
        (15, 17),
    ]
    .map(|(window, tables)| TablePlan::new(window, tables).unwrap())
    .to_vec()
}

fn every_plan<G: MsmCurve>() {
    let mut rng = StdRng::seed_from_u64(1);
    for plan in plans() {
        let n = rng.gen_range(1..40);
        let scalars: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
        assert_msm(&points::<G>(&mut rng, n), &scalars, plan);
    }
}

#[test]
fn every_plan_agrees_with_arkworks() {
    every_plan::<G1Affine>();
    every_plan::<G2Affine>();
}

fn every_length<G: MsmCurve>(longest: u32) {
    let mut rng = StdRng::seed_from_u64(2);
    let all = points::<G>(&mut rng, (1 << longest) + 1);
    let scalars: Vec<Fr> = all.iter().map(|_| Fr::rand(&mut rng)).collect();
    let lengths = (0..=longest).flat_map(|log2| [(1 << log2) - 1, 1 << log2, (1 << log2) + 1]);
    for n in lengths {
        for plan in [
            TablePlan::plain(n),
            TablePlan::within::<G::Point>(usize::MAX, n),
        ] {
            assert_msm(&all[..n], &scalars[..n], plan);
        }
    }
}

#[test]
fn every_length_agrees_with_arkworks() {
    every_length::<G1Affine>(9);
    every_length::<G2Affine>(7);
}

/// Scalars and points chosen to meet: equal points, opposites, identities, in the same buckets.
fn edges<G: MsmCurve>() {
    let mut rng = StdRng::seed_from_u64(3);
    let few = points::<G>(&mut rng, 3);
    let palette = [
        few[0],
        few[0],
        -few[0],
        few[1],
        -few[1],
        few[2],
        G::zero(),
        G::generator(),
    ];
    let two_to_the_k = |k: u64| Fr::from(2u64).pow([k]);
    let values = [
        vec![Fr::zero()],
        vec![Fr::one()],
        vec![-Fr::one()],
        vec![Fr::zero(), Fr::one()],
        vec![Fr::one(), -Fr::one()],
        vec![Fr::rand(&mut rng)],
        (0..254).map(two_to_the_k).collect(),
        vec![Fr::from(u64::MAX), Fr::from(2u64), Fr::rand(&mut rng)],
    ];
    for plan in [(4, 1), (8, 32), (8, 5), (13, 20)].map(|(c, m)| TablePlan::new(c, m).unwrap()) {
        for values in &values {
            let n = rng.gen_range(60..140);
            let points: Vec<G> = (0..n).map(|_| palette[rng.gen_range(0..8)]).collect();
            let scalars: Vec<Fr> = (0..n)
                .map(|_| values[rng.gen_range(0..values.len())])
                .collect();
            assert_msm(&points, &scalars, plan);
            assert_msm(&vec![few[0]; n], &scalars, plan);
        }
    }
    assert_msm(&[G::zero(); 9], &[Fr::one(); 9], plans()[3]);
}

#[test]
fn equal_points_opposites_and_identities_are_added_rightly() {
    edges::<G1Affine>();
    edges::<G2Affine>();
}

fn batches<G: MsmCurve>() {
    let mut rng = StdRng::seed_from_u64(4);
    for n in [0, 1, 7, 8, 9, 100] {
        let mut points = points::<G>(&mut rng, n);
        let mut scalars: Vec<Fr> = points.iter().map(|_| Fr::rand(&mut rng)).collect();
        let edges = [0u64, 1, 2, 3, 15, 16, 17, 30, 31, 32].map(Fr::from);
        let edges = edges.into_iter().flat_map(|edge| [edge, -edge]);
        for (scalar, edge) in scalars.iter_mut().rev().zip(edges) {
            *scalar = edge;
        }
        points
            .iter_mut()
            .skip(3)
            .step_by(5)
            .for_each(|point| *point = G::zero());
        let expected: Vec<G::Group> = points.iter().zip(&scalars).map(|(p, s)| *p * s).collect();
        for kernel in Kernel::all() {
            let products = batch_mul(kernel, &points, &scalars);
            assert_eq!(products, G::Group::normalize_batch(&expected));
        }
    }
}

#[test]
fn many_points_times_a_scalar_each_agree_with_arkworks() {
    batches::<G1Affine>();
    batches::<G2Affine>();
}

/// Points and scalars that meet often, under plans of every kind: `UKEHI_TEST_ROUNDS=100000` searches for long.
fn drawn<G: MsmCurve>(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let some = points::<G>(&mut rng, 64);
    for _ in 0..rounds(40) {
        let (n, palette) = (rng.gen_range(0..48), rng.gen_range(1..=some.len()));
        let points: Vec<G> = (0..n)
            .map(
                |_| match (some[rng.gen_range(0..palette)], rng.gen_range(0..8)) {
                    (_, 0) => G::zero(),
                    (point, 1..4) => -point,
                    (point, _) => point,
                },
            )
            .collect();
        let few = [(); 4].map(|()| Fr::rand(&mut rng));
        let scalars: Vec<Fr> = (0..n)
            .map(|_| match rng.gen_range(0..6) {
                0 => Fr::from(rng.gen_range(0..4u64)),
                1 => -Fr::from(rng.gen_range(1..4u64)),
                2 => Fr::from(2u64).pow([rng.gen_range(0..254u64)]),
                3 => few[rng.gen_range(0..4)],
                4 => Fr::from(rng.r#gen::<u64>()),
                _ => Fr::rand(&mut rng),
            })
            .collect();
        let plan = TablePlan::new(rng.gen_range(2..11), rng.gen_range(1..140)).unwrap();
        assert_msm(&points, &scalars, plan);
    }
}

#[test]
fn sums_of_drawn_points_and_scalars_agree_with_arkworks() {
    drawn::<G1Affine>(5);
    drawn::<G2Affine>(6);
}
