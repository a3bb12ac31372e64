//! How far a node had come, for a small file beside its store: what a store that is opened again
//! must not fall short of.
//!
//! Invariants: 1. a mark speaks of durable writes only; 2. writes are numbered, so a store that
//! lost any of them, whatever it held, is known by its number. Knows nothing of files.

use super::raft_log::HardRecord;
use super::stored::{self, broken, hard_key};
use crate::ids::{LogIndex, ShardId, Term, TreeSize};
use crate::kv::{Column, Read, StoreError};
use crate::log::ledger;
use crate::wire::{Reader, WireError, Writer};

/// One shard's progress at a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// How many batches the driver has written, ever.
    pub writes: u64,
    pub term: Term,
    pub last_index: LogIndex,
    pub commit: LogIndex,
    pub applied: LogIndex,
    /// Of the newest cosigned checkpoint saved.
    pub cosigned: TreeSize,
}

/// A store that has forgotten writes since its mark was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it lacks the last {} writes: the node had reached {kept}, the store has {found}",
    kept.writes - found.writes
)]
pub struct Regression {
    pub kept: Mark,
    pub found: Mark,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "term {}, entry {} ({} committed, {} applied)",
            self.term, self.last_index, self.commit, self.applied
        )
    }
}

impl Mark {
    #[must_use]
    pub fn new(hard: &HardRecord, applied: LogIndex, cosigned: TreeSize) -> Self {
        Self {
            writes: hard.writes,
            term: hard.term,
            last_index: hard.last_index,
            commit: hard.commit,
            applied,
            cosigned,
        }
    }

    /// What the store itself says.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of_store(store: &dyn Read, shard: ShardId) -> Result<Self, StoreError> {
        let hard = match store.get(Column::Raft, &hard_key(shard))? {
            Some(bytes) => HardRecord::from_bytes(&bytes).map_err(|e| broken(&e.to_string()))?,
            None => HardRecord::default(),
        };
        let applied = stored::applied(store, shard)?.map_or(0, |(index, _)| index);
        let newest = ledger::newest_checkpoint(store, shard)?;
        let cosigned = newest.map_or(0, |c| c.checkpoint.size);
        Ok(Self::new(&hard, applied, cosigned))
    }

    /// That `found`, read from the store, has everything this mark had.
    ///
    /// # Errors
    /// [`Regression`].
    pub fn reached_by(self, found: Mark) -> Result<(), Regression> {
        match found.writes >= self.writes {
            true => Ok(()),
            false => Err(Regression { kept: self, found }),
        }
    }

    /// 48 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(self.writes).u64(self.term).u64(self.last_index);
        w.u64(self.commit).u64(self.applied).u64(self.cosigned);
        w.finish()
    }

    /// # Errors
    /// [`WireError`] unless it is 48 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let mark = Self {
            writes: r.u64("writes")?,
            term: r.u64("term")?,
            last_index: r.u64("last index")?,
            commit: r.u64("commit")?,
            applied: r.u64("applied")?,
            cosigned: r.u64("cosigned size")?,
        };
        r.end()?;
        Ok(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Mark = Mark {
        writes: 90,
        term: 5,
        last_index: 40,
        commit: 30,
        applied: 29,
        cosigned: 28,
    };

    #[test]
    fn a_store_that_lacks_one_write_is_known_and_one_that_is_ahead_is_not_accused() {
        assert_eq!(KEPT.reached_by(KEPT), Ok(()));
        let ahead = Mark {
            writes: 91,
            // A later write may have replaced entries that were never committed.
            last_index: 31,
            ..KEPT
        };
        assert_eq!(KEPT.reached_by(ahead), Ok(()));
        let found = Mark { writes: 89, ..KEPT };
        let text = KEPT.reached_by(found).unwrap_err().to_string();
        assert!(text.contains("the last 1 writes"), "{text}");
    }

    #[test]
    fn a_mark_comes_back_from_its_bytes_and_no_other_length_does() {
        let bytes = KEPT.to_bytes();
        assert_eq!(Mark::from_bytes(&bytes), Ok(KEPT));
        assert!(Mark::from_bytes(&bytes[1..]).is_err());
        assert!(Mark::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
