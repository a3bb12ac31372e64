//! How far long work behind the proofs has come, and whether it is still wanted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The work was given up because its prover is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cancelled;

/// Shared by whoever works, whoever watches and whoever cancels.
#[derive(Default)]
pub(super) struct Work {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Work {
    pub(super) fn begin(&self, total: usize) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
    }

    /// Counts what was done; to be called every few milliseconds.
    pub(super) fn step(&self, done: usize) -> Result<(), Cancelled> {
        self.done.fetch_add(done as u64, Ordering::Relaxed);
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Cancelled),
            false => Ok(()),
        }
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// (done, total) of the stage under way.
    pub(super) fn progress(&self) -> (u64, u64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }
}
