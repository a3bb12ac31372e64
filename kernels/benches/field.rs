//! Multiplications in BN254's base field: arkworks' scalar code, and eight at a time where the CPU can.

use ark_bn254::Fq;
use ark_ff::UniformRand;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Independent multiplications a time, as an addition of points in affine form has them.
const COUNT: usize = 512;

fn multiplication(c: &mut Criterion) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut values = || -> Vec<Fq> { (0..COUNT).map(|_| Fq::rand(&mut rng)).collect() };
    let (mut a, b) = (values(), values());
    let mut group = c.benchmark_group("multiplication");
    group.throughput(Throughput::Elements(COUNT as u64));
    group.bench_function("arkworks", |bench| {
        bench.iter(|| {
            for (a, b) in a.iter_mut().zip(&b) {
                *a *= b;
            }
        });
    });
    #[cfg(target_arch = "x86_64")]
    if let Some(ifma) = ukehi_kernels::ifma::Ifma::detect() {
        let (mut a, b) = (vectors::of(ifma, &a), vectors::of(ifma, &b));
        group.bench_function("ifma", |bench| {
            bench.iter(|| vectors::multiply(ifma, &mut a, &b));
        });
    }
    group.finish();
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use ark_bn254::{Fq, FqConfig};
    use ukehi_kernels::ifma::Ifma;
    use ukehi_kernels::ifma::field::{Fp8, LANES};

    pub fn of(_: Ifma, elements: &[Fq]) -> Vec<Fp8<FqConfig>> {
        let (vectors, _) = elements.as_chunks::<LANES>();
        // SAFETY: an `Ifma` is only had on a CPU with the features.
        let read = |lanes| unsafe { Fp8::from_ark(lanes) };
        vectors.iter().map(read).collect()
    }

    pub fn multiply(_: Ifma, a: &mut [Fp8<FqConfig>], b: &[Fp8<FqConfig>]) {
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
        fn each(a: &mut [Fp8<FqConfig>], b: &[Fp8<FqConfig>]) {
            for (a, b) in a.iter_mut().zip(b) {
                *a = a.mul(*b);
            }
        }
        // SAFETY: an `Ifma` is only had on a CPU with the features.
        unsafe { each(a, b) }
    }
}

criterion_group!(benches, multiplication);
criterion_main!(benches);
