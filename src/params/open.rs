//! The circuit of `open/v1`, ready to prove one disclosure at a time.

use super::{CircuitError, load_keys};
use crate::batch::{CircuitKind, kind_of, open_name};
use std::path::Path;
use thiserror::Error;
use ukehi_circuits::matrices::AssignmentError;
use ukehi_circuits::open::{self, OpenStatement, OpenWitness};
use ukehi_circuits::shape::Class;
use ukehi_keys::{CircuitId, params as files};
use ukehi_provers::R1cs;
use ukehi_provers::groth16::reference::prove;
use ukehi_provers::groth16::{ProveError, ProvingKey};

/// A disclosure circuit with all that proving needs.
pub struct OpenCircuit {
    pub id: CircuitId,
    pub class: Class,
    r1cs: R1cs,
    key: ProvingKey,
}

/// Why there is no proof of a disclosure.
#[derive(Debug, Error)]
pub enum OpenProveError {
    #[error("the secret does not open the slot: {0}")]
    Witness(#[from] AssignmentError),
    #[error("the prover: {0}")]
    Prover(#[from] ProveError),
}

impl OpenCircuit {
    /// The proof, 128 bytes; it was verified before it comes back.
    ///
    /// # Errors
    /// [`OpenProveError`].
    pub fn prove(
        &self,
        statement: &OpenStatement,
        witness: &OpenWitness,
    ) -> Result<[u8; 128], OpenProveError> {
        let assignment = open::assignment(statement, witness)?;
        Ok(prove(&self.key, &self.r1cs, assignment.as_slice())?.to_bytes())
    }
}

/// Loads the disclosure circuit of a class from a parameters directory; of several, the one that is
/// `registered`.
///
/// # Errors
/// [`CircuitError`]; [`CircuitError::NoOpenCircuit`] if there is none.
pub fn load_open(
    directory: &Path,
    class: Class,
    registered: Option<&[CircuitId]>,
) -> Result<OpenCircuit, CircuitError> {
    let manifests = files::list(directory)?;
    let fits = |id: &CircuitId| registered.is_none_or(|ids| ids.contains(id));
    let manifest = manifests
        .iter()
        .filter(|m| matches!(kind_of(m), Ok(CircuitKind::Open(found)) if found == class))
        .find(|m| fits(&m.circuit_id()))
        .ok_or_else(|| CircuitError::NoOpenCircuit {
            shape: open_name(class).file_stem().unwrap_or_default(),
            directory: directory.display().to_string(),
        })?;
    let (r1cs, key) = load_keys(directory, manifest, open::circuit_matrices(class))?;
    Ok(OpenCircuit {
        id: manifest.circuit_id(),
        class,
        r1cs,
        key,
    })
}
