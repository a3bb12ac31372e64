//! The circuit of `open/v1`, ready to prove one disclosure at a time.

use super::{CircuitError, default_options, load_prover};
use crate::batch::{CircuitKind, kind_of, open_name};
use std::path::Path;
use thiserror::Error;
use ukehi_circuits::matrices::AssignmentError;
use ukehi_circuits::open::{self, OpenStatement, OpenWitness};
use ukehi_circuits::shape::Class;
use ukehi_keys::{CircuitId, params as files};
use ukehi_provers::groth16::{Cores, ProveError, Prover};

/// A disclosure circuit with all that proving needs.
pub struct OpenCircuit {
    pub id: CircuitId,
    pub class: Class,
    prover: Prover,
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
        Ok(self
            .prover
            .prove(assignment.as_slice(), Cores::All)?
            .to_bytes())
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
    // One proof, once in a while: it may have all cores.
    let prover = load_prover(
        directory,
        manifest,
        open::circuit_matrices(class),
        &default_options()?,
    )?;
    Ok(OpenCircuit {
        id: manifest.circuit_id(),
        class,
        prover,
    })
}
