//! Signed tree heads of a shard's log: C2SP tlog-checkpoint, with tlog-cosignature
//! `cosignature/v1` signatures by the nodes, each under its own name.
//!
//! Invariants: 1. cosignatures are sorted by node, and each node has at most one; 2. what a node
//! signs is the C2SP text of exactly one cluster, shard, size and root, and a time; 3. a checkpoint
//! counts for something only with a majority of the voters.
//! Knows nothing of stores or gossip: whether the root is right is the cosigner's to say.

use super::proof::{InclusionProof, ProofError, verify_inclusion};
use super::record::Record;
use super::tree::leaf_hash;
use crate::genesis::{Genesis, MAX_NODES};
use crate::ids::{ClusterId, Hash, NodeId, ShardId, TreeSize};
use crate::wire::{Reader, WireError, Writer};
use sha2::{Digest, Sha256};
use thiserror::Error;
use ukehi_keys::{NodeKey, NodePublicKey};

/// The latest time a cosignature may carry, in unix seconds (C2SP tlog-cosignature).
pub const MAX_TIME: u64 = i64::MAX as u64;
/// `cosignature/v1` by Ed25519 (C2SP signed-note, signature types).
const COSIGNATURE_TYPE: u8 = 0x04;

/// What is signed: which log had which root at which size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub cluster: ClusterId,
    pub shard: ShardId,
    pub size: TreeSize,
    pub root: Hash,
}

/// One node's signature over a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosignature {
    pub node: NodeId,
    /// First four bytes of SHA-256(name ‖ "\n" ‖ 0x04 ‖ public key).
    pub key_id: [u8; 4],
    /// When it was signed, unix seconds, at most [`MAX_TIME`].
    pub time: u64,
    pub signature: [u8; 64],
}

/// A checkpoint and the cosignatures collected for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    pub(super) cosignatures: Vec<Cosignature>,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    #[error("the note is {found} bytes long, at most {limit} are read")]
    TooLong { found: usize, limit: usize },
    #[error("the note's {part} is missing or not in its one canonical form")]
    Malformed { part: &'static str },
    #[error("it is a checkpoint of cluster {found}, the trust root is that of {expected}")]
    WrongCluster {
        expected: ClusterId,
        found: ClusterId,
    },
    #[error("node {node} is not one of this cluster's")]
    UnknownNode { node: NodeId },
    #[error("the key id {} is not that of node {node}'s key", hex::encode(found))]
    WrongKeyId { node: NodeId, found: [u8; 4] },
    #[error("node {node} signed for the time {time}, beyond any clock")]
    Time { node: NodeId, time: u64 },
    #[error("the cosignature of node {node} does not verify")]
    BadSignature { node: NodeId },
    #[error("cosignatures of two different checkpoints cannot be merged")]
    OtherCheckpoint,
}

impl Checkpoint {
    /// The log's identity: `ukehi/<cluster>/<shard>`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("ukehi/{}/{}", self.cluster, self.shard)
    }

    /// A node's C2SP key name: `ukehi/<cluster>/node-<id>`.
    #[must_use]
    pub fn key_name(&self, node: NodeId) -> String {
        format!("ukehi/{}/node-{node}", self.cluster)
    }

    /// That the record is the leaf at its index of the tree this is about.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify_record(&self, record: &Record, proof: &InclusionProof) -> Result<(), ProofError> {
        let (index, size) = (proof.index, proof.size);
        if (index, size) != (record.index, self.size) {
            return Err(ProofError::OtherLeaf { index, size });
        }
        verify_inclusion(proof, &leaf_hash(&record.to_bytes()), &self.root)
    }

    /// `time` is unix seconds, `key` the key genesis names for `node`. What is signed must be
    /// durable first (architecture.md, Checkpoints).
    ///
    /// # Panics
    /// If `time` exceeds [`MAX_TIME`], which no clock shows.
    #[must_use]
    pub fn sign(&self, node: NodeId, key: &NodeKey, time: u64) -> Cosignature {
        assert!(time <= MAX_TIME, "unix seconds stay below 2^63");
        Cosignature {
            node,
            key_id: self.key_id(node, &key.public()),
            time,
            signature: key.sign_raw(&self.signed_message(time)),
        }
    }

    /// With this one cosignature, unchecked.
    #[must_use]
    pub fn with(&self, cosignature: Cosignature) -> SignedCheckpoint {
        SignedCheckpoint {
            checkpoint: *self,
            cosignatures: vec![cosignature],
        }
    }

    fn key_id(&self, node: NodeId, key: &NodePublicKey) -> [u8; 4] {
        let digest: Hash = Sha256::new()
            .chain_update(self.key_name(node))
            .chain_update([b'\n', COSIGNATURE_TYPE])
            .chain_update(key.to_bytes())
            .finalize()
            .into();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn signed_message(&self, time: u64) -> Vec<u8> {
        format!("cosignature/v1\ntime {time}\n{}", self.note_text()).into_bytes()
    }

    fn check(&self, cosignature: &Cosignature, trust: &Genesis) -> Result<(), CheckpointError> {
        let Cosignature { node, time, .. } = *cosignature;
        let key = trust
            .node_key(node)
            .ok_or(CheckpointError::UnknownNode { node })?;
        if time > MAX_TIME {
            return Err(CheckpointError::Time { node, time });
        }
        if cosignature.key_id != self.key_id(node, key) {
            let found = cosignature.key_id;
            return Err(CheckpointError::WrongKeyId { node, found });
        }
        key.verify_raw(&self.signed_message(time), &cosignature.signature)
            .map_err(|_| CheckpointError::BadSignature { node })
    }
}

impl SignedCheckpoint {
    /// Without any cosignature yet.
    #[must_use]
    pub fn new(checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint,
            cosignatures: Vec::new(),
        }
    }

    /// By node id, each node once.
    #[must_use]
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    #[must_use]
    pub fn cosignature_of(&self, node: NodeId) -> Option<&Cosignature> {
        self.position(node).ok().map(|at| &self.cosignatures[at])
    }

    /// Adds a cosignature, unchecked; of two by one node the later one stays.
    pub fn add(&mut self, cosignature: Cosignature) {
        match self.position(cosignature.node) {
            Ok(at) if self.cosignatures[at].time < cosignature.time => {
                self.cosignatures[at] = cosignature;
            }
            Ok(_) => {}
            Err(at) => self.cosignatures.insert(at, cosignature),
        }
    }

    /// Takes over the cosignatures of `other`.
    ///
    /// # Errors
    /// [`CheckpointError::OtherCheckpoint`] unless both are of the same checkpoint.
    pub fn merge(&mut self, other: &SignedCheckpoint) -> Result<(), CheckpointError> {
        if self.checkpoint != other.checkpoint {
            return Err(CheckpointError::OtherCheckpoint);
        }
        for cosignature in &other.cosignatures {
            self.add(*cosignature);
        }
        Ok(())
    }

    /// That it is of this cluster and that *every* cosignature is a valid one by a node of
    /// genesis. Says nothing of how many there are: see [`SignedCheckpoint::has_majority`].
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn verify(&self, trust: &Genesis) -> Result<(), CheckpointError> {
        let (expected, found) = (trust.cluster_id(), self.checkpoint.cluster);
        if expected != found {
            return Err(CheckpointError::WrongCluster { expected, found });
        }
        for cosignature in &self.cosignatures {
            self.checkpoint.check(cosignature, trust)?;
        }
        Ok(())
    }

    /// The nodes of genesis whose cosignature is valid; none if it is of another cluster.
    #[must_use]
    pub fn valid_signers(&self, trust: &Genesis) -> Vec<NodeId> {
        if trust.cluster_id() != self.checkpoint.cluster {
            return Vec::new();
        }
        self.cosignatures
            .iter()
            .filter(|cosignature| self.checkpoint.check(cosignature, trust).is_ok())
            .map(|cosignature| cosignature.node)
            .collect()
    }

    /// Whether a majority of the voters has validly cosigned it.
    #[must_use]
    pub fn has_majority(&self, trust: &Genesis) -> bool {
        self.valid_signers(trust).len() >= trust.majority()
    }

    /// cluster, shard, size, root, a one-byte count, the cosignatures by node id.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.finish()
    }

    /// # Errors
    /// [`WireError`]; says nothing of the signatures.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let signed = Self::read(&mut r)?;
        r.end()?;
        Ok(signed)
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.raw(&self.checkpoint.cluster.0)
            .u32(self.checkpoint.shard.0);
        w.u64(self.checkpoint.size).raw(&self.checkpoint.root);
        w.u8(u8::try_from(self.cosignatures.len()).expect("at most MAX_NODES cosignatures"));
        for cosignature in &self.cosignatures {
            w.u64(cosignature.node.0).raw(&cosignature.key_id);
            w.u64(cosignature.time).raw(&cosignature.signature);
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let checkpoint = Checkpoint {
            cluster: ClusterId(r.array("cluster")?),
            shard: ShardId(r.u32("shard")?),
            size: r.u64("size")?,
            root: r.array("root")?,
        };
        let count = r.u8("cosignature count")?;
        if usize::from(count) > MAX_NODES {
            return Err(WireError::TooLong {
                field: "cosignatures",
                found: u64::from(count),
                limit: MAX_NODES,
            });
        }
        let mut cosignatures: Vec<Cosignature> = Vec::new();
        for _ in 0..count {
            cosignatures.push(Cosignature {
                node: NodeId(r.u64("node")?),
                key_id: r.array("key id")?,
                time: r.u64("time")?,
                signature: r.array("signature")?,
            });
        }
        if !cosignatures.is_sorted_by(|a, b| a.node < b.node) {
            return Err(WireError::NonCanonical {
                field: "cosignatures",
            });
        }
        Ok(Self {
            checkpoint,
            cosignatures,
        })
    }

    fn position(&self, node: NodeId) -> Result<usize, usize> {
        self.cosignatures.binary_search_by_key(&node, |c| c.node)
    }
}
