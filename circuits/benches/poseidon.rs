//! Native Poseidon permutations, one at a time and many.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use ukehi_circuits::F;
use ukehi_circuits::poseidon::{self, Domain};

const MANY: usize = 128;

fn permutations(c: &mut Criterion) {
    let mut group = c.benchmark_group("poseidon");
    for width in [3, 9, 17] {
        let mut state = vec![F::from(3u64); width];
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("t={width}"), |b| {
            b.iter(|| poseidon::permute(black_box(&mut state)));
        });
        let inputs = vec![F::from(3u64); (width - 1) * MANY];
        group.throughput(Throughput::Elements(MANY as u64));
        group.bench_function(format!("t={width}, many"), |b| {
            b.iter(|| poseidon::hash_each(Domain::Leaf, width - 1, black_box(&inputs)));
        });
    }
    group.finish();
}

criterion_group!(benches, permutations);
criterion_main!(benches);
