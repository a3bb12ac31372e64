//! The small names everything else is written in: who, where, and how far.
//!
//! Invariant: each id has one fixed-width encoding. Knows nothing of what the ids stand for.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A position in a shard's log. Raft's indexes start at 1; leaf 0 is genesis.
pub type LogIndex = u64;
/// A Raft term (Raft §5.1).
pub type Term = u64;
/// How many leaves a log tree has: the last applied index plus one.
pub type TreeSize = u64;
/// An author's own counter; a batch that was applied or refused has used it up.
pub type AuthorSeq = u64;
/// A 32-byte hash: SHA-256 in the log tree, BLAKE3 everywhere else.
pub type Hash = [u8; 32];

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A replica. Never 0 (raft-rs's "no one") and never used again after removal.
    NodeId(u64)
);
number_id!(
    /// One Raft group and its log. The first release runs shard 0 only.
    ShardId(u32)
);
number_id!(
    /// A namespace of keys with its own epochs and policy.
    KeyspaceId(u32)
);
number_id!(
    /// One reader key of a keyspace.
    EpochId(u32)
);

/// BLAKE3 of the canonical genesis: two clusters never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub Hash);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterId({self})")
    }
}

impl Serialize for ClusterId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for ClusterId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        hash_hex::deserialize(d).map(ClusterId)
    }
}

/// `#[serde(with = "ids::hash_hex")]`: a 32-byte hash as 64 lower-case hex digits.
pub mod hash_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(hash: &[u8; 32], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(hash))
    }

    /// # Errors
    /// Anything but exactly 64 hex digits in lower case: a hash has one spelling.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(d)?;
        let mut out = [0; 32];
        let lower_case = !text.bytes().any(|digit| digit.is_ascii_uppercase());
        hex::decode_to_slice(&text, &mut out)
            .ok()
            .filter(|()| lower_case)
            .ok_or_else(|| D::Error::custom("expected 64 lower-case hex digits"))?;
        Ok(out)
    }
}
