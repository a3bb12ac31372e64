//! The parts of a bundle: their names in errors, their codes in the file, their bounds.
//!
//! Invariant: a place has one kind and index in the file, and no two places share them.

use crate::batch::MAX_BATCH_BYTES;
use crate::ids::LogIndex;
use crate::log::{MAX_NOTE_BYTES, RECORD_BYTES};
use std::fmt;

/// Bound on the canonical genesis inside a preamble.
const MAX_GENESIS_BYTES: usize = 1 << 20;
/// Two tiles per level of a log of 2^63 leaves (RFC 6962 trees are binary).
const MAX_RANGE_HASHES: usize = 128;

/// A part of a bundle, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Header,
    /// Which log, which entries.
    Preamble,
    /// Hashes of what precedes a range.
    Frontier,
    /// Hashes of what follows the entries, up to the checkpoint's size.
    Suffix,
    /// A registry change before a range, which the range is judged by.
    Registry(LogIndex),
    Entry(LogIndex),
    Checkpoint,
    /// The last frame.
    Trailer,
    /// Bytes behind the last frame.
    End,
    /// A frame of a kind this release does not know.
    Unknown(u8),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Header => f.write_str("the file header"),
            Place::Preamble => f.write_str("the preamble"),
            Place::Frontier => f.write_str("the hashes before the range"),
            Place::Suffix => f.write_str("the hashes behind the range"),
            Place::Registry(index) => write!(f, "registry change {index}, before the range,"),
            Place::Entry(index) => write!(f, "entry {index}"),
            Place::Checkpoint => f.write_str("the checkpoint"),
            Place::Trailer => f.write_str("the trailer"),
            Place::End => f.write_str("the end of the file"),
            Place::Unknown(kind) => write!(f, "a frame of unknown kind {kind}"),
        }
    }
}

impl Place {
    pub(super) fn kind(self) -> u8 {
        match self {
            Place::Preamble => 1,
            Place::Frontier => 2,
            Place::Suffix => 3,
            Place::Registry(_) => 4,
            Place::Entry(_) => 5,
            Place::Checkpoint => 6,
            Place::Trailer => 7,
            Place::Unknown(kind) => kind,
            Place::Header | Place::End => 0,
        }
    }

    pub(super) fn index(self) -> LogIndex {
        match self {
            Place::Registry(index) | Place::Entry(index) => index,
            _ => 0,
        }
    }

    /// The most bytes a payload at this place may have.
    pub(super) fn limit(self) -> usize {
        match self {
            Place::Preamble => MAX_GENESIS_BYTES + 256,
            Place::Frontier | Place::Suffix => MAX_RANGE_HASHES * 32,
            Place::Registry(_) | Place::Entry(_) => RECORD_BYTES + MAX_BATCH_BYTES,
            Place::Checkpoint => MAX_NOTE_BYTES,
            Place::Trailer => 8 + 32,
            Place::Header | Place::End | Place::Unknown(_) => 0,
        }
    }

    pub(super) fn of(kind: u8, index: LogIndex) -> Self {
        match (kind, index) {
            (4, index) => Place::Registry(index),
            (5, index) => Place::Entry(index),
            (1, 0) => Place::Preamble,
            (2, 0) => Place::Frontier,
            (3, 0) => Place::Suffix,
            (6, 0) => Place::Checkpoint,
            (7, 0) => Place::Trailer,
            (kind, _) => Place::Unknown(kind),
        }
    }
}
