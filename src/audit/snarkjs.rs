//! One batch of a trail as the three files snarkjs verifies, and such files, whoever wrote them, verified here.
//!
//! Invariants: 1. what is written verified here first, under the key that the trust root, or a change in the trail, has
//! for the circuit; a circuit's id covers its key; 2. what is read passes this crate's own decoders. A proof shown so
//! says what its public input x is; what x stands for, that the log holds it, and that admins activated the circuit, is
//! `verify`'s to say.

use super::bundle::BundleReader;
use super::error::AuditError;
use super::verify::check_log;
use crate::batch::{Fault, NotYet, SealedBatch, form_of};
use crate::error::{ExitCode, Failure};
use crate::ids::LogIndex;
use crate::log::{EntryKind, Outcome};
use crate::registry::{Change, Operation};
use crate::trust::TrustRoot;
use std::io::Read;
use thiserror::Error;
use ukehi_circuits::shape::Form;
use ukehi_keys::{CircuitId, Manifest};
use ukehi_provers::groth16::{
    Groth16Proof, PreparedVerifyingKey, VerifyError, VerifyingKey, verify,
};
use ukehi_provers::iden3::json::{self, JsonError};

pub const VERIFICATION_KEY_FILE: &str = "verification_key.json";
pub const PROOF_FILE: &str = "proof.json";
pub const PUBLIC_FILE: &str = "public.json";

/// The contents of [`VERIFICATION_KEY_FILE`], [`PROOF_FILE`] and [`PUBLIC_FILE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    pub verification_key: Vec<u8>,
    pub proof: Vec<u8>,
    pub public: Vec<u8>,
}

/// Files that verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub public_inputs: usize,
    /// The circuit of the trust root whose verifying key this is.
    pub circuit: Option<CircuitId>,
}

/// Why three files are no proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilesError {
    #[error("{file}: {source}")]
    Unreadable {
        file: &'static str,
        source: JsonError,
    },
    #[error("the proof does not stand for the public inputs under this key: {0}")]
    Rejected(#[from] VerifyError),
}

impl From<FilesError> for Failure {
    fn from(error: FilesError) -> Self {
        let (code, next) = match &error {
            FilesError::Unreadable { .. } => (
                ExitCode::Tampered,
                "write the files again, with snarkjs 0.7.6 or `ukehi audit snarkjs`",
            ),
            FilesError::Rejected(_) => (
                ExitCode::ProofInvalid,
                "do not rely on this proof; ask for it again, from its maker",
            ),
        };
        Failure::new(code, error, next)
    }
}

/// The batch at `index` of a bundle.
///
/// # Errors
/// [`AuditError`]: no such entry, not a batch, or a batch whose proof this verifier refuses.
pub fn export<R: Read>(
    input: R,
    trust: &TrustRoot,
    index: LogIndex,
) -> Result<(CircuitId, Files), AuditError> {
    let (batch, activated) = batch_at(BundleReader::open(input)?, trust, index)?;
    files_of(&batch, trust, &activated, index)
}

/// The files of a batch that stands at `index`, after changes that carry the manifests `activated`.
///
/// # Errors
/// As [`export`].
pub fn files_of(
    batch: &SealedBatch,
    trust: &TrustRoot,
    activated: &[Manifest],
    index: LogIndex,
) -> Result<(CircuitId, Files), AuditError> {
    let circuit = batch.header.circuit;
    let fault = |fault| AuditError::Batch { index, fault };
    let mut known = trust.circuits.iter().chain(activated);
    let manifest = known.find(|m| m.circuit_id() == circuit);
    // A change before this range may have activated it: nobody is at fault.
    let manifest = manifest.ok_or(AuditError::NoVerdict {
        index,
        reason: NotYet::UnknownCircuit { circuit },
    })?;
    let (key, form) = usable(manifest)?;
    let statement = batch
        .statement(form)
        .map_err(|e| fault(Fault::Statement(e)))?;
    let inputs = [statement.x()];
    let refused = || fault(Fault::Proof { circuit });
    let proof = Groth16Proof::from_bytes(&batch.proof).map_err(|_| refused())?;
    verify(&PreparedVerifyingKey::new(&key), &inputs, &proof).map_err(|_| refused())?;
    let files = Files {
        verification_key: json::write_verifying_key(&key),
        proof: json::write_proof(&proof),
        public: json::write_public(&inputs),
    };
    Ok((circuit, files))
}

/// Verifies three files; looks for their key among the circuits of `trust`.
///
/// # Errors
/// [`FilesError`], naming the file.
pub fn check(files: &Files, trust: Option<&TrustRoot>) -> Result<Verified, FilesError> {
    let unreadable = |file| move |source| FilesError::Unreadable { file, source };
    let key = json::read_verifying_key(&files.verification_key)
        .map_err(unreadable(VERIFICATION_KEY_FILE))?;
    let proof = json::read_proof(&files.proof).map_err(unreadable(PROOF_FILE))?;
    let inputs = json::read_public(&files.public).map_err(unreadable(PUBLIC_FILE))?;
    verify(&PreparedVerifyingKey::new(&key), &inputs, &proof)?;
    let key = key.to_bytes();
    let circuits = trust.map_or(&[][..], |trust| &trust.circuits);
    let circuit = circuits.iter().find(|m| m.verifying_key() == key);
    Ok(Verified {
        public_inputs: inputs.len(),
        circuit: circuit.map(Manifest::circuit_id),
    })
}

/// The batch, and the manifests that changes before it carry.
fn batch_at<R: Read>(
    mut bundle: BundleReader<R>,
    trust: &TrustRoot,
    index: LogIndex,
) -> Result<(SealedBatch, Vec<Manifest>), AuditError> {
    check_log(bundle.start(), &trust.genesis)?;
    let (from, to) = (bundle.start().from, bundle.start().to);
    let before = bundle.start().registry.iter();
    let mut activated: Vec<Manifest> = before.filter_map(|c| activation(&c.change)).collect();
    while let Some(entry) = bundle.entry()? {
        let kind = entry.record.kind;
        if entry.record.index != index {
            let applied = kind == EntryKind::Registry && entry.record.outcome == Outcome::Applied;
            activated.extend(applied.then(|| activation(&entry.payload)).flatten());
            continue;
        }
        if kind != EntryKind::Batch {
            return Err(AuditError::NotABatch { index, kind });
        }
        let batch = SealedBatch::from_bytes(&entry.payload);
        let batch = batch.map_err(|e| AuditError::Batch {
            index,
            fault: Fault::Undecodable(e),
        })?;
        return Ok((batch, activated));
    }
    Err(AuditError::NoSuchEntry { index, from, to })
}

/// The manifest a change carries.
fn activation(change: &[u8]) -> Option<Manifest> {
    match Change::from_bytes(change).ok()?.content.operation {
        Operation::ActivateCircuit { manifest } => Manifest::from_json(&manifest).ok(),
        _ => None,
    }
}

fn usable(manifest: &Manifest) -> Result<(VerifyingKey, Form), AuditError> {
    let unusable = |reason: String| AuditError::UnusableTrust { reason };
    let form = form_of(manifest).map_err(|e| unusable(e.to_string()))?;
    let key = VerifyingKey::from_bytes(manifest.verifying_key());
    let circuit = manifest.circuit_id();
    let key = key.map_err(|source| {
        unusable(format!(
            "circuit {circuit}: its verifying key does not decode: {source}"
        ))
    })?;
    Ok((key, form))
}
