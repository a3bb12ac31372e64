//! What one Raft entry carries, and the proposer's signature that travels with it.
//!
//! Invariants: 1. an entry is a leader's no-op (empty data, empty context), or a batch or registry
//! change (kind byte ‖ its bytes, with a [`Stamp`] as context), nothing else; 2. a stamp binds cluster, shard, term,
//! index and digest, so a refused entry convicts its proposer wherever it is shown.
//! Knows nothing of the content's own validity.

use crate::batch::{MAX_BATCH_BYTES, SealedBatch};
use crate::ids::{ClusterId, Hash, LogIndex, NodeId, ShardId, Term};
use crate::log::EntryKind;
use crate::registry::{Change, MAX_CHANGE_BYTES};
use crate::wire::{Reader, WireError, Writer};
use raft::eraftpb;
use std::sync::Arc;
use ukehi_keys::{NodeKey, NodePublicKey};

/// Kind byte and batch; a change is shorter.
pub const MAX_ENTRY_BYTES: usize = 1 + MAX_BATCH_BYTES;
/// Proposer id and signature.
pub const STAMP_BYTES: usize = 8 + 64;
/// Domain of the proposer's signature.
const STAMP_DOMAIN: &[u8] = b"ukehi/entry-proposal/v1";

/// The proposer's signature over [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub proposer: NodeId,
    pub signature: [u8; 64],
}

/// What a stamp is about: this batch or change at this place of this log, in this term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub cluster: ClusterId,
    pub shard: ShardId,
    pub term: Term,
    pub index: LogIndex,
    pub kind: EntryKind,
    /// [`content_digest`].
    pub digest: Hash,
}

impl Position {
    fn to_bytes(self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.cluster.0).u32(self.shard.0);
        w.u64(self.term).u64(self.index);
        w.u8(self.kind.code()).raw(&self.digest);
        w.finish()
    }
}

impl Stamp {
    #[must_use]
    pub fn sign(proposer: NodeId, key: &NodeKey, position: &Position) -> Self {
        Self {
            proposer,
            signature: key.sign(STAMP_DOMAIN, &[&position.to_bytes()]),
        }
    }

    #[must_use]
    pub fn verifies(&self, key: &NodePublicKey, position: &Position) -> bool {
        key.verify(STAMP_DOMAIN, &[&position.to_bytes()], &self.signature)
            .is_ok()
    }

    /// As an entry's context, [`STAMP_BYTES`] long.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(self.proposer.0).raw(&self.signature);
        w.finish()
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            proposer: NodeId(r.u64("proposer")?),
            signature: r.array("proposer signature")?,
        })
    }
}

/// The content of an entry, without its place.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// A new leader's first entry (Raft §8).
    NoOp,
    Batch {
        bytes: Arc<[u8]>,
        stamp: Stamp,
    },
    /// Of the registry.
    Change {
        bytes: Arc<[u8]>,
        stamp: Stamp,
    },
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Payload::NoOp => f.write_str("NoOp"),
            Payload::Batch { bytes, stamp } => {
                write!(f, "Batch({} bytes by node {})", bytes.len(), stamp.proposer)
            }
            Payload::Change { bytes, stamp } => {
                write!(
                    f,
                    "Change({} bytes by node {})",
                    bytes.len(),
                    stamp.proposer
                )
            }
        }
    }
}

/// A payload's content: what it is, its bytes, who proposed it.
#[derive(Clone, Copy)]
pub struct Stamped<'a> {
    pub kind: EntryKind,
    pub bytes: &'a Arc<[u8]>,
    pub stamp: &'a Stamp,
}

impl Stamped<'_> {
    /// [`content_digest`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        content_digest(self.kind, self.bytes)
    }
}

/// What a proposer signs of a batch's or a change's bytes; the two never share one.
#[must_use]
pub fn content_digest(kind: EntryKind, bytes: &[u8]) -> Hash {
    match kind {
        EntryKind::Registry => Change::entry_digest(bytes),
        _ => SealedBatch::digest(bytes),
    }
}

impl Payload {
    /// Splits a raft-rs entry.
    ///
    /// # Errors
    /// [`WireError`] for any entry that is neither a no-op nor stamped content: configuration
    /// entries are refused in this release, the membership is static.
    pub fn of_entry(entry: &eraftpb::Entry) -> Result<Self, WireError> {
        if entry.get_entry_type() != eraftpb::EntryType::EntryNormal {
            return Err(WireError::Unknown {
                field: "entry type",
                found: entry.get_entry_type() as u64,
            });
        }
        if entry.data.is_empty() {
            return match entry.context.len() {
                0 => Ok(Payload::NoOp),
                count => Err(WireError::Trailing { count }),
            };
        }
        if entry.data.len() > MAX_ENTRY_BYTES {
            return Err(WireError::TooLong {
                field: "entry",
                found: entry.data.len() as u64,
                limit: MAX_ENTRY_BYTES,
            });
        }
        let mut r = Reader::new(&entry.context);
        let stamp = Stamp::read(&mut r)?;
        r.end()?;
        let kind = EntryKind::from_code(entry.data[0])?;
        Self::new(kind, Arc::from(&entry.data[1..]), stamp)
    }

    fn new(kind: EntryKind, bytes: Arc<[u8]>, stamp: Stamp) -> Result<Self, WireError> {
        match kind {
            EntryKind::Batch => Ok(Payload::Batch { bytes, stamp }),
            EntryKind::Registry => Ok(Payload::Change { bytes, stamp }),
            other => Err(WireError::Unknown {
                field: "entry kind",
                found: u64::from(other.code()),
            }),
        }
    }

    /// `None` for a no-op.
    #[must_use]
    pub fn stamped(&self) -> Option<Stamped<'_>> {
        let (kind, bytes, stamp) = match self {
            Payload::NoOp => return None,
            Payload::Batch { bytes, stamp } => (EntryKind::Batch, bytes, stamp),
            Payload::Change { bytes, stamp } => (EntryKind::Registry, bytes, stamp),
        };
        Some(Stamped { kind, bytes, stamp })
    }

    #[must_use]
    pub fn into_entry(self, index: LogIndex, term: Term) -> eraftpb::Entry {
        let mut entry = eraftpb::Entry {
            index,
            term,
            ..eraftpb::Entry::default()
        };
        if let Some(Stamped { kind, bytes, stamp }) = self.stamped() {
            entry.data = entry_data(kind, bytes).into();
            entry.context = stamp.to_bytes().into();
        }
        entry
    }
}

/// An entry's data: kind byte and content.
#[must_use]
pub fn entry_data(kind: EntryKind, content: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(1 + content.len());
    data.push(kind.code());
    data.extend_from_slice(content);
    data
}

/// The digest of an entry's batch; `None` for entries of other kinds.
#[must_use]
pub fn batch_digest(entry: &eraftpb::Entry) -> Option<Hash> {
    let (kind, content) = entry.data.split_first()?;
    (*kind == EntryKind::Batch.code()).then(|| SealedBatch::digest(content))
}

/// The encoding shared by disk and wire: term, kind, and for content its stamp and bytes.
pub fn write_entry(w: &mut Writer, entry: &eraftpb::Entry) {
    w.u64(entry.term);
    if entry.data.is_empty() {
        w.u8(EntryKind::NoOp.code());
    } else {
        w.u8(entry.data[0]).raw(&entry.context);
        w.bytes(&entry.data[1..]);
    }
}

/// # Errors
/// [`WireError`] naming the field.
pub fn read_entry(r: &mut Reader<'_>) -> Result<(Term, Payload), WireError> {
    let term = r.u64("entry term")?;
    let kind = EntryKind::from_code(r.u8("entry kind")?)?;
    let limit = match kind {
        EntryKind::NoOp => return Ok((term, Payload::NoOp)),
        EntryKind::Registry => MAX_CHANGE_BYTES,
        _ => MAX_BATCH_BYTES,
    };
    let stamp = Stamp::read(r)?;
    let bytes = r.bytes(limit, "entry content")?;
    if bytes.is_empty() {
        return Err(WireError::NonCanonical {
            field: "entry content",
        });
    }
    Ok((term, Payload::new(kind, Arc::from(bytes), stamp)?))
}
