//! Where a proof's time goes: `cargo test --release -p ukehi-provers prover::timings -- --ignored --nocapture`.
//!
//! Every round measures every subject, ark-groth16's prover among them, so that noise falls on all alike; figures are
//! medians of milliseconds that the thread was on a processor, so that other work on the machine counts only by the caches
//! it takes.

use super::*;
use crate::groth16::{insecure_dev_setup, reference};
use crate::kernel::Kernel;
use crate::testing::random_r1cs;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 7;

/// Times by name, in the order in which they first came.
#[derive(Default)]
struct Samples(Vec<(String, Vec<f64>)>);

impl Samples {
    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = on_processor();
        let result = black_box(work());
        let elapsed = on_processor() - start;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, times)) => times.push(elapsed),
            None => self.0.push((name.into(), vec![elapsed])),
        }
        result
    }

    fn print(mut self) {
        for (name, times) in &mut self.0 {
            times.sort_unstable_by(f64::total_cmp);
            let (median, least) = (times[times.len() / 2], times[0]);
            println!("  {name:<28} {median:>9.2} ms   least {least:>9.2}");
        }
    }
}

/// Milliseconds this thread has run.
fn on_processor() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

fn stages(samples: &mut Samples, name: &str, prover: &Prover, z: &[Fr]) {
    let inner = &prover.inner;
    let bases = inner.bases();
    samples.time(&format!("{name}: proof"), || {
        prover.prove(z, Cores::One).unwrap()
    });
    let mut a = vec![Fr::default(); inner.domain.size()];
    let mut b = a.clone();
    samples.time(&format!("{name}: A·z and B·z"), || {
        inner.rows.evaluate(z, &mut a, &mut b);
    });
    samples.time(&format!("{name}: two transforms"), || {
        inner.domain.to_odd_coset(&mut a);
    });
    let h = quotient(&inner.domain, &inner.rows, z, bases.folded);
    let scalars = [&z[bases.first..], &h].concat();
    let a = samples.time(&format!("{name}: A"), || bases.a(z));
    let b = samples.time(&format!("{name}: B"), || bases.b(z));
    let c = samples.time(&format!("{name}: C"), || bases.c(&scalars));
    let vk = &inner.key.points().vk;
    let unblinded = Unblinded {
        a: a + vk.alpha_g1,
        b: b + vk.beta_g2,
        c,
    };
    let proof = samples.time(&format!("{name}: blinding"), || {
        unblinded.blind(&vk.delta_g2).unwrap()
    });
    samples.time(&format!("{name}: self-check"), || {
        inner.check(z, proof).unwrap()
    });
}

fn measure(log2: u32) {
    // A full domain, thirteen terms in each of A and B: about as dense as inlined Poseidon.
    let (r1cs, z) = random_r1cs(1, (1 << log2) - 2, 1, 13);
    let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
    let (key, r1cs) = (Arc::new(key), Arc::new(r1cs));
    println!("2^{log2}");
    let directory = tempfile::tempdir().unwrap();
    let mut subjects = Vec::new();
    for kernel in Kernel::all() {
        for warm in [false, true] {
            let options = ProverOptions {
                after_proofs: u32::MAX,
                cache: Some(TableCache::new(directory.path())),
                ..ProverOptions::new(kernel)
            };
            let start = Instant::now();
            let prover = Prover::new(key.clone(), r1cs.clone(), options).unwrap();
            let made = start.elapsed();
            let name = match warm {
                true => format!("{} warm", kernel.name()),
                false => format!("{} cold", kernel.name()),
            };
            println!("  {name}: made in {made:?}");
            if warm {
                let start = Instant::now();
                let facts = prover.finish_tables();
                println!("  {name}: {facts:?} in {:?}", start.elapsed());
            }
            subjects.push((name, prover));
        }
    }
    let mut samples = Samples::default();
    for _ in 0..ROUNDS {
        samples.time("ark-groth16", || reference::prove(&key, &r1cs, &z).unwrap());
        for (name, prover) in &subjects {
            stages(&mut samples, name, prover, &z);
        }
    }
    samples.print();
}

#[test]
#[ignore = "measures; run by hand on a quiet machine"]
fn small_domains() {
    for log2 in [12, 13, 14] {
        measure(log2);
    }
}

#[test]
#[ignore = "measures; run by hand on a quiet machine"]
fn large_domains() {
    for log2 in [15, 16] {
        measure(log2);
    }
}
