//! A stopped node's store, for reading only: what `ukehi doctor` looks at.
//!
//! Invariants: 1. no file of the directory is written; 2. no node has the directory open while
//! this is held, and none can open it. Knows nothing of what the columns mean.

use super::open::{OpenError, Replay, open_read_only};
use super::{RocksStore, checksum, read_error};
use crate::ids::ClusterId;
use crate::kv::{Column, Pair, Read, StoreError};
use rocksdb::IteratorMode;
use rustix::fs::{FlockOperation, fcntl_lock};
use std::fs::File;
use std::path::Path;

/// RocksDB's own lock file, by a POSIX record lock.
const LOCK_FILE: &str = "LOCK";

/// A store that answers reads and takes no write.
pub struct ReadOnlyStore {
    store: RocksStore,
    /// Released when dropped.
    _lock: File,
}

impl ReadOnlyStore {
    /// Opens the store of `cluster` in the directory `path`.
    ///
    /// # Errors
    /// [`OpenError`]: `Empty` where there is none, `InUse` while a node runs on it.
    pub fn open(path: &Path, cluster: ClusterId, replay: Replay) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        let store = RocksStore::over(open_read_only(path, cluster, replay)?);
        Ok(Self { store, _lock: lock })
    }

    /// Reads every row of a column; `row` gets each fault, or `None` for a sound row. Where
    /// RocksDB itself cannot read on, that fault is the column's last.
    pub fn check(&self, column: Column, row: &mut dyn FnMut(Option<StoreError>)) {
        let rows = self
            .store
            .db()
            .iterator_cf(self.store.family(column), IteratorMode::Start);
        for found in rows {
            match found {
                Ok((key, stored)) => row(checksum::open(column, &key, stored.into_vec()).err()),
                Err(error) => row(Some(read_error(column, b"", error))),
            }
        }
    }
}

impl Read for ReadOnlyStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(column, key)
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.store.range(column, from, to, limit)
    }
}

/// RocksDB takes no lock to read; a node that starts meanwhile would compact files away.
fn lock(path: &Path) -> Result<File, OpenError> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(path.join(LOCK_FILE))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OpenError::Empty {
                path: path.to_owned(),
            },
            _ => OpenError::Io {
                path: path.to_owned(),
                reason: error.to_string(),
            },
        })?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| OpenError::InUse {
        path: path.to_owned(),
    })?;
    Ok(file)
}
