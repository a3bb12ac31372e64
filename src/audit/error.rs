//! Why an audit does not vouch for a trail, which exit code that is, and what to do next.
//!
//! Invariant: every variant names the place, what was expected and what was found.

use super::frames::BundleError;
use super::place::Place;
use crate::batch::Fault;
use crate::batch::verify::NotYet;
use crate::error::{ExitCode, Failure};
use crate::ids::{ClusterId, Hash, LogIndex, NodeId, TreeSize};
use crate::kv::StoreError;
use crate::log::CheckpointError;
use crate::log::EntryKind;
use crate::registry::ChangeFault;
use thiserror::Error;
use ukehi_keys::CircuitId;

/// The first thing in a bundle that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuditError {
    /// The file is damaged, cut short or out of order.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(
        "the trust root names circuits from an INSECURE set-up: expected none, found {}",
        list(circuits)
    )]
    InsecureSetup { circuits: Vec<CircuitId> },
    /// A circuit of the trust root cannot verify anything.
    #[error("the trust root: {reason}")]
    UnusableTrust { reason: String },
    #[error("the preamble names cluster {found}, the trust root is that of {expected}")]
    OtherCluster {
        expected: ClusterId,
        found: ClusterId,
    },
    /// Two things that have to agree do not.
    #[error("{place}: {what} should be {expected}, it is {found}")]
    Mismatch {
        place: Place,
        what: &'static str,
        expected: String,
        found: String,
    },
    /// Expected: a batch that the gate lets in.
    #[error("entry {index}: expected a valid batch, but {fault}")]
    Batch { index: LogIndex, fault: Fault },
    /// Expected: a registry change that the gate lets in.
    #[error("{place}: expected a valid registry change, but {fault}")]
    Change { place: Place, fault: ChangeFault },
    #[error("entry {index}: expected a verdict, but {reason}")]
    NoVerdict { index: LogIndex, reason: NotYet },
    #[error(
        "entry {index} is a {kind:?} entry, which this release cannot judge; expected genesis, \
         no-ops, batches and registry changes only"
    )]
    UnknownKind { index: LogIndex, kind: EntryKind },
    #[error("{which}: {source}")]
    Checkpoint {
        which: Which,
        source: CheckpointError,
    },
    #[error(
        "{which}: expected valid cosignatures of {needed} nodes of the trust root, found {}",
        nodes(found)
    )]
    NoMajority {
        which: Which,
        needed: usize,
        found: Vec<NodeId>,
    },
    #[error("the checkpoint to compare with is of {found}, the bundle's is of {expected}")]
    OtherLog { expected: String, found: String },
    /// The same log, signed by majorities, with two roots at one size.
    #[error(
        "two histories of one log at {size} entries: the bundle's has root {} (signed by {}), the \
         other checkpoint has root {} (signed by {})",
        hex::encode(ours),
        nodes(our_signers),
        hex::encode(theirs),
        nodes(their_signers)
    )]
    Fork {
        size: TreeSize,
        ours: Hash,
        our_signers: Vec<NodeId>,
        theirs: Hash,
        their_signers: Vec<NodeId>,
    },
    #[error("entry {index} is not in this bundle, which holds the entries {from}..{to}")]
    NoSuchEntry {
        index: LogIndex,
        from: LogIndex,
        to: LogIndex,
    },
    #[error("entry {index} is a {kind:?} entry: it has no proof")]
    NotABatch { index: LogIndex, kind: EntryKind },
    /// The in-memory store that outcomes are recomputed over.
    #[error("cannot recompute the outcome of entry {index}: {source}")]
    Replay { index: LogIndex, source: StoreError },
}

/// Which checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Bundle,
    /// The one given to compare with.
    Other,
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Which::Bundle => "the checkpoint",
            Which::Other => "the checkpoint to compare with",
        })
    }
}

impl AuditError {
    /// The process exit code of `ukehi audit`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            AuditError::Bundle(error) => match error {
                BundleError::Io { .. } => ExitCode::Runtime,
                BundleError::Incomplete { .. } => ExitCode::Incomplete,
                BundleError::Version { .. } => ExitCode::Configuration,
                _ => ExitCode::Tampered,
            },
            AuditError::InsecureSetup { .. }
            | AuditError::UnusableTrust { .. }
            | AuditError::OtherCluster { .. }
            | AuditError::UnknownKind { .. }
            | AuditError::OtherLog { .. } => ExitCode::Untrusted,
            AuditError::NoMajority { .. } => ExitCode::Incomplete,
            AuditError::Mismatch { .. } => ExitCode::Tampered,
            AuditError::Batch { fault, .. } => match fault {
                Fault::Proof { .. } => ExitCode::ProofInvalid,
                Fault::UnknownCircuit { .. } | Fault::UnknownAuthor { .. } => ExitCode::Untrusted,
                _ => ExitCode::Tampered,
            },
            AuditError::Change { fault, .. } => match fault {
                ChangeFault::UnknownAdmin { .. } => ExitCode::Untrusted,
                _ => ExitCode::Tampered,
            },
            AuditError::NoVerdict { reason, .. } => match reason {
                NotYet::UnknownCircuit { .. } => ExitCode::Untrusted,
                _ => ExitCode::Runtime,
            },
            AuditError::Checkpoint { source, .. } => match source {
                CheckpointError::WrongCluster { .. } | CheckpointError::UnknownNode { .. } => {
                    ExitCode::Untrusted
                }
                _ => ExitCode::Tampered,
            },
            AuditError::Fork { .. } => ExitCode::Fork,
            AuditError::NoSuchEntry { .. } | AuditError::NotABatch { .. } => ExitCode::NotFound,
            AuditError::Replay { .. } => ExitCode::Runtime,
        }
    }

    /// What whoever ran the audit can do about it.
    #[must_use]
    pub fn next(&self) -> &'static str {
        match self {
            AuditError::InsecureSetup { .. } => {
                "audit a trail whose circuits come from a ceremony; for a dev cluster, whose \
                 proofs its set-up could forge, pass --allow-insecure-setup"
            }
            AuditError::OtherCluster { .. } => {
                "use the trust root of the cluster that the bundle comes from"
            }
            AuditError::Bundle(BundleError::Version { .. }) | AuditError::UnknownKind { .. } => {
                "audit with a newer release"
            }
            AuditError::Checkpoint {
                which: Which::Other,
                ..
            }
            | AuditError::NoMajority {
                which: Which::Other,
                ..
            }
            | AuditError::OtherLog { .. } => {
                "give a checkpoint of this log that a majority of its nodes has cosigned"
            }
            AuditError::Fork { .. } => {
                "keep both files: together they prove that the nodes which signed both lied; stop \
                 relying on this cluster and tell its operators"
            }
            AuditError::NoSuchEntry { .. } => "ask for an entry of that range",
            AuditError::NotABatch { .. } => "`ukehi audit show` lists which entries are batches",
            AuditError::Bundle(BundleError::Incomplete { .. }) => {
                "export or copy the bundle again: it was cut short"
            }
            AuditError::Bundle(BundleError::Io { .. }) => "check the file and its permissions",
            AuditError::Replay { .. } => "report this: the trail may be fine, the auditor is not",
            _ => match self.exit_code() {
                ExitCode::ProofInvalid => {
                    "do not rely on this entry: keep the bundle, export the trail from other \
                     nodes and compare"
                }
                ExitCode::Untrusted => {
                    "check that the trust root is the cluster's current one, from a source you trust"
                }
                ExitCode::Runtime => "run the audit again",
                _ => {
                    "do not rely on this file: export the trail again, from several nodes, and \
                     compare"
                }
            },
        }
    }

    pub(super) fn mismatch(
        place: Place,
        what: &'static str,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        AuditError::Mismatch {
            place,
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Failure::new(error.exit_code(), &error, error.next())
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

fn nodes(nodes: &[NodeId]) -> String {
    if nodes.is_empty() {
        return "none".to_owned();
    }
    format!("nodes {}", list(nodes))
}
