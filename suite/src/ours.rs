//! Our prover as the worker process that the suite measures: the one place that knows how it is called.

use crate::protocol::InstanceFiles;
use crate::worker::{Proven, Warm};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use ukehi_provers::R1cs;
use ukehi_provers::groth16::{Assignment, Groth16Proof, ProvingKey, prove};
use ukehi_provers::iden3::{Zkey, read_r1cs, read_wtns};

/// What results call it, and what they call it with its portable kernels forced.
pub const SUBJECT: &str = "ukehi";
pub const PORTABLE: &str = "ukehi-portable";
pub const OURS: [&str; 2] = [SUBJECT, PORTABLE];

pub struct Ours {
    key: ProvingKey,
    r1cs: R1cs,
    assignment: Assignment,
}

impl Ours {
    /// Reads an instance whose key is known by its digest.
    pub fn load(files: &InstanceFiles) -> Result<Self, String> {
        let mut digest = [0; 32];
        hex::decode_to_slice(&files.zkey_digest, &mut digest).map_err(|e| e.to_string())?;
        let r1cs = read_r1cs(open(&files.r1cs)?).map_err(|e| e.to_string())?;
        let zkey = Zkey::read_known(open(&files.zkey)?, &digest).map_err(|e| e.to_string())?;
        let key = ProvingKey::from_zkey(zkey, &r1cs).map_err(|e| e.to_string())?;
        let assignment = read_wtns(open(&files.wtns)?).map_err(|e| e.to_string())?;
        Ok(Self { key, r1cs, assignment })
    }

    /// As [`Ours::load`], for a process that proves once.
    pub fn load_cold(files: &InstanceFiles) -> Result<Self, String> {
        Self::load(files)
    }

    /// One proof: blinding, self-verification and erasure included.
    pub fn proof(&self, _threads: usize) -> Result<Groth16Proof, String> {
        prove(&self.key, &self.r1cs, self.assignment.as_slice()).map_err(|e| e.to_string())
    }

    /// The statement, for `public.json`.
    #[must_use]
    pub fn inputs(&self) -> &[ukehi_provers::Fr] {
        &self.assignment.as_slice()[1..self.r1cs.instance_variables()]
    }
}

/// Which kernels run here.
#[must_use]
pub fn kernel_path() -> String {
    "arkworks".to_owned()
}

impl Warm for Ours {
    fn name(&self) -> String {
        format!("ukehi {} ({})", env!("CARGO_PKG_VERSION"), kernel_path())
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        let proof = self.proof(threads)?;
        Ok(Proven { proof: proof.to_bytes(), stages: Vec::new() })
    }

    fn threads_per_proof(&self) -> usize {
        1
    }
}

fn open(path: &Path) -> Result<BufReader<File>, String> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(BufReader::new(file))
}
