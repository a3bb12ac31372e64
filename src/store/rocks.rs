//! The columns in RocksDB, one column family each.
//!
//! Invariants: 1. no value is returned whose checksum does not bind it to its column and key;
//! 2. a directory serves one cluster and one process; 3. a write-ahead log that does not replay
//! to its last byte is never opened as if it were shorter; 4. after a failed commit RocksDB is not
//! called again, not even to close it: the kernel may have dropped the dirty pages, and a second
//! fsync would then succeed over a hole (reliability.md, bug 17).
//! Knows nothing of what the columns mean. Telling a torn log from a damaged one for certain
//! needs the `mark` file, which a node keeps beside this store.

mod checksum;
mod inspect;
mod open;

pub use inspect::ReadOnlyStore;
pub use open::{FORMAT_VERSION, IDENTITY_KEY_SUFFIX, OpenError, Replay};

use super::Store;
use crate::ids::ClusterId;
use crate::kv::{Column, Pair, Read, StoreError, WriteBatch};
use rocksdb::{ColumnFamily, DB, Direction, ErrorKind, IteratorMode, ReadOptions, WriteOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// A node's store on disk.
pub struct RocksStore {
    /// `None` only while dropping.
    db: Option<DB>,
    /// Set by the first failed commit, under `writing`.
    failed: AtomicBool,
    /// One commit at a time: none may start between another's failure and `failed`.
    writing: Mutex<()>,
}

impl RocksStore {
    /// Opens the store of `cluster` in the directory `path`, or makes a new one there.
    ///
    /// # Errors
    /// [`OpenError`], one variant per thing an operator can do about it.
    pub fn open(path: &Path, cluster: ClusterId) -> Result<Self, OpenError> {
        Ok(Self::over(open::open(path, cluster, Replay::Whole)?))
    }

    /// [`RocksStore::open`] without what follows the first faulty record of the write-ahead log:
    /// only for who has seen, through a [`ReadOnlyStore`], that nothing promised is lost.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_to_first_fault(path: &Path, cluster: ClusterId) -> Result<Self, OpenError> {
        Ok(Self::over(open::open(path, cluster, Replay::ToFirstFault)?))
    }

    fn over(db: DB) -> Self {
        Self {
            db: Some(db),
            failed: AtomicBool::new(false),
            writing: Mutex::new(()),
        }
    }

    fn db(&self) -> &DB {
        self.db.as_ref().expect("taken only in drop")
    }

    fn family(&self, column: Column) -> &ColumnFamily {
        self.db()
            .cf_handle(column.name())
            .expect("open created every column family")
    }

    fn refuse_if_failed(&self, operation: &'static str) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StoreError::Io {
                operation,
                reason: "an earlier commit failed, and this process must end".to_owned(),
            });
        }
        Ok(())
    }

    fn write(&self, batch: &WriteBatch, sync: bool) -> Result<(), rocksdb::Error> {
        if batch.is_empty() {
            return if sync {
                self.db().flush_wal(true)
            } else {
                Ok(())
            };
        }
        let mut rows = rocksdb::WriteBatch::default();
        for (column, key, value) in batch.iter() {
            let family = self.family(column);
            match value {
                Some(value) => rows.put_cf(family, key, checksum::seal(column, key, value)),
                None => rows.delete_cf(family, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        self.db().write_opt(rows, &options)
    }
}

impl Read for RocksStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.refuse_if_failed("read")?;
        let stored = self
            .db()
            .get_pinned_cf(self.family(column), key)
            .map_err(|error| read_error(column, key, error))?;
        stored
            .map(|stored| checksum::open(column, key, stored.to_vec()))
            .transpose()
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.refuse_if_failed("read")?;
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        let mode = IteratorMode::From(from, Direction::Forward);
        self.db()
            .iterator_cf_opt(self.family(column), options, mode)
            .take(limit)
            .map(|row| {
                let (key, stored) = row.map_err(|error| read_error(column, from, error))?;
                let value = checksum::open(column, &key, stored.into_vec())?;
                Ok((key.into_vec(), value))
            })
            .collect()
    }
}

impl Store for RocksStore {
    fn commit(&self, batch: &WriteBatch, sync: bool) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_if_failed("commit")?;
        self.write(batch, sync).map_err(|error| {
            self.failed.store(true, Ordering::Release);
            StoreError::Io {
                operation: "commit",
                reason: error.into_string(),
            }
        })
    }
}

impl Drop for RocksStore {
    fn drop(&mut self) {
        // Closing would flush, which is one more write after the failed one.
        if self.failed.load(Ordering::Acquire) {
            std::mem::forget(self.db.take());
        }
    }
}

/// RocksDB has checksums of its own, over blocks; what they catch is damage too.
fn read_error(column: Column, key: &[u8], error: rocksdb::Error) -> StoreError {
    match error.kind() {
        ErrorKind::Corruption => checksum::damaged(column, key),
        _ => StoreError::Io {
            operation: "read",
            reason: error.into_string(),
        },
    }
}
