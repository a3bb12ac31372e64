//! The Raft log as the store holds it: keys, values, and the record that must not part from them.
//!
//! [`Column::Entries`], `shard ‖ index` (big-endian) → term, kind, stamp, batch; [`Column::Raft`],
//! `shard ‖ 'h'` → [`HardRecord`], `shard ‖ 't' ‖ index` → the term whose run starts there;
//! [`Column::Meta`], `shard ‖ "applied"` → the applied index, with the cluster's id.
//! Knows nothing of raft-rs.

use super::entry::{Payload, read_entry as decode_entry};
use crate::ids::{ClusterId, LogIndex, ShardId, Term};
use crate::kv::{Column, Read, StoreError, WriteBatch, shard_key};
use crate::wire::{Reader, WireError, Writer};

/// A stored entry, as queries and exports read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub index: LogIndex,
    pub term: Term,
    pub payload: Payload,
}

impl StoredEntry {
    /// The sealed batch; `None` for entries of other kinds.
    #[must_use]
    pub fn batch_bytes(&self) -> Option<&[u8]> {
        match &self.payload {
            Payload::Batch { bytes, .. } => Some(bytes),
            Payload::NoOp | Payload::Change { .. } => None,
        }
    }
}

/// The entry at `index`, or `None` where the stored log has none.
///
/// # Errors
/// Those of the store.
pub fn read_entry(
    store: &dyn Read,
    shard: ShardId,
    index: LogIndex,
) -> Result<Option<StoredEntry>, StoreError> {
    store
        .get(Column::Entries, &entry_key(shard, index))?
        .map(|bytes| decode_stored(index, &bytes))
        .transpose()
}

/// Up to where the log of `leader` is known to be ours, in `term`: bounds the commit indexes it
/// may announce (architecture.md, Commit).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matched {
    pub term: Term,
    /// 0 when nothing has been matched yet.
    pub leader: u64,
    pub index: LogIndex,
}

/// Raft's hard state, with what must never be apart from it on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HardRecord {
    /// Counts the batches a driver wrote, this one included.
    pub writes: u64,
    pub term: Term,
    /// The node voted for in `term`, or 0.
    pub vote: u64,
    pub commit: LogIndex,
    pub last_index: LogIndex,
    pub matched: Matched,
}

impl HardRecord {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(self.writes);
        w.u64(self.term).u64(self.vote).u64(self.commit);
        w.u64(self.last_index).u64(self.matched.term);
        w.u64(self.matched.leader).u64(self.matched.index);
        w.finish()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let record = Self {
            writes: r.u64("writes")?,
            term: r.u64("term")?,
            vote: r.u64("vote")?,
            commit: r.u64("commit")?,
            last_index: r.u64("last index")?,
            matched: Matched {
                term: r.u64("matched term")?,
                leader: r.u64("matched leader")?,
                index: r.u64("matched index")?,
            },
        };
        r.end()?;
        Ok(record)
    }
}

/// The applied index and whose log it is; `None` for a store nothing was ever written to.
///
/// # Errors
/// Those of the store.
pub fn applied(
    store: &dyn Read,
    shard: ShardId,
) -> Result<Option<(LogIndex, ClusterId)>, StoreError> {
    let Some(bytes) = store.get(Column::Meta, &applied_key(shard))? else {
        return Ok(None);
    };
    let mut r = Reader::new(&bytes);
    let mut read = || {
        let read = (r.u64("applied")?, ClusterId(r.array("cluster")?));
        r.end()?;
        Ok(read)
    };
    read()
        .map(Some)
        .map_err(|e: WireError| StoreError::Undecodable {
            what: "applied index",
            reason: e.to_string(),
        })
}

/// Notes that everything up to `index` is applied, in the batch that applies it.
pub fn put_applied(shard: ShardId, index: LogIndex, cluster: ClusterId, batch: &mut WriteBatch) {
    let mut w = Writer::new();
    w.u64(index).raw(&cluster.0);
    batch.put(Column::Meta, applied_key(shard), w.finish());
}

fn applied_key(shard: ShardId) -> Vec<u8> {
    shard_key(shard, b"applied")
}

pub(super) fn entry_key(shard: ShardId, index: LogIndex) -> Vec<u8> {
    shard_key(shard, &index.to_be_bytes())
}

pub(super) fn hard_key(shard: ShardId) -> Vec<u8> {
    shard_key(shard, b"h")
}

pub(super) fn run_key(shard: ShardId, index: LogIndex) -> Vec<u8> {
    let mut suffix = vec![b't'];
    suffix.extend_from_slice(&index.to_be_bytes());
    shard_key(shard, &suffix)
}

pub(super) fn load_runs(
    store: &dyn Read,
    shard: ShardId,
) -> Result<Vec<(LogIndex, Term)>, StoreError> {
    let rows = store.range(
        Column::Raft,
        &run_key(shard, 0),
        &shard_key(shard, b"u"),
        usize::MAX,
    )?;
    let mut runs: Vec<(LogIndex, Term)> = Vec::with_capacity(rows.len());
    for (key, value) in rows {
        let index = key.get(5..).and_then(|b| b.try_into().ok());
        let term = value.as_slice().try_into().ok();
        let (Some(index), Some(term)) = (index, term) else {
            return Err(broken("its term index does not decode"));
        };
        let run = (u64::from_be_bytes(index), u64::from_le_bytes(term));
        if runs.last().is_some_and(|last| last.1 >= run.1) {
            return Err(broken("its terms decrease"));
        }
        runs.push(run);
    }
    Ok(runs)
}

pub(super) fn decode_stored(index: LogIndex, bytes: &[u8]) -> Result<StoredEntry, StoreError> {
    let read = || {
        let mut r = Reader::new(bytes);
        let (term, payload) = decode_entry(&mut r)?;
        r.end()?;
        Ok(StoredEntry {
            index,
            term,
            payload,
        })
    };
    read().map_err(|e: WireError| broken(&format!("entry {index}: {e}")))
}

pub(super) fn broken(reason: &str) -> StoreError {
    StoreError::Undecodable {
        what: "Raft log",
        reason: reason.to_owned(),
    }
}
