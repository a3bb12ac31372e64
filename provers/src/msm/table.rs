//! Building the tables: each base's multiples by 2^(c·s·t), next to each other, by batches of affine doublings.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::accumulate::workspace;
use super::pages;
use super::plan::TablePlan;
use crate::kernel::Kernel;
use crate::kernel::adder::Run;
use crate::kernel::point::TablePoint;

/// The tables of `bases`, none of them the identity: row i has the multiples of base i. On `threads` threads; `progress`
/// is told how many bases are done.
pub(super) fn build<P: TablePoint>(
    kernel: Kernel,
    bases: &[P],
    plan: &TablePlan,
    threads: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<P> {
    if plan.tables() == 1 {
        return bases.to_vec();
    }
    let mut table = pages::filled(P::IDENTITY, bases.len() * plan.tables());
    let piece = workspace::<P>();
    let work = bases
        .chunks(piece)
        .zip(table.chunks_mut(piece * plan.tables()));
    let (work, done) = (Mutex::new(work), AtomicUsize::new(0));
    let next = || work.lock().expect("a builder panicked").next();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, bases.len().div_ceil(piece).max(1)) {
            scope.spawn(|| {
                while let Some((bases, rows)) = next() {
                    build_piece(kernel, bases, plan, rows);
                    progress(done.fetch_add(bases.len(), Ordering::Relaxed) + bases.len());
                }
            });
        }
    });
    table
}

fn build_piece<P: TablePoint>(kernel: Kernel, bases: &[P], plan: &TablePlan, rows: &mut [P]) {
    let mut adder = P::adder(kernel, workspace::<P>());
    let lanes = adder.lanes();
    let slots = bases.len().div_ceil(lanes);
    // Lane l of slot j has base j·lanes + l; lanes left over double the last base once more.
    let entries: Vec<u32> = (0..slots * lanes)
        .map(|i| i.min(bases.len() - 1) as u32)
        .collect();
    let runs = |slot: usize, table: usize| -> Vec<Run> {
        (slot * lanes..(slot + 1) * lanes)
            .map(|i| Run {
                first: i as u32,
                len: 1,
                to: (i * plan.tables() + table) as u32,
            })
            .collect()
    };
    for slot in 0..slots {
        adder.load(slot, bases, &entries, &runs(slot, 0));
    }
    for table in 0..plan.tables() {
        if table > 0 {
            for _ in 0..plan.window() * plan.sets() {
                adder.double(0..slots);
            }
        }
        for slot in 0..slots {
            let kept = lanes.min(bases.len() - slot * lanes);
            adder.store(slot, &runs(slot, table)[..kept], rows);
        }
    }
}
