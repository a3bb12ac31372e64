//! One unit of proving work. Owns its witness; dropping it unstarted zeroises that.

use std::fmt;
use std::sync::Arc;

use crate::R1cs;
use crate::groth16::reference::prove;
use crate::groth16::{Assignment, Groth16Proof, ProveError, ProvingKey};

type Work = Box<dyn FnOnce() -> Result<Groth16Proof, ProveError> + Send>;

/// A job for the pool.
pub struct Job(Work);

impl Job {
    /// Proves `assignment` under `key`; see [`prove`].
    pub fn prove(key: Arc<ProvingKey>, r1cs: Arc<R1cs>, assignment: Assignment) -> Self {
        Self::from_fn(move || prove(&key, &r1cs, assignment.as_slice()))
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
