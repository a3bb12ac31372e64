//! Why a disclosure shows nothing, which exit code that is, and what to do next.

use crate::error::{ExitCode, Failure};
use crate::ids::{ClusterId, EpochId, KeyspaceId, LogIndex};
use crate::log::{Outcome, ReceiptError};
use thiserror::Error;
use ukehi_keys::{AuthorId, CircuitId};

/// The first thing in a disclosure that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DisclosureError {
    #[error("the disclosure does not decode: {reason}")]
    Undecodable { reason: String },
    #[error("the disclosure is of cluster {found}, the trust root is that of {expected}")]
    OtherCluster {
        expected: ClusterId,
        found: ClusterId,
    },
    #[error(
        "the trust root names circuits from an INSECURE set-up: expected none, found {}",
        circuits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    InsecureSetup { circuits: Vec<CircuitId> },
    /// Header, record, inclusion proof or checkpoint.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("entry {index} was logged, but not applied: {outcome}")]
    NotApplied { index: LogIndex, outcome: Outcome },
    #[error("keyspace {keyspace} is not one of the trust root's")]
    UnknownKeyspace { keyspace: KeyspaceId },
    #[error("author {author} is not one of the trust root's keyspace")]
    UnknownAuthor { author: AuthorId },
    #[error("epoch {epoch} of the trust root has another key, route commitment or policy")]
    OtherEpoch { epoch: EpochId },
    #[error("circuit {circuit} is none of the trust root's for {statement}")]
    UnknownCircuit {
        circuit: CircuitId,
        statement: &'static str,
    },
    /// The slots shown, their path, E or the public words are not those of the logged batch.
    #[error("entry {index}: {what} should be {expected}, it is {found}")]
    Mismatch {
        index: LogIndex,
        what: &'static str,
        expected: String,
        found: String,
    },
    #[error("entry {index}: the author's signature does not verify")]
    Signature { index: LogIndex },
    #[error("entry {index}: the batch's proof does not verify under circuit {circuit}")]
    SealProof { index: LogIndex, circuit: CircuitId },
    /// The elements in clear say something else than the key or the value beside them.
    #[error("the plaintext encodes another {what} than the one shown")]
    Shown { what: &'static str },
    #[error(
        "the proof that slot {slot} decrypts to this plaintext, for this audience, does not verify under circuit {circuit}"
    )]
    OpenProof { slot: u8, circuit: CircuitId },
    #[error("it was made for {}, not for {expected:?}", for_whom(found))]
    OtherAudience { expected: String, found: String },
}

/// An audience in words.
pub(super) fn for_whom(audience: &str) -> String {
    if audience.is_empty() {
        "anyone".to_owned()
    } else {
        format!("{audience:?}")
    }
}

impl DisclosureError {
    /// The process exit code of `ukehi audit check-disclosure`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            DisclosureError::Undecodable { .. }
            | DisclosureError::Mismatch { .. }
            | DisclosureError::Signature { .. }
            | DisclosureError::Shown { .. } => ExitCode::Tampered,
            DisclosureError::SealProof { .. } | DisclosureError::OpenProof { .. } => {
                ExitCode::ProofInvalid
            }
            DisclosureError::Receipt(error) => match error {
                ReceiptError::Incomplete { .. } => ExitCode::Incomplete,
                ReceiptError::Untrusted { .. } => ExitCode::Untrusted,
                _ => ExitCode::Tampered,
            },
            DisclosureError::NotApplied { .. } => ExitCode::Refused,
            DisclosureError::OtherCluster { .. }
            | DisclosureError::InsecureSetup { .. }
            | DisclosureError::UnknownKeyspace { .. }
            | DisclosureError::UnknownAuthor { .. }
            | DisclosureError::OtherEpoch { .. }
            | DisclosureError::UnknownCircuit { .. }
            | DisclosureError::OtherAudience { .. } => ExitCode::Untrusted,
        }
    }

    /// What whoever checked it can do about it.
    #[must_use]
    pub fn next(&self) -> &'static str {
        match self {
            DisclosureError::InsecureSetup { .. } => {
                "rely on circuits that come from a ceremony; for a dev cluster, whose proofs its \
                 set-up could forge, pass --allow-insecure-setup"
            }
            DisclosureError::OtherCluster { .. } => {
                "use the trust root of the cluster that the disclosure comes from"
            }
            DisclosureError::Receipt(ReceiptError::Incomplete { .. }) => {
                "ask for a disclosure under a checkpoint that a majority has cosigned"
            }
            DisclosureError::NotApplied { .. } => {
                "the command took no effect; ask for the entry that did"
            }
            DisclosureError::OtherAudience { .. } => {
                "ask the reader for one made for you: anybody may have passed this one on"
            }
            _ => match self.exit_code() {
                ExitCode::Untrusted => {
                    "check that the trust root is the cluster's current one, from a source you trust"
                }
                _ => "do not rely on this file: ask whoever gave it to you for a new one",
            },
        }
    }
}

impl From<DisclosureError> for Failure {
    fn from(error: DisclosureError) -> Self {
        Failure::new(error.exit_code(), &error, error.next())
    }
}
