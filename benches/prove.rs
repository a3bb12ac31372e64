//! Sealing and proving on one core, for each shape: what an author waits for.

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use support::Fixture;

fn prove(c: &mut Criterion) {
    let fixture = Fixture::prepare();
    let mut group = c.benchmark_group("prove");
    group.sample_size(10);
    for circuit in &fixture.circuits {
        let commands = circuit.shape.slots();
        group.throughput(criterion::Throughput::Elements(commands as u64));
        group.bench_function(format!("seal and prove, N={commands}"), |b| {
            b.iter(|| fixture.proof(circuit));
        });
        group.bench_function(format!("seal, witness only, N={commands}"), |b| {
            b.iter(|| fixture.assignment(circuit));
        });
    }
    group.finish();
}

criterion_group!(benches, prove);
criterion_main!(benches);
