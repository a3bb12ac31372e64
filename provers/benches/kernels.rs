//! The prover's two kernels on one thread, portable and vector: sums over fixed bases, and transforms.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::UniformRand;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ukehi_provers::kernel::Kernel;
use ukehi_provers::msm::{MsmBases, MsmCurve, TablePlan};
use ukehi_provers::ntt::Domain;

const BASES: usize = 1 << 12;
const DOMAIN: usize = 1 << 14;
/// Bytes of tables: enough for all multiples of so few bases.
const TABLES: usize = 64 << 20;

fn sums(c: &mut Criterion) {
    of_group::<G1Affine>(c, "G1");
    of_group::<G2Affine>(c, "G2");
}

fn of_group<G: MsmCurve>(c: &mut Criterion, name: &str) {
    let mut rng = StdRng::seed_from_u64(2);
    let scalars: Vec<Fr> = (0..BASES).map(|_| Fr::rand(&mut rng)).collect();
    let points: Vec<G> = scalars
        .iter()
        .map(|s| (G::generator() * *s).into_affine())
        .collect();
    let mut group = c.benchmark_group(format!("sum in {name}"));
    group.sample_size(20);
    group.throughput(Throughput::Elements(BASES as u64));
    for kernel in Kernel::all() {
        for (tables, plan) in [
            ("no tables", TablePlan::plain(BASES)),
            ("tables", TablePlan::within::<G::Point>(TABLES, BASES)),
        ] {
            let bases = MsmBases::new(kernel, &points, plan);
            group.bench_function(format!("{}, {tables}", kernel.name()), |b| {
                b.iter(|| bases.msm(kernel, &scalars));
            });
        }
    }
    group.finish();
}

fn transforms(c: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(3);
    let mut values: Vec<Fr> = (0..DOMAIN).map(|_| Fr::rand(&mut rng)).collect();
    let mut group = c.benchmark_group("to the odd coset");
    group.sample_size(20);
    group.throughput(Throughput::Elements(DOMAIN as u64));
    for kernel in Kernel::all() {
        let domain = Domain::new(kernel, DOMAIN);
        group.bench_function(kernel.name(), |b| {
            b.iter(|| domain.to_odd_coset(&mut values));
        });
    }
    group.finish();
}

criterion_group!(benches, sums, transforms);
criterion_main!(benches);
