//! Figures for the design's tables: `cargo test --release -p ukehi-provers msm::timings -- --ignored --nocapture`.
//!
//! CPU time of the one thread that works, the least of several runs, so that a busy machine disturbs them little.

use std::hint::black_box;

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::{One, UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};

use super::*;

/// Milliseconds of CPU.
fn least(runs: usize, mut work: impl FnMut()) -> f64 {
    let cpu = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
    };
    (0..runs)
        .map(|_| {
            let start = cpu();
            work();
            cpu() - start
        })
        .fold(f64::INFINITY, f64::min)
}

fn points<G: MsmCurve>(n: usize) -> Vec<G> {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut point, step) = (G::Group::rand(&mut rng), G::Group::rand(&mut rng));
    let points: Vec<_> = (0..n)
        .map(|_| {
            point += step;
            point
        })
        .collect();
    G::Group::normalize_batch(&points)
}

fn against_ark<G: MsmCurve>(name: &str, log2: u32, scalars: &[Fr]) {
    let points = points::<G>(scalars.len());
    let ark = least(3, || {
        black_box(G::Group::msm_unchecked(&points, scalars));
    });
    println!("{name} 2^{log2}: ark {ark:.2} ms");
    for kernel in Kernel::all() {
        let full = TablePlan::within::<G::Point>(usize::MAX, points.len());
        for plan in [TablePlan::plain(points.len()), full] {
            let bases = MsmBases::new(kernel, &points, plan);
            let ours = least(9, || {
                black_box(bases.msm(kernel, scalars));
            });
            let additions = points.len() * plan.windows() + plan.sets() * plan.buckets();
            println!(
                "{name} 2^{log2} {}: {} bits, {} tables, {} MiB: {ours:.2} ms, {:.0} ns an addition of full \
                 scalars, ark / this {:.1}",
                kernel.name(),
                plan.window(),
                plan.tables(),
                bases.bytes() >> 20,
                ours * 1e6 / additions as f64,
                ark / ours
            );
        }
    }
}

fn random(n: usize) -> Vec<Fr> {
    let mut rng = StdRng::seed_from_u64(2);
    (0..n).map(|_| Fr::rand(&mut rng)).collect()
}

#[test]
#[ignore = "measures; run by hand"]
fn msm_of_random_scalars() {
    for log2 in [12, 14, 16] {
        against_ark::<G1Affine>("G1", log2, &random(1 << log2));
        against_ark::<G2Affine>("G2", log2, &random(1 << log2));
    }
}

#[test]
#[ignore = "measures; run by hand"]
fn msm_of_poor_scalars() {
    let random = random(1 << 14);
    let bits = random.iter().map(|s| Fr::from(s.0.0[0] & 1)).collect();
    let bytes = random.iter().map(|s| Fr::from(s.0.0[0] & 255)).collect();
    let cases: [(&str, Vec<Fr>); 6] = [
        ("zeros", vec![Fr::zero(); random.len()]),
        ("ones", vec![Fr::one(); random.len()]),
        ("minus ones", vec![-Fr::one(); random.len()]),
        ("bits", bits),
        ("bytes", bytes),
        ("all equal", vec![random[0]; random.len()]),
    ];
    for (name, scalars) in cases {
        against_ark::<G1Affine>(&format!("G1 {name}"), 14, &scalars);
    }
}

#[test]
#[ignore = "measures; run by hand"]
fn many_points_by_a_scalar_each() {
    let (points, scalars) = (points::<G1Affine>(1 << 13), random(1 << 13));
    for kernel in Kernel::all() {
        let all = least(3, || {
            black_box(batch_mul(kernel, &points, &scalars));
        });
        println!(
            "{}: {:.1} us a product",
            kernel.name(),
            all * 1e3 / points.len() as f64
        );
    }
    let ark = least(3, || {
        let _ = black_box(points[0] * scalars[0]);
    });
    println!("ark: {:.1} us a product", ark * 1e3);
}

#[test]
#[ignore = "measures; run by hand"]
fn additions() {
    fn of<G: MsmCurve>(name: &str) {
        let (points, scalars) = (points::<G>(1 << 14), random(1 << 14));
        let plan = TablePlan::within::<G::Point>(usize::MAX, points.len());
        for kernel in Kernel::all() {
            let bases = MsmBases::new(kernel, &points, plan);
            let ours = least(15, || {
                black_box(bases.msm(kernel, &scalars));
            });
            println!("{name} {} {ours:.2} ms", kernel.name());
        }
    }
    of::<G1Affine>("G1");
    of::<G2Affine>("G2");
}
