//! Why a disclosure shows nothing, which exit code that is, and what to do next.

use crate::error::{ExitCode, Failure};
use crate::ids::{ClusterId, EpochId, KeyspaceId, LogIndex};
use crate::log::ProofError;
use crate::log::{Outcome, ReceiptError};
use crate::registry::{ChangeFault, RecordedFault};
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
        "trust root or registry name circuits from an INSECURE set-up: expected none, found {}",
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
    #[error("author {author} was not registered in the keyspace, by genesis or a change shown")]
    UnknownAuthor { author: AuthorId },
    #[error(
        "epoch {epoch} was not opened with this key, route commitment and policy, by genesis or a change shown"
    )]
    OtherEpoch { epoch: EpochId },
    #[error("circuit {circuit} was not activated for {statement}, by genesis or a change shown")]
    UnknownCircuit {
        circuit: CircuitId,
        statement: &'static str,
    },
    /// Nodes that applied what they must not.
    #[error("entry {index}: by the registry before it, it could not be applied: {outcome}")]
    NotRegistered { index: LogIndex, outcome: Outcome },
    #[error("circuit {circuit} was retired: it proves no disclosures any more")]
    RetiredCircuit { circuit: CircuitId },
    #[error("the registry change at entry {index}: {fault}")]
    Change { index: LogIndex, fault: ShownFault },
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

/// Why a registry change of a disclosure does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShownFault {
    #[error("it stands behind the one at entry {last}")]
    OutOfOrder { last: LogIndex },
    #[error("it is invalid: {0}")]
    Invalid(ChangeFault),
    #[error("it is not the change that its record is about")]
    OtherRecord,
    #[error("its record is not in the checkpointed log: {0}")]
    NotIncluded(#[from] ProofError),
    /// `decided` by those before it: one of them was left out, or the record is false.
    #[error("it should be applied: decided here is {decided:?}, its record says {recorded:?}")]
    NotApplied { decided: Outcome, recorded: Outcome },
}

impl From<RecordedFault> for ShownFault {
    fn from(fault: RecordedFault) -> Self {
        match fault {
            RecordedFault::Change(fault) => ShownFault::Invalid(fault),
            RecordedFault::OtherRecord => ShownFault::OtherRecord,
        }
    }
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
            | DisclosureError::Change { .. }
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
            | DisclosureError::NotRegistered { .. }
            | DisclosureError::RetiredCircuit { .. }
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
            DisclosureError::RetiredCircuit { .. } => {
                "ask for a disclosure proven under a circuit that the cluster still uses"
            }
            DisclosureError::NotApplied { .. } => {
                "the command took no effect; ask for the entry that did"
            }
            DisclosureError::OtherAudience { .. } => {
                "ask the reader for one made for you: anybody may have passed this one on"
            }
            _ => match self.exit_code() {
                ExitCode::Untrusted => {
                    "check that the trust root is the cluster's, from a source you trust, and ask for a \
                     disclosure with all registry changes"
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
