//! Portable evidence that a node signed two histories.
//!
//! Invariant: both checkpoints are of one log and one size, have different roots and carry one
//! cosignature each, by the same node; whoever holds the trust root can check that offline.
//! Knows nothing of which of the two roots is the honest one: the signer is at fault either way.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::json;
use crate::genesis::Genesis;
use crate::ids::NodeId;
use crate::wire::{Reader, WireError, Writer};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longer texts are refused unread.
pub const MAX_EVIDENCE_BYTES: usize = 4 * 1024;
const SCHEMA: &str = "ukehi/fork-evidence/v1";

/// Two checkpoints one node should not have signed both; the one of the smaller root first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkEvidence {
    first: SignedCheckpoint,
    second: SignedCheckpoint,
}

/// Why it shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    #[error("the evidence does not decode: {0}")]
    Undecodable(#[from] WireError),
    #[error("the evidence is not canonical JSON: {reason}")]
    Json { reason: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the two checkpoints do not show a fork: {reason}")]
    NotAFork { reason: &'static str },
}

/// Notes as text, so that other C2SP tools can read them out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    schema: String,
    node: NodeId,
    first: String,
    second: String,
}

impl ForkEvidence {
    /// What two checkpoints show against the nodes that signed both. Nothing, unless they are of
    /// one log and one size with different roots. The cosignatures are taken as checked.
    #[must_use]
    pub fn find(one: &SignedCheckpoint, other: &SignedCheckpoint) -> Vec<Self> {
        let (first, second) = if one.checkpoint.root < other.checkpoint.root {
            (one, other)
        } else {
            (other, one)
        };
        let signed_by = |node| {
            let of = |signed: &SignedCheckpoint| {
                let cosignature = signed.cosignature_of(node)?;
                Some(signed.checkpoint.with(*cosignature))
            };
            let evidence = Self {
                first: of(first)?,
                second: of(second)?,
            };
            evidence.check_shape().ok().map(|_| evidence)
        };
        let nodes = first.cosignatures().iter().map(|c| c.node);
        nodes.filter_map(signed_by).collect()
    }

    /// Who is at fault.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.first.cosignatures()[0].node
    }

    /// The two checkpoints, the one of the smaller root first.
    #[must_use]
    pub fn checkpoints(&self) -> [&SignedCheckpoint; 2] {
        [&self.first, &self.second]
    }

    /// That the node it names is a node of genesis and did sign both.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn verify(&self, trust: &Genesis) -> Result<NodeId, ForkError> {
        let node = self.check_shape()?;
        self.first.verify(trust)?;
        self.second.verify(trust)?;
        Ok(node)
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.first.write(&mut w);
        self.second.write(&mut w);
        w.finish()
    }

    /// # Errors
    /// [`ForkError`]; says nothing of the signatures: [`ForkEvidence::verify`] does.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ForkError> {
        let mut r = Reader::new(bytes);
        let evidence = Self {
            first: SignedCheckpoint::read(&mut r)?,
            second: SignedCheckpoint::read(&mut r)?,
        };
        r.end()?;
        evidence.check_shape()?;
        Ok(evidence)
    }

    /// `ukehi/fork-evidence/v1`: the node and the two notes.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(&Json {
            schema: SCHEMA.to_owned(),
            node: self.node(),
            first: self.first.to_note(),
            second: self.second.to_note(),
        })
    }

    /// Reads and verifies.
    ///
    /// # Errors
    /// [`ForkError`].
    pub fn from_json(text: &str, trust: &Genesis) -> Result<Self, ForkError> {
        let refused = |reason: &str| ForkError::Json {
            reason: reason.to_owned(),
        };
        if text.len() > MAX_EVIDENCE_BYTES {
            return Err(refused("it is too long"));
        }
        let json: Json = json::read(text).map_err(|reason| refused(&reason))?;
        if json.schema != SCHEMA {
            return Err(refused("it is of another schema"));
        }
        let evidence = Self {
            first: SignedCheckpoint::from_note(&json.first, trust)?,
            second: SignedCheckpoint::from_note(&json.second, trust)?,
        };
        if evidence.verify(trust)? != json.node {
            return Err(ForkError::NotAFork {
                reason: "they were signed by another node than the evidence names",
            });
        }
        Ok(evidence)
    }

    fn check_shape(&self) -> Result<NodeId, ForkError> {
        let refused = |reason| Err(ForkError::NotAFork { reason });
        let (first, second) = (&self.first.checkpoint, &self.second.checkpoint);
        let ([by_first], [by_second]) = (self.first.cosignatures(), self.second.cosignatures())
        else {
            return refused("each must carry exactly one cosignature");
        };
        if by_first.node != by_second.node {
            return refused("two nodes signed them");
        }
        if (first.cluster, first.shard) != (second.cluster, second.shard) {
            return refused("they are of two logs");
        }
        if first.size != second.size {
            return refused("they are of two sizes");
        }
        if first.root >= second.root {
            return refused("the roots are the same, or not in ascending order");
        }
        Ok(by_first.node)
    }
}
