//! What a follower does before it acknowledges: proofs, alone and in batches, and hashing.

mod support;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use support::Fixture;
use ukehi_circuits::{F, poseidon};
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::{PreparedVerifyingKey, verify};

fn proofs(c: &mut Criterion) {
    let fixture = Fixture::prepare();
    let circuit = &fixture.circuits[0];
    let key = PreparedVerifyingKey::new(circuit.key().verifying_key());
    let (x, proof) = fixture.proof(circuit);
    let inputs = [x];
    c.bench_function("verify/one proof", |b| {
        b.iter(|| verify(&key, &inputs, &proof).expect("a good proof"));
    });
    for size in [8, 64, 256] {
        let item = BatchItem {
            key: 0,
            inputs: &inputs,
            proof: &proof,
        };
        let items = vec![item; size];
        let mut group = c.benchmark_group("verify");
        group.throughput(criterion::Throughput::Elements(size as u64));
        group.sample_size(10);
        group.bench_function(format!("batch of {size}"), |b| {
            b.iter(|| verify_batch(&[&key], &items).expect("randomness"));
        });
        group.finish();
    }
}

fn hashing(c: &mut Criterion) {
    for width in [4, 8, 9, 12, 17] {
        c.bench_function(&format!("poseidon/t={width}"), |b| {
            b.iter_batched_ref(
                || vec![F::from(3u64); width],
                |state| poseidon::permute(state),
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, proofs, hashing);
criterion_main!(benches);
