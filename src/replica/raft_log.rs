//! The Raft log on top of the store: what raft-rs reads, and what each persist writes.
//!
//! Invariants: 1. entries and the hard state that speaks of them are written in one batch, in the
//! order raft-rs produced them; 2. an entry is readable here from the moment it is appended, on
//! disk or not; 3. the log is never compacted in this release: its first index is 1, and it is the
//! shard's ledger. Crash point: a batch lost whole leaves the previous hard state with the
//! previous entries. Knows nothing of peers or of what a batch means.

use super::entry::write_entry;
use super::message::MAX_ENTRIES_PER_MESSAGE;
pub use super::stored::{HardRecord, Matched, StoredEntry, read_entry};
use super::stored::{broken, decode_stored, entry_key, hard_key, load_runs, run_key};
use crate::ids::{LogIndex, NodeId, ShardId, Term};
use crate::kv::{Column, Read, StoreError, WriteBatch};
use crate::wire::Writer;
use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{GetEntriesContext, RaftState, Storage, StorageError};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// Entries kept in memory although they are on disk, in bytes; those not on disk always are.
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// Entries read from the store at once.
const READ_CHUNK: u64 = 16;

/// The log of one shard's Raft group.
pub struct RaftLog {
    store: Arc<dyn Read>,
    shard: ShardId,
    voters: Vec<u64>,
    loaded: HardRecord,
    /// Index and term of the first entry of each term's run, ascending.
    runs: Vec<(LogIndex, Term)>,
    last: LogIndex,
    /// The newest entries, consecutive up to `last`.
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    /// Up to here the store holds what the log holds now.
    persisted: LogIndex,
    /// The same, once the outstanding batch is on disk.
    emitted: LogIndex,
    /// Batches emitted, ever.
    writes: u64,
    /// Why raft-rs is about to panic: it cannot carry the reason itself.
    failure: RefCell<Option<StoreError>>,
}

impl RaftLog {
    /// Reads the hard record and the term runs; entries stay on disk.
    ///
    /// # Errors
    /// Those of the store, and [`StoreError::Undecodable`] for a log that contradicts its hard
    /// record.
    pub fn load(
        store: Arc<dyn Read>,
        shard: ShardId,
        voters: &[NodeId],
    ) -> Result<Self, StoreError> {
        let loaded = match store.get(Column::Raft, &hard_key(shard))? {
            Some(bytes) => HardRecord::from_bytes(&bytes).map_err(|e| broken(&e.to_string()))?,
            None => HardRecord::default(),
        };
        let log = Self {
            runs: load_runs(&*store, shard)?,
            last: loaded.last_index,
            persisted: loaded.last_index,
            emitted: loaded.last_index,
            writes: loaded.writes,
            store,
            shard,
            voters: voters.iter().map(|v| v.0).collect(),
            loaded,
            tail: VecDeque::new(),
            tail_bytes: 0,
            failure: RefCell::new(None),
        };
        log.check()?;
        Ok(log)
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.loaded.commit > self.last {
            return Err(broken("its commit index lies beyond its last entry"));
        }
        if self.last == 0 {
            return Ok(());
        }
        let last = read_entry(&*self.store, self.shard, self.last)?
            .ok_or_else(|| broken("its last entry is missing"))?;
        if Some(last.term) != self.term_at(self.last) {
            return Err(broken(
                "its last entry has another term than its term index",
            ));
        }
        if last.term > self.loaded.term {
            return Err(broken(
                "its last entry is of a later term than its hard state",
            ));
        }
        Ok(())
    }

    #[must_use]
    pub fn loaded(&self) -> &HardRecord {
        &self.loaded
    }

    #[must_use]
    pub fn last(&self) -> LogIndex {
        self.last
    }

    /// The term of an entry: 0 at index 0, `None` beyond the log.
    #[must_use]
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == 0 {
            return Some(0);
        }
        if index > self.last {
            return None;
        }
        let run = self.runs.partition_point(|(first, _)| *first <= index);
        Some(self.runs[run.checked_sub(1)?].1)
    }

    /// The largest index at most `index` whose term is at most `term`, and that entry's term:
    /// what raft-rs searches one entry at a time, which a peer could make it do at will.
    #[must_use]
    pub fn conflict_by_term(&self, index: LogIndex, term: Term) -> (LogIndex, Term) {
        let mut at = index.min(self.last);
        for (first, run_term) in self.runs.iter().rev() {
            if *first > at {
                continue;
            }
            if *run_term <= term {
                return (at, *run_term);
            }
            at = first - 1;
        }
        (0, 0)
    }

    /// An entry of the log, wherever it is.
    ///
    /// # Errors
    /// Those of the store; an entry within the log that is missing is damage.
    pub fn entry(&self, index: LogIndex) -> Result<Option<Entry>, StoreError> {
        if index == 0 || index > self.last {
            return Ok(None);
        }
        if let Some(entry) = self.cached(index) {
            return Ok(Some(entry.clone()));
        }
        let stored = read_entry(&*self.store, self.shard, index)?
            .ok_or_else(|| broken(&format!("entry {index} is missing")))?;
        Ok(Some(stored.payload.into_entry(index, stored.term)))
    }

    /// An entry still in memory.
    #[must_use]
    pub fn cached(&self, index: LogIndex) -> Option<&Entry> {
        let first = self.tail_start();
        let at = index.checked_sub(first)?;
        self.tail.get(usize::try_from(at).ok()?)
    }

    /// Takes what raft-rs appended (replacing any suffix) and writes it into `batch`.
    pub fn append(&mut self, entries: &[Entry], batch: &mut WriteBatch) {
        let Some(first) = entries.first().map(|e| e.index) else {
            return;
        };
        assert!(
            (1..=self.last + 1).contains(&first),
            "raft-rs appends at or below the end of the log"
        );
        self.truncate(first, batch);
        for entry in entries {
            assert_eq!(entry.index, self.last + 1, "entries are consecutive");
            let mut w = Writer::new();
            write_entry(&mut w, entry);
            batch.put(
                Column::Entries,
                entry_key(self.shard, entry.index),
                w.finish(),
            );
            if self.runs.last().is_none_or(|(_, term)| *term != entry.term) {
                self.runs.push((entry.index, entry.term));
                let term = entry.term.to_le_bytes().to_vec();
                batch.put(Column::Raft, run_key(self.shard, entry.index), term);
            }
            self.last = entry.index;
            self.tail_bytes += entry_size(entry);
            self.tail.push_back(entry.clone());
        }
    }

    /// Drops `first` and everything after it, in memory and in `batch`.
    fn truncate(&mut self, first: LogIndex, batch: &mut WriteBatch) {
        for index in first..=self.last {
            batch.delete(Column::Entries, entry_key(self.shard, index));
        }
        while let Some((start, _)) = self.runs.last().copied() {
            if start < first {
                break;
            }
            batch.delete(Column::Raft, run_key(self.shard, start));
            self.runs.pop();
        }
        while self.tail.back().is_some_and(|e| e.index >= first) {
            let entry = self.tail.pop_back().expect("just seen");
            self.tail_bytes -= entry_size(&entry);
        }
        self.last = self.last.min(first - 1);
        self.persisted = self.persisted.min(first - 1);
        // The outstanding batch may hold an older version of these entries.
        self.emitted = self.emitted.min(first - 1);
    }

    /// Adds the hard record to the batch that is about to be handed out.
    pub fn emit(
        &mut self,
        hard: &HardState,
        matched: Matched,
        batch: &mut WriteBatch,
    ) -> HardRecord {
        self.writes += 1;
        let record = HardRecord {
            writes: self.writes,
            term: hard.term,
            vote: hard.vote,
            commit: hard.commit,
            last_index: self.last,
            matched,
        };
        batch.put(Column::Raft, hard_key(self.shard), record.to_bytes());
        self.emitted = self.last;
        record
    }

    /// The batch handed out last is on disk.
    pub fn persisted(&mut self) {
        self.persisted = self.persisted.max(self.emitted);
        while self.tail_bytes > CACHE_BYTES && self.tail_start() <= self.persisted {
            let Some(entry) = self.tail.pop_front() else {
                return;
            };
            self.tail_bytes -= entry_size(&entry);
        }
    }

    /// Why the last call into raft-rs panicked, if the store was the reason.
    #[must_use]
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failure.borrow_mut().take()
    }

    fn tail_start(&self) -> LogIndex {
        self.last + 1 - self.tail.len() as u64
    }

    fn read_range(
        &self,
        low: LogIndex,
        high: LogIndex,
        max: u64,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        let mut bytes = 0u64;
        let mut next = low;
        let high = high.min(low + MAX_ENTRIES_PER_MESSAGE as u64 / 2);
        while next < high {
            let chunk = match self.cached(next) {
                Some(entry) => vec![entry.clone()],
                None => {
                    self.read_stored(next, high.min(self.tail_start()).min(next + READ_CHUNK))?
                }
            };
            for entry in chunk {
                bytes += entry_size(&entry) as u64;
                // The first entry always goes, so that a large one is not stuck.
                if !entries.is_empty() && bytes > max {
                    return Ok(entries);
                }
                next += 1;
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn read_stored(&self, low: LogIndex, high: LogIndex) -> Result<Vec<Entry>, StoreError> {
        let rows = self.store.range(
            Column::Entries,
            &entry_key(self.shard, low),
            &entry_key(self.shard, high),
            READ_CHUNK as usize,
        )?;
        if rows.len() as u64 != high - low {
            return Err(broken(&format!("an entry of {low}..{high} is missing")));
        }
        (low..high)
            .zip(rows)
            .map(|(index, (key, value))| {
                if key != entry_key(self.shard, index) {
                    return Err(broken(&format!("entry {index} is missing")));
                }
                let stored = decode_stored(index, &value)?;
                Ok(stored.payload.into_entry(index, stored.term))
            })
            .collect()
    }

    fn fail(&self, error: StoreError) -> raft::Error {
        let shown = error.to_string();
        *self.failure.borrow_mut() = Some(error);
        raft::Error::Store(StorageError::Other(shown.into()))
    }
}

impl Storage for RaftLog {
    fn initial_state(&self) -> raft::Result<RaftState> {
        let hard = HardState {
            term: self.loaded.term,
            vote: self.loaded.vote,
            commit: self.loaded.commit,
            ..HardState::default()
        };
        let mut conf = ConfState::default();
        conf.set_voters(self.voters.clone());
        Ok(RaftState::new(hard, conf))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low < 1 {
            return Err(raft::Error::Store(StorageError::Compacted));
        }
        if high > self.last + 1 {
            return Err(raft::Error::Store(StorageError::Unavailable));
        }
        let max = max_size.into().unwrap_or(u64::MAX);
        self.read_range(low, high, max).map_err(|e| self.fail(e))
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        self.term_at(index)
            .ok_or(raft::Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last)
    }

    fn snapshot(&self, _request_index: u64, _to: u64) -> raft::Result<Snapshot> {
        // Nothing is ever compacted, so no follower needs one.
        Err(raft::Error::Store(
            StorageError::SnapshotTemporarilyUnavailable,
        ))
    }
}

fn entry_size(entry: &Entry) -> usize {
    entry.data.len() + entry.context.len() + 32
}

#[cfg(test)]
#[path = "raft_log_tests.rs"]
mod tests;
