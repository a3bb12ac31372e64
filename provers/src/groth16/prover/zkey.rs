//! Provers of circuits that are known by a `.zkey`, with or without their `.r1cs`.

use std::sync::Arc;

use super::rows::Rows;
use super::{Prover, ProverOptions, agree};
use crate::groth16::{KeyError, ProvingKey};
use crate::iden3::{FileError, Zkey};
use crate::{MatrixName, R1cs};

/// Why a `.zkey` does not make a prover.
#[derive(Debug, thiserror::Error)]
pub enum ZkeyProverError {
    #[error("the .zkey: {0}")]
    File(#[from] FileError),
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    #[error("the key is of another circuit: its matrix {matrix:?} differs in row {row}")]
    OtherCircuit { matrix: MatrixName, row: usize },
}

impl Prover {
    /// A key alone, as rapidsnark and snarkjs take it. There is no C to check a witness by, so a bad witness and a
    /// wrong key are one error, [`ProveError::ProofRejected`](crate::groth16::ProveError::ProofRejected). Whoever
    /// made the key alone can forge proofs under it; nothing here tells.
    ///
    /// ```no_run
    /// use std::fs::{self, File};
    /// use ukehi_provers::groth16::{Cores, Prover, ProverOptions};
    /// use ukehi_provers::kernel::Kernel;
    /// use ukehi_provers::iden3::{Zkey, json, read_wtns};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let zkey = Zkey::read(File::open("circuit.zkey")?)?;
    /// let prover = Prover::from_zkey(zkey, ProverOptions::new(Kernel::detect()?))?;
    /// let assignment = read_wtns(File::open("witness.wtns")?)?;
    /// let proof = prover.prove(assignment.as_slice(), Cores::All)?;
    /// let statement = prover.statement(assignment.as_slice())?;
    /// fs::write("proof.json", json::write_proof(&proof))?;
    /// fs::write("public.json", json::write_public(statement))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ZkeyProverError::File`] for bad coefficients, [`ZkeyProverError::Key`] for a key under which anyone could forge.
    pub fn from_zkey(zkey: Zkey, options: ProverOptions) -> Result<Self, ZkeyProverError> {
        let [a, b] = zkey.matrices()?;
        // The instance rows are among A's; rows that are empty to the end need not be kept.
        let used = |m: &[Vec<_>]| {
            m.iter()
                .rposition(|row| !row.is_empty())
                .map_or(0, |i| i + 1)
        };
        let variables = zkey.header.variables as usize;
        let (a, b) = (&a[..used(&a)], &b[..used(&b)]);
        let rows = Rows::from_rows(options.kernel, a.iter(), b.iter(), variables);
        let key = ProvingKey::from_zkey_alone(zkey)?;
        Ok(Self::with(Arc::new(key), None, rows, options))
    }

    /// A key with the circuit it is said to be of. A and B are compared; C a key does not hold, and that it was made
    /// honestly, from this C, only its ceremony's verification shows ([`crate::ceremony::verify_zkey`]).
    ///
    /// # Errors
    /// [`ZkeyProverError`].
    pub fn from_zkey_and_r1cs(
        zkey: Zkey,
        r1cs: Arc<R1cs>,
        options: ProverOptions,
    ) -> Result<Self, ZkeyProverError> {
        agree::check(&zkey, &r1cs)?;
        let key = ProvingKey::from_zkey(zkey, &r1cs)?;
        let rows = Rows::of(options.kernel, &r1cs);
        Ok(Self::with(Arc::new(key), Some(r1cs), rows, options))
    }
}

#[cfg(test)]
#[path = "zkey_tests.rs"]
mod tests;
