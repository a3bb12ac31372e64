//! What a running job may know of its pool: whether to go on, and how many cores it may use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::JobError;

/// Whether a job is still wanted. Shared by its ticket, its worker and the job itself.
pub(super) struct Wanted {
    cancelled: AtomicBool,
    deadline: Option<Instant>,
}

impl Wanted {
    pub(super) fn until(deadline: Option<Instant>) -> Arc<Self> {
        Arc::new(Self {
            cancelled: AtomicBool::new(false),
            deadline,
        })
    }

    pub(super) fn cancel(&self) {
        // Nothing is published with the flag, so no ordering is needed.
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn check(&self) -> Result<(), JobError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(JobError::Cancelled);
        }
        match self.is_late(Instant::now()) {
            true => Err(JobError::DeadlinePassed),
            false => Ok(()),
        }
    }
}

/// A job's turn on a thread of the pool.
pub struct Turn {
    pub(super) wanted: Arc<Wanted>,
    pub(super) all_cores: bool,
}

impl Turn {
    /// To be asked between the stages of long work: stopping is cooperative.
    ///
    /// # Errors
    /// [`JobError::Cancelled`] once the ticket was cancelled or dropped, [`JobError::DeadlinePassed`].
    pub fn check(&self) -> Result<(), JobError> {
        self.wanted.check()
    }

    /// Whether no other job ran or waited when this one started, so that spreading it over all cores costs nobody. With
    /// others about, one proof per core gives more proofs a second.
    pub fn has_all_cores(&self) -> bool {
        self.all_cores
    }
}
