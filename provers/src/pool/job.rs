//! One unit of proving work. Owns its witness; dropping it unstarted zeroises that.

use std::fmt;
use std::sync::Arc;

use crate::groth16::{Assignment, Cores, Groth16Proof, ProveError, Prover};

type Work = Box<dyn FnOnce() -> Result<Groth16Proof, ProveError> + Send>;

/// A job for the pool.
pub struct Job(Work);

impl Job {
    /// Proves `assignment` on the one thread it is given; see [`Prover::prove`].
    pub fn prove(prover: Arc<Prover>, assignment: Assignment) -> Self {
        Self::from_fn(move || prover.prove(assignment.as_slice(), Cores::One))
    }

    /// Any work that yields a proof, such as making the witness first. It must stay on its thread, and what it
    /// captures must zeroise itself.
    pub fn from_fn(
        work: impl FnOnce() -> Result<Groth16Proof, ProveError> + Send + 'static,
    ) -> Self {
        Self(Box::new(work))
    }

    pub(super) fn run(self) -> Result<Groth16Proof, ProveError> {
        (self.0)()
    }
}

/// Names the type only: a job holds a witness.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}
