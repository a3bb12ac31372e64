//! What a follower does before it acknowledges, from ready batches of 64 short commands: the gate's first stage, decoding,
//! hashes, signatures and proofs, on one core and on every core.

#[path = "support/batches.rs"]
mod batches;

use batches::{COMMANDS, Cluster};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Batches sealed once and verified over and over.
const SEALED: u64 = 16;

fn follower(c: &mut Criterion) {
    let cluster = Cluster::prepare();
    let sealed = cluster.seal(1..SEALED + 1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut group = c.benchmark_group("follower");
    for batches in [1, 4, 16, 64] {
        let question: Vec<_> = sealed.iter().cloned().cycle().take(batches).collect();
        group.throughput(Throughput::Elements((batches * COMMANDS) as u64));
        group.bench_function(format!("{batches} batches, one core"), |b| {
            b.iter(|| cluster.verify(&question));
        });
        group.throughput(Throughput::Elements((cores * batches * COMMANDS) as u64));
        group.bench_function(format!("{batches} batches a core, {cores} cores"), |b| {
            b.iter(|| {
                std::thread::scope(|scope| {
                    for _ in 0..cores {
                        scope.spawn(|| cluster.verify(&question));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, follower);
criterion_main!(benches);
