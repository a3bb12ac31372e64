//! One unit of proving work. Owns its witness; dropping it unstarted zeroises that.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::{JobError, Turn};
use crate::groth16::{Assignment, Cores, Groth16Proof, ProveError, Prover};

type Work = Box<dyn FnOnce(&Turn) -> Result<Groth16Proof, JobError> + Send>;

/// Which jobs go first. A lower one still gets its turn: [`MAX_PASSED`](super::MAX_PASSED).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Somebody waits for this one proof.
    Urgent,
    #[default]
    Normal,
    /// Work that may take all night.
    Background,
}

impl Priority {
    pub(super) const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Background];
}

/// A job for the pool: of [`Priority::Normal`] and without a deadline unless it says otherwise.
pub struct Job {
    work: Work,
    pub(super) priority: Priority,
    pub(super) deadline: Option<Instant>,
    /// The digest of the circuit whose tables it reads.
    pub(super) circuit: Option<[u8; 32]>,
}

impl Job {
    /// Proves `assignment` with a prover that all jobs of its circuit share, on all cores when the pool has nothing else
    /// to do. Cancelled or late, it stops at its next stage; see [`Prover::prove_while`].
    pub fn prove(prover: Arc<Prover>, assignment: Assignment) -> Self {
        let circuit = *prover.key().circuit();
        Self::with_turn(move |turn| {
            let cores = match turn.has_all_cores() {
                true => Cores::All,
                false => Cores::One,
            };
            prover.prove_while(assignment.as_slice(), cores, &|| turn.check())
        })
        .of_circuit(circuit)
    }

    /// Any work that yields a proof, such as making the witness first. It must stay on its thread, and what it
    /// captures must zeroise itself.
    pub fn from_fn(
        work: impl FnOnce() -> Result<Groth16Proof, ProveError> + Send + 'static,
    ) -> Self {
        Self::with_turn(move |_| Ok(work()?))
    }

    /// As [`Job::from_fn`], for work that stops when it is not wanted any more, and that may use all cores when the pool
    /// has nothing else to do.
    pub fn with_turn(
        work: impl FnOnce(&Turn) -> Result<Groth16Proof, JobError> + Send + 'static,
    ) -> Self {
        Self {
            work: Box::new(work),
            priority: Priority::default(),
            deadline: None,
            circuit: None,
        }
    }

    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// From then on the job is not started any more, and stopped at its next stage if it runs.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Names the circuit whose tables the job reads, so that it runs beside others that read them.
    #[must_use]
    pub fn of_circuit(mut self, digest: [u8; 32]) -> Self {
        self.circuit = Some(digest);
        self
    }

    pub(super) fn run(self, turn: &Turn) -> Result<Groth16Proof, JobError> {
        (self.work)(turn)
    }
}

/// How it is scheduled, not what it does: a job holds a witness.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("priority", &self.priority)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
