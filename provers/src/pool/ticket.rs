//! The submitter's end of a job.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Shared;
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
}

/// What cancelling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not started: it is gone, and its witness zeroised, when `cancel` returns.
    BeforeStart,
    /// It runs to its end, a proof cannot be interrupted; the result is discarded.
    WhileRunning,
    /// There was an outcome already; it is discarded.
    AfterEnd,
}

type Outcome = Result<Groth16Proof, JobError>;

/// Where a worker leaves the outcome.
#[derive(Default)]
pub(super) struct Slot {
    outcome: Mutex<Option<Outcome>>,
    finished: Condvar,
}

impl Slot {
    pub(super) fn finish(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.finished.notify_all();
    }

    fn is_finished(&self) -> bool {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.is_some()
    }

    fn wait(&self) -> Outcome {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        self.finished
            .wait_while(outcome, |outcome| outcome.is_none())
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .expect("waited until there was an outcome, and only the one ticket takes it")
    }
}

/// The right to one job's outcome. Dropping it cancels the job: nobody could receive the proof.
#[must_use = "dropping a ticket cancels its job"]
pub struct Ticket {
    id: u64,
    slot: Arc<Slot>,
    shared: Arc<Shared>,
}

impl Ticket {
    pub(super) fn new(id: u64, slot: Arc<Slot>, shared: Arc<Shared>) -> Self {
        Self { id, slot, shared }
    }

    /// Blocks until the job has an outcome. Not for use on the pool's own threads.
    pub fn wait(self) -> Result<Groth16Proof, JobError> {
        self.slot.wait()
    }

    /// Whether `wait` would return at once.
    pub fn is_finished(&self) -> bool {
        self.slot.is_finished()
    }

    /// Gives up the outcome. A job that has not started is dropped before this returns; a running one finishes and
    /// its result is discarded.
    pub fn cancel(self) -> Cancelled {
        self.withdraw()
    }

    fn withdraw(&self) -> Cancelled {
        if self.shared.withdraw(self.id).is_some() {
            Cancelled::BeforeStart
        } else if self.is_finished() {
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
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}
