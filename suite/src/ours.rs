//! Our prover as the worker process that the suite measures: the one place that knows how it is called.

use crate::instance::files::{Loaded, load};
use crate::protocol::InstanceFiles;
use crate::worker::{Proven, Warm};
use std::sync::Arc;
use std::time::Instant;
use ukehi_provers::groth16::{Assignment, Cores, ProofStage, Prover, ProverOptions, TableCache};
use ukehi_provers::kernel::Kernel;

/// What results call it, and what they call it with its portable kernels forced.
pub const SUBJECT: &str = "ukehi";
pub const PORTABLE: &str = "ukehi-portable";
pub const OURS: [&str; 2] = [SUBJECT, PORTABLE];

pub struct Ours {
    prover: Prover,
    kernel: Kernel,
    assignment: Assignment,
}

impl Ours {
    /// With its tables: what a server has before its third proof. What is derived from the key is kept beside it.
    pub fn load(files: &InstanceFiles) -> Result<Self, String> {
        let Loaded {
            zkey,
            r1cs,
            assignment,
        } = load(files)?;
        let kernel = Kernel::detect().map_err(|e| e.to_string())?;
        let options = ProverOptions {
            cache: files
                .zkey
                .parent()
                .map(|d| TableCache::new(d.join("tables"))),
            ..ProverOptions::new(kernel)
        };
        let prover = Prover::from_zkey_and_r1cs(zkey, Arc::new(r1cs), options);
        let prover = prover.map_err(|e| e.to_string())?;
        prover.finish_tables();
        Ok(Self {
            prover,
            kernel,
            assignment,
        })
    }
}

/// Which kernels run here unless told otherwise.
#[must_use]
pub fn kernel_path() -> String {
    Kernel::detect().map_or_else(|e| e.to_string(), |kernel| kernel.name().to_owned())
}

/// Blinding, self-verification and erasure included.
impl Warm for Ours {
    fn name(&self) -> String {
        format!(
            "ukehi {} ({})",
            env!("CARGO_PKG_VERSION"),
            self.kernel.name()
        )
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        let assignment = self.assignment.as_slice();
        let mut stages = Vec::new();
        let proof = if threads > 1 {
            self.prover.prove(assignment, Cores::All)
        } else {
            let mut before = Instant::now();
            self.prover
                .prove_in_stages(assignment, &mut |stage: ProofStage| {
                    let now = Instant::now();
                    stages.push((stage.name().to_owned(), (now - before).as_secs_f64() * 1e3));
                    before = now;
                })
        };
        let proof = proof.map_err(|e| e.to_string())?;
        Ok(Proven {
            proof: proof.to_bytes(),
            stages,
        })
    }
}
