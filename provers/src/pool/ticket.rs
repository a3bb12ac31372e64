//! The submitter's end of a job.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Shared;
use super::turn::Wanted;
use crate::groth16::{Groth16Proof, ProveError};

/// Why a job yielded no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// A defect in the job; the panic's message went to the panic hook. The pool goes on.
    #[error("the proving job panicked")]
    Panicked,
    #[error("the prover pool was closed before the job started")]
    PoolClosed,
    #[error("the proving job's deadline passed before it was done")]
    DeadlinePassed,
    /// Only a job sees this, from [`Turn::check`](super::Turn::check): whoever cancelled has given up the outcome.
    #[error("the proving job was cancelled")]
    Cancelled,
}

/// What cancelling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not started: it is gone, and its witness zeroised, when `cancel` returns.
    BeforeStart,
    /// It stops at its next stage, or runs to its end if it has no more; the result is discarded.
    WhileRunning,
    /// There was an outcome already; it is discarded.
    AfterEnd,
}

pub(super) type Outcome = Result<Groth16Proof, JobError>;

/// Where a worker leaves the outcome.
#[derive(Default)]
pub(super) struct Slot {
    outcome: Mutex<Option<Outcome>>,
    finished: Condvar,
}

impl Slot {
    pub(super) fn finish(&self, outcome: Outcome) {
        *self.lock() = Some(outcome);
        self.finished.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_finished(&self) -> bool {
        self.lock().is_some()
    }

    fn wait(&self) -> Outcome {
        self.finished
            .wait_while(self.lock(), |outcome| outcome.is_none())
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .expect("waited until there was an outcome, and only the one ticket takes it")
    }

    /// Waits until there is an outcome, at most until then.
    fn wait_until(&self, deadline: Instant) {
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self
            .finished
            .wait_timeout_while(self.lock(), left, |outcome| outcome.is_none());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The right to one job's outcome. Dropping it cancels the job: nobody could receive the proof.
#[must_use = "dropping a ticket cancels its job"]
pub struct Ticket {
    pub(super) id: u64,
    pub(super) slot: Arc<Slot>,
    pub(super) wanted: Arc<Wanted>,
    pub(super) shared: Arc<Shared>,
}

impl Ticket {
    /// Blocks until the job has an outcome: past the deadline only if the job runs. Not for use on the pool's own
    /// threads.
    pub fn wait(self) -> Result<Groth16Proof, JobError> {
        if let Some(deadline) = self.wanted.deadline() {
            self.slot.wait_until(deadline);
            self.shared.expire();
        }
        self.slot.wait()
    }

    /// Whether `wait` would return at once.
    pub fn is_finished(&self) -> bool {
        if self.wanted.is_late(Instant::now()) {
            self.shared.expire();
        }
        self.slot.is_finished()
    }

    /// Gives up the outcome. A job that has not started is dropped before this returns; a running one stops at its next
    /// stage.
    pub fn cancel(self) -> Cancelled {
        self.withdraw()
    }

    fn withdraw(&self) -> Cancelled {
        self.wanted.cancel();
        if self.shared.withdraw(self.id) {
            Cancelled::BeforeStart
        } else if self.slot.is_finished() {
            Cancelled::AfterEnd
        } else {
            Cancelled::WhileRunning
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("id", &self.id)
            .field("finished", &self.slot.is_finished())
            .finish_non_exhaustive()
    }
}
