//! What a leaf of the log hashes: which entry, and what became of it.
//!
//! Invariants: 1. one encoding, [`RECORD_BYTES`] long; 2. neither proof bytes nor the Raft term
//! are in it: proofs can be re-randomised and terms differ between equally valid histories.
//! Knows nothing of trees, terms, peers or disks.

use crate::ids::{Hash, LogIndex};
use crate::wire::{Reader, WireError, Writer};
use serde::{Deserialize, Serialize};
use std::fmt;

/// index, kind, header digest, x, outcome.
pub const RECORD_BYTES: usize = 8 + 1 + 32 + 32 + 2;

/// What an entry of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Leaf 0: the cluster's genesis.
    Genesis,
    /// A new leader's first entry (Raft §8).
    NoOp,
    Batch,
    /// A change of authors, epochs, circuits or admins.
    Registry,
    /// A change of the voters. Reserved: the membership is static in this release.
    Membership,
}

impl EntryKind {
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            EntryKind::Genesis => 0,
            EntryKind::NoOp => 1,
            EntryKind::Batch => 2,
            EntryKind::Registry => 3,
            EntryKind::Membership => 4,
        }
    }

    /// # Errors
    /// [`WireError::Unknown`].
    pub fn from_code(code: u8) -> Result<Self, WireError> {
        Ok(match code {
            0 => EntryKind::Genesis,
            1 => EntryKind::NoOp,
            2 => EntryKind::Batch,
            3 => EntryKind::Registry,
            4 => EntryKind::Membership,
            _ => {
                return Err(WireError::Unknown {
                    field: "entry kind",
                    found: u64::from(code),
                });
            }
        })
    }
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What apply decided. Everything but `Applied` is a recorded refusal: no state changed,
        /// nobody is at fault, and the author's sequence is used up all the same.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Outcome {
            $($(#[$doc])* $name,)*
        }

        impl Outcome {
            /// Whether a registry change of this outcome used its number up. A mint that the cells refuse
            /// does: what a change's outcome means for later ones must not depend on batches.
            #[must_use]
            pub fn takes_number(self) -> bool {
                matches!(self, Outcome::Applied | Outcome::CellLive)
            }

            #[must_use]
            pub fn code(self) -> u16 {
                match self { $(Outcome::$name => $code,)* }
            }

            /// # Errors
            /// [`WireError::Unknown`].
            pub fn from_code(code: u16) -> Result<Self, WireError> {
                match code {
                    $($code => Ok(Outcome::$name),)*
                    _ => Err(WireError::Unknown { field: "outcome", found: u64::from(code) }),
                }
            }
        }

        impl fmt::Display for Outcome {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Outcome::$name => $text,)* })
            }
        }

        #[cfg(test)]
        const ALL: &[Outcome] = &[$(Outcome::$name,)*];
    };
}

outcomes! {
    Applied = 0, "applied";
    UnknownKeyspace = 1, "the keyspace is not registered in this shard";
    UnknownEpoch = 2, "the epoch is not registered in the keyspace";
    WrongEpochKey = 3, "the epoch key is not the registered one";
    WrongRouteCommitment = 4, "the route commitment is not the registered one";
    WrongPolicy = 5, "the policy digest is not the registered one";
    ForeignAuthor = 6, "the author may not write to this keyspace";
    Expired = 7, "the batch came after its valid_until";
    AnchorUnknown = 8, "the anchor lies ahead of the log";
    AnchorTooOld = 9, "the anchor is older than the window allows";
    AnchorMismatch = 10, "the anchor's root is not this log's root at that size";
    /// The author's sequence is below the window of remembered ones: it may have been applied.
    OutcomeUnknown = 11, "the sequence is below the remembered window";
    /// The same sequence was used with another x before.
    SequenceConflict = 12, "the sequence was used by another batch";
    /// The same x again: the first outcome stands.
    Duplicate = 13, "the batch was already in the log";
    AuthorRevoked = 15, "the author was revoked";
    AuthorAfterAnchor = 16, "the author was registered after the batch's anchor";
    EpochExpired = 17, "the epoch has expired";
    EpochRevoked = 18, "the epoch was revoked";
    EpochErased = 19, "the epoch's secret was destroyed";
    CircuitUnknownAtIndex = 20, "the circuit is not activated at this entry";
    CircuitRetired = 21, "the circuit was retired";
    WrongPolicyFamily = 22, "the circuit's policy is not the epoch's";
    CellAuthor = 24, "the author may not write to a cell of the batch";
    CellMissing = 25, "a cell of the batch does not exist";
    /// The loser of a race: another batch came first. Read again, and seal anew.
    CellStale = 26, "a cell of the batch has changed since it was read";
    CellNotNew = 27, "a cell the batch creates exists already";
    CellOfOtherFamily = 28, "a cell of the batch belongs to another policy";
    /// Of a registry change, from here on: it must have exactly the next number.
    WrongNumber = 32, "the change does not have the registry's next number";
    UnknownAdmin = 33, "an admin who signed the change is none at this entry";
    TooFewSignatures = 34, "fewer admins signed the change than the threshold asks for";
    AuthorExists = 35, "the author's key was registered in the keyspace before";
    UnknownAuthor = 36, "the author is not registered in the keyspace";
    EpochExists = 37, "the epoch's id is not the keyspace's next";
    EpochKeyReused = 38, "an epoch of the keyspace had this key before";
    ExpiryInPast = 39, "the epoch would have expired before this entry";
    CircuitExists = 40, "the circuit was activated before";
    RegistryFull = 41, "the registry takes no more of this kind";
    FamilyExists = 42, "the keyspace has the family already";
    UnknownFamily = 43, "the keyspace has no such family";
    CellExists = 44, "the cell was minted before";
    CellLive = 45, "a batch created the cell before";
}

/// The canonical record of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub index: LogIndex,
    pub kind: EntryKind,
    /// Of a batch: its header's digest. Of a registry change: its body's. Of genesis: the cluster
    /// id. Of a no-op: zero.
    #[serde(with = "crate::ids::hash_hex")]
    pub header_digest: Hash,
    /// The batch's public input, canonical little-endian; zero for other kinds.
    #[serde(with = "crate::ids::hash_hex")]
    pub x: [u8; 32],
    pub outcome: Outcome,
}

impl Record {
    /// Leaf 0.
    #[must_use]
    pub fn genesis(cluster: crate::ids::ClusterId) -> Self {
        Self {
            index: 0,
            kind: EntryKind::Genesis,
            header_digest: cluster.0,
            x: [0; 32],
            outcome: Outcome::Applied,
        }
    }

    /// A leader's empty first entry.
    #[must_use]
    pub fn no_op(index: LogIndex) -> Self {
        Self {
            index,
            kind: EntryKind::NoOp,
            header_digest: [0; 32],
            x: [0; 32],
            outcome: Outcome::Applied,
        }
    }

    /// A registry change, applied or refused.
    #[must_use]
    pub fn registry(index: LogIndex, digest: Hash, outcome: Outcome) -> Self {
        Self {
            index,
            kind: EntryKind::Registry,
            header_digest: digest,
            x: [0; 32],
            outcome,
        }
    }

    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut w = Writer::new();
        w.u64(self.index).u8(self.kind.code());
        w.raw(&self.header_digest).raw(&self.x);
        w.u16(self.outcome.code());
        w.finish()
            .try_into()
            .expect("the fields add up to RECORD_BYTES")
    }

    /// # Errors
    /// [`WireError`] for another length, kind or outcome.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let record = Self {
            index: r.u64("record index")?,
            kind: EntryKind::from_code(r.u8("entry kind")?)?,
            header_digest: r.array("header digest")?,
            x: r.array("x")?,
            outcome: Outcome::from_code(r.u16("outcome")?)?,
        };
        r.end()?;
        Ok(record)
    }
}

/// The root of a log that holds genesis alone: what a batch is anchored to before the first
/// checkpoint.
#[must_use]
pub fn genesis_root(cluster: crate::ids::ClusterId) -> Hash {
    super::tree::leaf_hash(&Record::genesis(cluster).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_own_code_and_comes_back() {
        for &outcome in ALL {
            let record = Record {
                index: 9,
                kind: EntryKind::Batch,
                header_digest: [1; 32],
                x: [2; 32],
                outcome,
            };
            assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
        }
        let mut bytes = Record::no_op(1).to_bytes();
        bytes[RECORD_BYTES - 1] = 0xff;
        assert!(Record::from_bytes(&bytes).is_err());
    }
}
