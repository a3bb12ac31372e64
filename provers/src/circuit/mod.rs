//! Any circuit with its key, ready to prove: a `.zkey` alone, a `.zkey` with its `.r1cs`, matrices with a key, or an
//! arkworks circuit.
//!
//! Invariants: 1. a proof leaves only after it verified under its own key; 2. a key and an r1cs prove together only
//! if the key's A and B are the r1cs's. Knows nothing of who made a key: whoever made one alone can forge proofs
//! under it.
//!
//! From files of circom and snarkjs:
//! ```no_run
//! use std::fs::File;
//! use ukehi_provers::circuit::CircuitProver;
//! use ukehi_provers::iden3::{Zkey, json, read_r1cs, read_wtns};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let zkey = Zkey::read(File::open("circuit.zkey")?)?;
//! // With the r1cs a witness that does not satisfy it is named by its row; CircuitProver::from_zkey does without.
//! let prover = CircuitProver::from_zkey_and_r1cs(zkey, read_r1cs(File::open("circuit.r1cs")?)?)?;
//! let assignment = read_wtns(File::open("witness.wtns")?)?;
//! let proof = prover.prove(&assignment)?;
//! std::fs::write("proof.json", json::write_proof(&proof))?;
//! std::fs::write("public.json", json::write_public(prover.statement(&assignment)?))?;
//! # Ok(()) }
//! ```
//!
//! A circuit written for arkworks:
//! ```
//! use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError};
//! use ukehi_provers::Fr;
//! use ukehi_provers::circuit::{CircuitProver, arkworks};
//! use ukehi_provers::groth16::{insecure_dev_setup, verify};
//!
//! /// The public square of a secret number.
//! struct Square(Option<Fr>);
//!
//! impl ConstraintSynthesizer<Fr> for Square {
//!     fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
//!         let root = || self.0.ok_or(SynthesisError::AssignmentMissing);
//!         let square = cs.new_input_variable(|| Ok(root()? * root()?))?;
//!         let root = cs.new_witness_variable(root)?;
//!         let of = LinearCombination::from;
//!         cs.enforce_r1cs_constraint(|| of(root), || of(root), || of(square))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let r1cs = arkworks::r1cs(Square(None))?;
//! // For more than a trial take the key of a ceremony, as a .zkey.
//! let (key, _) = insecure_dev_setup(&r1cs, |_| {})?;
//! let prover = CircuitProver::new(key, r1cs)?;
//! // Once per proof; the matrices are not built again.
//! let assignment = arkworks::assignment(Square(Some(Fr::from(9u64))))?;
//! let proof = prover.prove(&assignment)?;
//! assert_eq!(prover.statement(&assignment)?, [Fr::from(81u64)]);
//! verify(prover.key().prepared_verifying_key(), prover.statement(&assignment)?, &proof)?;
//! # Ok(()) }
//! ```

mod agree;
pub mod arkworks;
mod without_c;

use std::fmt;
use std::sync::Arc;

use ark_bn254::Fr;

use crate::groth16::{Assignment, Groth16Proof, KeyError, ProveError, ProvingKey, prove};
use crate::iden3::{FileError, Rows, Zkey};
use crate::{MatrixName, R1cs};

/// Why a key and a circuit do not make a prover.
#[derive(Debug, thiserror::Error)]
pub enum CircuitError {
    #[error("the .zkey: {0}")]
    Zkey(#[from] FileError),
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    #[error(
        "the key is of another circuit than the matrices: matrix {matrix:?} differs in row {row}"
    )]
    OtherCircuit { matrix: MatrixName, row: usize },
    /// Same shape, other digest: for keys that name their circuit.
    #[error("the key was made for another circuit")]
    KeyOfAnotherCircuit,
}

/// A key with what its prover knows of the circuit; large, read-only, shared by all proofs.
pub struct CircuitProver {
    key: Arc<ProvingKey>,
    rows: Known,
}

enum Known {
    Circuit(Arc<R1cs>),
    /// All a .zkey holds, row by row of the domain.
    AAndB([Rows; 2]),
}

impl CircuitProver {
    /// A key of this crate with the matrices it was made for.
    ///
    /// # Errors
    /// [`CircuitError::KeyOfAnotherCircuit`].
    pub fn new(
        key: impl Into<Arc<ProvingKey>>,
        r1cs: impl Into<Arc<R1cs>>,
    ) -> Result<Self, CircuitError> {
        let (key, r1cs) = (key.into(), r1cs.into());
        if !key.belongs_to(&r1cs) {
            return Err(CircuitError::KeyOfAnotherCircuit);
        }
        let rows = Known::Circuit(r1cs);
        Ok(Self { key, rows })
    }

    /// A key alone, as rapidsnark and snarkjs take it. There is no C to check a witness by, so a bad witness and a
    /// wrong key are one error: [`ProveError::ProofRejected`].
    ///
    /// # Errors
    /// [`CircuitError::Zkey`] for bad coefficients, [`CircuitError::Key`] for a key under which anyone could forge.
    pub fn from_zkey(zkey: Zkey) -> Result<Self, CircuitError> {
        let rows = Known::AAndB(zkey.matrices()?);
        let key = ProvingKey::from_zkey_alone(zkey)?.into();
        Ok(Self { key, rows })
    }

    /// A key with the circuit it is said to be of. A and B are compared; C a key does not hold, and that it was made
    /// honestly, from this C, only its ceremony's verification shows ([`crate::ceremony::verify_zkey`]).
    ///
    /// # Errors
    /// [`CircuitError`].
    pub fn from_zkey_and_r1cs(zkey: Zkey, r1cs: R1cs) -> Result<Self, CircuitError> {
        agree::check(&zkey, &r1cs)?;
        let key = ProvingKey::from_zkey(zkey, &r1cs)?.into();
        let rows = Known::Circuit(r1cs.into());
        Ok(Self { key, rows })
    }

    pub fn key(&self) -> &ProvingKey {
        &self.key
    }

    /// Variables of an assignment, the constant one among them.
    pub fn variables(&self) -> usize {
        self.key.points().a_query.len()
    }

    /// The public inputs of an assignment, in the order of the statement.
    ///
    /// # Errors
    /// [`ProveError::AssignmentLength`].
    pub fn statement<'a>(&self, assignment: &'a Assignment) -> Result<&'a [Fr], ProveError> {
        let values = assignment.as_slice();
        if values.len() != self.variables() {
            return Err(ProveError::AssignmentLength {
                expected: self.variables(),
                actual: values.len(),
            });
        }
        Ok(&values[1..=self.key.verifying_key().public_inputs()])
    }

    /// One proof, verified.
    ///
    /// # Errors
    /// [`ProveError`]; only a prover with the matrices names the row that `assignment` breaks.
    pub fn prove(&self, assignment: &Assignment) -> Result<Groth16Proof, ProveError> {
        match &self.rows {
            Known::Circuit(r1cs) => prove(&self.key, r1cs, assignment.as_slice()),
            Known::AAndB(rows) => {
                let statement = self.statement(assignment)?;
                without_c::prove(&self.key, rows, statement, assignment.as_slice())
            }
        }
    }
}

impl fmt::Debug for CircuitProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitProver")
            .field("key", &self.key)
            .field("has_c", &matches!(self.rows, Known::Circuit(_)))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
