//! A stored case of misbehaviour as a file, and what it shows to somebody with the trust root.
//!
//! Invariants: 1. what is found follows from signatures and proofs in the file alone, never from the
//! word of the node that stored it; 2. a file has one spelling of each fact: what stands beside the
//! evidence for people to read is compared with it. A fork has a format of its own
//! ([`ForkEvidence`]).
//! Knows nothing of the log: an entry refused only for what stood before it cannot be judged here.

use crate::batch::Verdict;
use crate::ids::{ClusterId, LogIndex, NodeId, ShardId, Term, TreeSize};
use crate::log::{EntryKind, ForkError, ForkEvidence};
use crate::registry::{ChangeVerifier, Payload as Grants};
use crate::replica::Evidence;
use crate::replica::evidence::FORK_KEY;
use crate::trust::{TrustError, TrustRoot};
use crate::wire::WireError;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub const SCHEMA: &str = "ukehi/log-evidence/v1";
/// Longer files are refused unread: an entry in hex, and what stands beside it.
pub const MAX_FILE_BYTES: u64 = 2 * crate::api::MAX_EVIDENCE_BYTES as u64 + 4096;

/// What a file of evidence shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "shows", rename_all = "kebab-case")]
pub enum Finding {
    /// The node signed an entry that no gate lets in.
    RefusedEntry {
        node: NodeId,
        term: Term,
        index: LogIndex,
        fault: String,
    },
    /// The node signed two entries for one place.
    Equivocation {
        node: NodeId,
        term: Term,
        index: LogIndex,
    },
    /// The node signed two logs.
    Fork { node: NodeId, size: TreeSize },
}

#[derive(Debug, Error)]
pub enum EvidenceError {
    #[error("the evidence is not a file of this kind: {reason}")]
    Malformed { reason: String },
    #[error("the evidence does not decode: {0}")]
    Undecodable(#[from] WireError),
    #[error(transparent)]
    Fork(#[from] ForkError),
    #[error("it is of cluster {found}, the trust root is that of {expected}")]
    OtherCluster { expected: ClusterId, found: String },
    #[error("its {what} says {found}, the evidence itself {expected}")]
    Beside {
        what: &'static str,
        expected: String,
        found: String,
    },
    #[error("a signature in it is not that of the node it accuses")]
    Signature,
    #[error("the entry is valid by itself: this shows nothing against node {node}")]
    NothingWrong { node: NodeId },
    #[error("the entry cannot be judged without the log before it: {reason}")]
    NeedsLog { reason: String },
    #[error("it is one node's word, with nobody else's signature: it shows nothing to others")]
    Claim,
    #[error(transparent)]
    Trust(#[from] TrustError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    cluster: String,
    shard: u32,
    /// Who signed.
    node: u64,
    term: Term,
    index: LogIndex,
    /// `Evidence::to_bytes`, in hex.
    evidence: String,
}

/// A stored case as a file; `None` for a claim, which shows nothing to others. `key` is the case's
/// in the store, without its shard.
///
/// # Errors
/// [`EvidenceError::Undecodable`], [`EvidenceError::Fork`].
pub fn to_file(
    cluster: ClusterId,
    shard: ShardId,
    key: &[u8],
    bytes: &[u8],
) -> Result<Option<String>, EvidenceError> {
    if key.first() == Some(&FORK_KEY) {
        return Ok(Some(ForkEvidence::from_bytes(bytes)?.to_json()));
    }
    let evidence = Evidence::from_bytes(bytes)?;
    let Some(node) = signer(&evidence) else {
        return Ok(None);
    };
    let (term, index) = evidence.place();
    let file = File {
        schema: SCHEMA.to_owned(),
        cluster: cluster.to_string(),
        shard: shard.0,
        node: node.0,
        term,
        index,
        evidence: hex::encode(bytes),
    };
    let text = serde_json::to_string_pretty(&file).expect("strings and numbers");
    Ok(Some(text + "\n"))
}

/// What to call a case's file: what it is, whom it is about, where in the log.
///
/// # Errors
/// [`EvidenceError::Undecodable`], [`EvidenceError::Fork`].
pub fn name(key: &[u8], bytes: &[u8]) -> Result<String, EvidenceError> {
    if key.first() == Some(&FORK_KEY) {
        let fork = ForkEvidence::from_bytes(bytes)?;
        return Ok(format!("fork-node{}", fork.node()));
    }
    let evidence = Evidence::from_bytes(bytes)?;
    let what = match &evidence {
        Evidence::Refused { .. } => "refused",
        Evidence::Equivocation { .. } => "equivocation",
        Evidence::Claim { .. } => "claim",
    };
    let (term, index) = evidence.place();
    let sum = blake3::hash(bytes).to_hex();
    Ok(format!("{what}-entry{index}-term{term}-{}", &sum[..8]))
}

/// What a file shows.
///
/// # Errors
/// [`EvidenceError`]: it shows nothing, or not to whoever has the trust root alone.
pub fn verify(text: &str, trust: &TrustRoot) -> Result<Finding, EvidenceError> {
    let malformed = |reason: String| EvidenceError::Malformed { reason };
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
    if value["schema"] != SCHEMA {
        let fork = ForkEvidence::from_json(text, &trust.genesis)?;
        return Ok(Finding::Fork {
            node: fork.node(),
            size: fork.checkpoints()[0].checkpoint.size,
        });
    }
    // From the text, not the value: a member given twice is refused.
    let file: File = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
    let bytes = hex::decode(&file.evidence).map_err(|e| malformed(e.to_string()))?;
    let evidence = Evidence::from_bytes(&bytes)?;
    let expected = trust.genesis.cluster_id();
    let (term, index) = evidence.place();
    let node = signer(&evidence).ok_or(EvidenceError::Claim)?;
    if file.cluster != expected.to_string() {
        let found = file.cluster;
        return Err(EvidenceError::OtherCluster { expected, found });
    }
    beside("node", node, file.node)?;
    beside("term", term, file.term)?;
    beside("index", index, file.index)?;
    let shard = ShardId(file.shard);
    let key_of = |node| trust.genesis.node_key(node).copied();
    if !evidence.signatures_hold(expected, shard, key_of) {
        return Err(EvidenceError::Signature);
    }
    match &evidence {
        Evidence::Refused { .. } => Ok(Finding::RefusedEntry {
            node,
            term,
            index,
            fault: fault(&evidence, node, shard, trust)?,
        }),
        _ => Ok(Finding::Equivocation { node, term, index }),
    }
}

/// Why the gate refuses a signed entry, whatever stands before it.
fn fault(
    evidence: &Evidence,
    node: NodeId,
    shard: ShardId,
    trust: &TrustRoot,
) -> Result<String, EvidenceError> {
    let Evidence::Refused { payload, .. } = evidence else {
        return Err(EvidenceError::Claim);
    };
    let content = payload.stamped().ok_or(EvidenceError::Claim)?;
    if content.kind == EntryKind::Registry {
        let changes = ChangeVerifier::new(&trust.genesis, shard);
        return match changes.verify(content.bytes, Grants::Required) {
            Ok(_) => Err(EvidenceError::NothingWrong { node }),
            Err(fault) => Ok(fault.to_string()),
        };
    }
    let verifier = trust.batch_verifier(shard)?;
    match verifier.verify(std::slice::from_ref(content.bytes)).pop() {
        Some(Verdict::Invalid(fault)) => Ok(fault.to_string()),
        Some(Verdict::NotYet(reason)) => Err(EvidenceError::NeedsLog {
            reason: reason.to_string(),
        }),
        _ => Err(EvidenceError::NothingWrong { node }),
    }
}

/// Whose signature the case rests on.
fn signer(evidence: &Evidence) -> Option<NodeId> {
    match evidence {
        Evidence::Refused { payload, .. } => payload.stamped().map(|c| c.stamp.proposer),
        Evidence::Equivocation { proposer, .. } => Some(*proposer),
        Evidence::Claim { .. } => None,
    }
}

fn beside(
    what: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> Result<(), EvidenceError> {
    let (expected, found) = (expected.to_string(), found.to_string());
    match expected == found {
        true => Ok(()),
        false => Err(EvidenceError::Beside {
            what,
            expected,
            found,
        }),
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
