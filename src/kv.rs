//! What the pure layers need of a store: ordered columns to read, and a batch of writes that
//! happens wholly or not at all.
//!
//! Invariant: every key starts with its shard (4 bytes, big-endian), so shards never meet.
//! Knows nothing of files, caches or fsync; `store` implements it, over RocksDB and in memory.

use crate::ids::ShardId;
use std::collections::BTreeMap;
use std::ops::Bound;
use thiserror::Error;

/// The column families of a node's store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Raft entries by index: a shard's Raft log is its ledger.
    Entries,
    /// Hard state, conf state, what was matched in which term.
    Raft,
    /// Hashes of complete subtrees, records, cosigned checkpoints.
    Tree,
    /// The keyspace: route tag to the place of its newest slot.
    State,
    /// Per author: which sequence had which outcome.
    Sessions,
    /// Bulk ciphertexts in parts, and which of them applied entries name.
    Bulk,
    /// The changes of the registry: index to outcome and change.
    Registry,
    /// Signed proof of somebody's misbehaviour.
    Evidence,
    /// Applied index, cluster id, format version.
    Meta,
}

impl Column {
    pub const ALL: [Column; 9] = [
        Column::Entries,
        Column::Raft,
        Column::Tree,
        Column::State,
        Column::Sessions,
        Column::Bulk,
        Column::Registry,
        Column::Evidence,
        Column::Meta,
    ];

    /// The column family's name on disk.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Column::Entries => "entries",
            Column::Raft => "raft",
            Column::Tree => "tree",
            Column::State => "state",
            Column::Sessions => "sessions",
            Column::Bulk => "bulk",
            Column::Registry => "registry",
            Column::Evidence => "evidence",
            Column::Meta => "meta",
        }
    }
}

/// Why a store cannot answer. None of these may be retried over (architecture.md, Storage).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    #[error("the value at {column}/{key} fails its checksum: the disk or the file is damaged")]
    Damaged { column: &'static str, key: String },
    #[error("the store cannot {operation}: {reason}")]
    Io {
        operation: &'static str,
        reason: String,
    },
    #[error("the stored {what} does not decode: {reason}")]
    Undecodable { what: &'static str, reason: String },
}

/// Key and value, in key order.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Reads of committed data.
pub trait Read: Send + Sync {
    /// # Errors
    /// [`StoreError::Damaged`] if the stored checksum does not fit, [`StoreError::Io`].
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` pairs with `from <= key < to`, in key order.
    ///
    /// # Errors
    /// As [`Read::get`].
    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError>;
}

/// Writes that happen together. The last write of a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    ops: BTreeMap<(Column, Vec<u8>), Option<Vec<u8>>>,
}

impl WriteBatch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&mut self, column: Column, key: Vec<u8>, value: Vec<u8>) {
        self.ops.insert((column, key), Some(value));
    }

    pub fn delete(&mut self, column: Column, key: Vec<u8>) {
        self.ops.insert((column, key), None);
    }

    /// `None` is a deletion.
    pub fn iter(&self) -> impl Iterator<Item = (Column, &[u8], Option<&[u8]>)> {
        self.ops
            .iter()
            .map(|((column, key), value)| (*column, key.as_slice(), value.as_deref()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.ops.len()
    }
}

/// A store as it will be once `pending` is committed: what apply reads through.
pub struct Overlay<'a> {
    base: &'a dyn Read,
    pending: &'a mut WriteBatch,
}

impl<'a> Overlay<'a> {
    pub fn new(base: &'a dyn Read, pending: &'a mut WriteBatch) -> Self {
        Self { base, pending }
    }

    pub fn put(&mut self, column: Column, key: Vec<u8>, value: Vec<u8>) {
        self.pending.put(column, key, value);
    }

    pub fn delete(&mut self, column: Column, key: Vec<u8>) {
        self.pending.delete(column, key);
    }
}

impl Read for Overlay<'_> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.pending.ops.get(&(column, key.to_vec())) {
            Some(written) => Ok(written.clone()),
            None => self.base.get(column, key),
        }
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let pending = (
            Bound::Included((column, from.to_vec())),
            Bound::Excluded((column, to.to_vec())),
        );
        // Each pending write hides at most one base row, so this many rows of the base suffice.
        let hidden = self.pending.ops.range(pending.clone()).count();
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = self
            .base
            .range(column, from, to, limit.saturating_add(hidden))?
            .into_iter()
            .collect();
        for ((_, key), value) in self.pending.ops.range(pending) {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}

/// `shard ‖ suffix`.
#[must_use]
pub fn shard_key(shard: ShardId, suffix: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + suffix.len());
    key.extend_from_slice(&shard.0.to_be_bytes());
    key.extend_from_slice(suffix);
    key
}
