//! Sealing batches of 64 short commands end to end, from plaintext to signed bytes, through the prover pool.

#[path = "support/batches.rs"]
mod batches;

use batches::{COMMANDS, Cluster};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::{Duration, Instant};

fn seal(c: &mut Criterion) {
    let cluster = Cluster::prepare();
    let mut group = c.benchmark_group("seal");
    group.sample_size(10).warm_up_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(COMMANDS as u64));
    let mut next = 1;
    // One stream of batches, so that the pool is as busy as with a long file.
    group.bench_function("64 short commands, all cores", |b| {
        b.iter_custom(|batches| {
            let start = Instant::now();
            let sealed = cluster.seal(next..next + batches);
            next += batches;
            let elapsed = start.elapsed();
            cluster.verify(&sealed);
            elapsed
        });
    });
    group.finish();
}

criterion_group!(benches, seal);
criterion_main!(benches);
