//! The facts a cluster is born with: who replicates, who writes, who reads, which circuits count.
//!
//! Invariants: 1. the canonical bytes determine the cluster id, so every signature made for a
//! cluster is bound to all of this; 2. a decoded genesis has passed [`Genesis::check`].
//! Knows nothing of files, of the network or of how a circuit verifies.

use crate::ids::{ClusterId, EpochId, KeyspaceId, LogIndex, NodeId, ShardId};
use crate::wire::Writer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;
use ukehi_keys::{AdminId, AuthorId, CircuitId, EpochPublicKey, NodePublicKey, OperatorId};

/// The rules of the gate this release applies; changed only by a log entry.
pub const GATE_VERSION: u16 = 1;
/// Bounds on what a genesis may hold; the whole file stays below 1 MiB.
pub const MAX_NODES: usize = 64;
pub const MAX_AUTHORS: usize = 4096;
pub const MAX_EPOCHS: usize = 256;
pub const MAX_CIRCUITS: usize = 64;
pub const MAX_ADMINS: usize = 16;
/// Policies with cells in one keyspace.
pub const MAX_FAMILIES: usize = 16;
/// As circuit shapes name their policies.
pub const MAX_POLICY_BYTES: usize = 32;
/// The cluster's name in words, for people; printable ASCII.
pub const MAX_NAME_BYTES: usize = 64;

/// A voter of the first configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisNode {
    pub id: NodeId,
    /// Ed25519: the node's network identity, its proposals and its checkpoints.
    pub key: NodePublicKey,
}

/// A reader key of the keyspace and what every batch sealed to it must show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisEpoch {
    pub id: EpochId,
    /// PK on BabyJubJub.
    pub key: EpochPublicKey,
    /// C_route, one canonical field element (32 bytes, little-endian).
    #[serde(with = "crate::ids::hash_hex")]
    pub route_commitment: [u8; 32],
    /// The policy family of the circuits that may seal to it, such as `opaque`.
    pub policy: String,
    /// P: digest of the policy's public parameters, 0 for `opaque`.
    #[serde(with = "crate::ids::hash_hex")]
    pub policy_digest: [u8; 32],
    /// The last index at which a batch may be applied under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<LogIndex>,
}

/// A namespace of keys, the authors who may write to it and its reader epochs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisKeyspace {
    pub id: KeyspaceId,
    pub shard: ShardId,
    pub authors: Vec<AuthorId>,
    pub epochs: Vec<GenesisEpoch>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<GenesisFamily>,
}

/// A policy whose cells the keyspace has, and who may write to them where a cell has no list of
/// its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisFamily {
    pub policy: String,
    pub authors: Vec<AuthorId>,
}

/// Who may change the registry: so many of these must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisAdmins {
    pub keys: Vec<AdminId>,
    /// m of n: at least 1, at most all.
    pub threshold: u8,
}

/// Leaf 0 of every shard's log is the digest of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    pub name: String,
    /// 32 random bytes: two clusters with the same members still differ.
    #[serde(with = "crate::ids::hash_hex")]
    pub nonce: [u8; 32],
    pub gate_version: u16,
    /// A dev cluster accepts circuits whose set-up is INSECURE.
    pub dev: bool,
    pub nodes: Vec<GenesisNode>,
    pub operators: Vec<OperatorId>,
    pub admins: GenesisAdmins,
    pub circuits: Vec<CircuitId>,
    pub keyspaces: Vec<GenesisKeyspace>,
}

/// Why a genesis is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GenesisError {
    #[error(
        "genesis speaks gate version {found}, this release {GATE_VERSION}: use a matching release"
    )]
    GateVersion { found: u16 },
    #[error("genesis lists {found} {what}, between 1 and {limit} are allowed")]
    Count {
        what: &'static str,
        found: usize,
        limit: usize,
    },
    #[error("genesis lists {what} {id} twice")]
    Duplicate { what: &'static str, id: String },
    #[error("genesis names node id 0, which means \"no one\" in Raft")]
    NodeZero,
    #[error("the cluster name must be 1 to {MAX_NAME_BYTES} printable ASCII characters")]
    Name,
    #[error("{threshold} of {admins} admins must agree: at least 1 and at most all")]
    Threshold { threshold: u8, admins: usize },
    #[error(
        "the policy of epoch {epoch} is not 1 to {MAX_POLICY_BYTES} lower-case letters, digits and _"
    )]
    Policy { epoch: EpochId },
    #[error(
        "a family of keyspace {keyspace} is not named by 1 to {MAX_POLICY_BYTES} lower-case letters, digits and _"
    )]
    Family { keyspace: KeyspaceId },
    #[error("{field} of epoch {epoch} is not a canonical field element")]
    NonCanonical { field: &'static str, epoch: EpochId },
}

impl Genesis {
    /// The one encoding the cluster id is taken over: lengths before lists, integers little-endian.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"ukehi/genesis/v1");
        w.bytes(self.name.as_bytes()).raw(&self.nonce);
        w.u16(self.gate_version).bool(self.dev);
        w.u32(self.nodes.len() as u32);
        for node in &self.nodes {
            w.u64(node.id.0).raw(&node.key.to_bytes());
        }
        w.u32(self.operators.len() as u32);
        for operator in &self.operators {
            w.raw(&operator.to_bytes());
        }
        w.u32(self.admins.keys.len() as u32);
        for admin in &self.admins.keys {
            w.raw(&admin.to_bytes());
        }
        w.u8(self.admins.threshold);
        w.u32(self.circuits.len() as u32);
        for circuit in &self.circuits {
            w.raw(&circuit.0);
        }
        w.u32(self.keyspaces.len() as u32);
        for keyspace in &self.keyspaces {
            w.u32(keyspace.id.0).u32(keyspace.shard.0);
            w.u32(keyspace.authors.len() as u32);
            for author in &keyspace.authors {
                w.raw(&author.to_bytes());
            }
            w.u32(keyspace.epochs.len() as u32);
            for epoch in &keyspace.epochs {
                w.u32(epoch.id.0).raw(&epoch.key.to_bytes());
                w.raw(&epoch.route_commitment);
                w.bytes(epoch.policy.as_bytes()).raw(&epoch.policy_digest);
                w.bool(epoch.expires.is_some());
                if let Some(expires) = epoch.expires {
                    w.u64(expires);
                }
            }
            w.u32(keyspace.families.len() as u32);
            for family in &keyspace.families {
                w.bytes(family.policy.as_bytes());
                w.u32(family.authors.len() as u32);
                for author in &family.authors {
                    w.raw(&author.to_bytes());
                }
            }
        }
        w.finish()
    }

    #[must_use]
    pub fn cluster_id(&self) -> ClusterId {
        ClusterId(blake3::derive_key(
            "ukehi/cluster-id/v1",
            &self.canonical_bytes(),
        ))
    }

    /// # Errors
    /// The first rule of [`GenesisError`] that it breaks.
    pub fn check(&self) -> Result<(), GenesisError> {
        if self.gate_version != GATE_VERSION {
            return Err(GenesisError::GateVersion {
                found: self.gate_version,
            });
        }
        let printable = self.name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES || !printable {
            return Err(GenesisError::Name);
        }
        if self.nodes.iter().any(|n| n.id.0 == 0) {
            return Err(GenesisError::NodeZero);
        }
        distinct(
            "nodes",
            MAX_NODES,
            self.nodes.iter().map(|n| n.id.to_string()),
        )?;
        distinct(
            "node keys",
            MAX_NODES,
            self.nodes.iter().map(|n| n.key.to_string()),
        )?;
        distinct(
            "operators",
            MAX_NODES,
            self.operators.iter().map(ToString::to_string),
        )?;
        let admins = self.admins.keys.iter().map(ToString::to_string);
        distinct("admins", MAX_ADMINS, admins)?;
        let (threshold, admins) = (self.admins.threshold, self.admins.keys.len());
        if threshold == 0 || usize::from(threshold) > admins {
            return Err(GenesisError::Threshold { threshold, admins });
        }
        // A cluster may begin without any and have the log activate what a ceremony made.
        if !self.circuits.is_empty() {
            distinct(
                "circuits",
                MAX_CIRCUITS,
                self.circuits.iter().map(ToString::to_string),
            )?;
        }
        distinct(
            "keyspaces",
            MAX_EPOCHS,
            self.keyspaces.iter().map(|k| k.id.to_string()),
        )?;
        for keyspace in &self.keyspaces {
            let authors = keyspace.authors.iter().map(ToString::to_string);
            distinct("authors", MAX_AUTHORS, authors)?;
            distinct(
                "epochs",
                MAX_EPOCHS,
                keyspace.epochs.iter().map(|e| e.id.to_string()),
            )?;
            keyspace.check_families()?;
            for epoch in &keyspace.epochs {
                if !is_policy_name(&epoch.policy) {
                    return Err(GenesisError::Policy { epoch: epoch.id });
                }
                for (field, bytes) in [
                    ("route_commitment", &epoch.route_commitment),
                    ("policy_digest", &epoch.policy_digest),
                ] {
                    ukehi_circuits::field::decode(bytes).map_err(|_| {
                        GenesisError::NonCanonical {
                            field,
                            epoch: epoch.id,
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    /// How many signatures make a majority of the voters.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.nodes.len() / 2 + 1
    }

    #[must_use]
    pub fn node_key(&self, id: NodeId) -> Option<&NodePublicKey> {
        self.nodes.iter().find(|n| n.id == id).map(|n| &n.key)
    }

    #[must_use]
    pub fn keyspace(&self, id: KeyspaceId) -> Option<&GenesisKeyspace> {
        self.keyspaces.iter().find(|k| k.id == id)
    }
}

impl GenesisKeyspace {
    fn check_families(&self) -> Result<(), GenesisError> {
        if self.families.is_empty() {
            return Ok(());
        }
        let names = self.families.iter().map(|f| f.policy.clone());
        distinct("families", MAX_FAMILIES, names)?;
        for family in &self.families {
            if !is_policy_name(&family.policy) {
                let keyspace = self.id;
                return Err(GenesisError::Family { keyspace });
            }
            let authors = family.authors.iter().map(ToString::to_string);
            distinct("authors of a family", MAX_AUTHORS, authors)?;
        }
        Ok(())
    }

    #[must_use]
    pub fn epoch(&self, id: EpochId) -> Option<&GenesisEpoch> {
        self.epochs.iter().find(|e| e.id == id)
    }
}

/// What circuit shapes accept as a policy's name.
#[must_use]
pub fn is_policy_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.len() <= MAX_POLICY_BYTES && name.bytes().all(plain)
}

fn distinct(
    what: &'static str,
    limit: usize,
    ids: impl Iterator<Item = String>,
) -> Result<(), GenesisError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if let Some(id) = seen.replace(id) {
            return Err(GenesisError::Duplicate { what, id });
        }
    }
    if seen.is_empty() || seen.len() > limit {
        return Err(GenesisError::Count {
            what,
            found: seen.len(),
            limit,
        });
    }
    Ok(())
}
