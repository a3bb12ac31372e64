//! A batch's header: everything the author vouches for in clear.
//!
//! Invariants: 1. one encoding, [`HEADER_BYTES`] long; 2. the circuit sees it only through
//! [`Header::ctx`], so a changed bit anywhere changes the statement (statement.md).
//! Knows nothing of ciphertexts, proofs or logs.

use crate::ids::{AuthorSeq, ClusterId, EpochId, Hash, KeyspaceId, LogIndex, ShardId, TreeSize};
use crate::wire::{Reader, WireError, Writer};
use ukehi_circuits::{F, curve::Point, field};
use ukehi_keys::{AuthorId, CircuitId};

/// Version byte, then each field at its fixed width.
pub const HEADER_BYTES: usize =
    1 + 32 + 4 + 4 + 32 + 4 + 64 + 32 + 32 + 32 + 8 + 8 + 8 + 32 + 1 + 32;
const VERSION: u8 = 1;

/// The tree head an author had seen: the batch cannot be applied on a branch without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    pub size: TreeSize,
    pub root: Hash,
}

/// See statement.md, `seal/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub cluster: ClusterId,
    pub shard: ShardId,
    pub keyspace: KeyspaceId,
    pub circuit: CircuitId,
    pub epoch: EpochId,
    /// PK: who can read.
    pub epoch_key: Point,
    /// C_route = H(k_route).
    pub route_commitment: F,
    /// P: digest of the policy's public parameters.
    pub policy_digest: F,
    pub author: AuthorId,
    pub author_seq: AuthorSeq,
    /// The last log index at which the batch may still be applied.
    pub valid_until: LogIndex,
    pub anchor: Anchor,
    /// n: how many of the circuit's slots are active.
    pub slots: u8,
    /// [`slot_list`](super::slot_list()) of the batch: each active slot's public word and bulk reference.
    pub slot_list: Hash,
}

impl Header {
    /// The canonical encoding, [`HEADER_BYTES`] long.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).raw(&self.cluster.0);
        w.u32(self.shard.0).u32(self.keyspace.0);
        w.raw(&self.circuit.0).u32(self.epoch.0);
        w.raw(&self.epoch_key.to_bytes());
        w.raw(&field::encode(&self.route_commitment));
        w.raw(&field::encode(&self.policy_digest));
        w.raw(&self.author.to_bytes());
        w.u64(self.author_seq).u64(self.valid_until);
        w.u64(self.anchor.size).raw(&self.anchor.root);
        w.u8(self.slots).raw(&self.slot_list);
        w.finish()
    }

    /// # Errors
    /// [`WireError`] naming the field that is missing, unknown or not canonical; points outside
    /// the prime-order subgroup and field elements of p or more are not canonical.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let version = r.u8("header version")?;
        if version != VERSION {
            return Err(WireError::Unknown {
                field: "header version",
                found: u64::from(version),
            });
        }
        Ok(Self {
            cluster: ClusterId(r.array("cluster")?),
            shard: ShardId(r.u32("shard")?),
            keyspace: KeyspaceId(r.u32("keyspace")?),
            circuit: CircuitId(r.array("circuit")?),
            epoch: EpochId(r.u32("epoch")?),
            epoch_key: read_point(r, "epoch_key")?,
            route_commitment: read_field(r, "route_commitment")?,
            policy_digest: read_field(r, "policy_digest")?,
            author: AuthorId::from_bytes(&r.array("author")?)
                .map_err(|_| WireError::NonCanonical { field: "author" })?,
            author_seq: r.u64("author_seq")?,
            valid_until: r.u64("valid_until")?,
            anchor: Anchor {
                size: r.u64("anchor size")?,
                root: r.array("anchor root")?,
            },
            slots: r.u8("slots")?,
            slot_list: r.array("slot_list")?,
        })
    }

    /// BLAKE3 of the canonical header: what the log's record holds of it.
    #[must_use]
    pub fn digest(&self) -> Hash {
        blake3::derive_key("ukehi/header/v1", &self.to_bytes())
    }

    /// ctx = trunc248(BLAKE3("ukehi/ctx/v1" ‖ canonical header)) as a field element.
    #[must_use]
    pub fn ctx(&self) -> F {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"ukehi/ctx/v1");
        hasher.update(&self.to_bytes());
        let mut bytes = *hasher.finalize().as_bytes();
        bytes[31] = 0;
        field::decode(&bytes).expect("a 248-bit number is below the 254-bit modulus")
    }
}

pub(super) fn read_field(r: &mut Reader<'_>, field: &'static str) -> Result<F, WireError> {
    field::decode(&r.array(field)?).map_err(|_| WireError::NonCanonical { field })
}

pub(super) fn read_point(r: &mut Reader<'_>, field: &'static str) -> Result<Point, WireError> {
    Point::from_xy_bytes(&r.array(field)?).map_err(|_| WireError::NonCanonical { field })
}
