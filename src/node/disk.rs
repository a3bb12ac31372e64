//! A node's disk: its store, and the mark beside it that says how far the store must reach.
//!
//! Invariants: 1. a store that lacks a write its mark knows of is never opened for writing; 2. a
//! write-ahead log is cut only where it lacks nothing its mark knows of: then only a write that was
//! under way, which nobody was told of, is lost.
//! Limit: between two cosigned checkpoints a mark survives the process, not a power cut, and whoever
//! puts back an old image of store *and* mark is not seen here.

use crate::ids::{ClusterId, NodeId, ShardId};
use crate::kv::StoreError;
use crate::replica::Mark;
use crate::replica::mark::Regression;
use crate::store::{MarkError, MarkFile, OpenError, ReadOnlyStore, Replay, RocksStore};
use crate::wire::WireError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use thiserror::Error;

const OWNER_CONTEXT: &str = "ukehi 2026-11 mark owner v1";

/// Why a node must not run on a disk.
#[derive(Debug, Error)]
pub enum DiskError {
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: StoreError },
    #[error(transparent)]
    Mark(#[from] MarkError),
    #[error("{path} does not decode: {source}")]
    MarkContent { path: PathBuf, source: WireError },
    #[error("{data} is there and {mark}, which belongs to it, is not")]
    MarkMissing { data: PathBuf, mark: PathBuf },
    #[error("{data} is older than it was: {source}")]
    Regressed { data: PathBuf, source: Regression },
}

/// Which disk: a node's part of a cluster, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub cluster: ClusterId,
    pub node: NodeId,
    pub shard: ShardId,
    /// The store's directory; the mark is beside it.
    pub data: &'a Path,
}

/// A disk that may be written to.
pub struct Disk {
    pub store: RocksStore,
    pub marks: MarkFile,
    /// Why the write-ahead log was cut, if it was.
    pub cut: Option<OpenError>,
}

impl Place<'_> {
    /// `DATA.mark`.
    #[must_use]
    pub fn mark_path(&self) -> PathBuf {
        let mut name = OsString::from(self.data);
        name.push(".mark");
        PathBuf::from(name)
    }

    fn owner(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(OWNER_CONTEXT);
        hasher.update(&self.cluster.0);
        hasher.update(&self.node.0.to_le_bytes());
        *hasher.finalize().as_bytes()
    }

    /// Opens the disk, or makes a new one where there is neither store nor mark.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn open(&self) -> Result<Disk, DiskError> {
        let kept = self.kept()?;
        // First: a store without a mark is taken for one that lost it.
        let (marks, _) = MarkFile::open(&self.mark_path(), self.owner())?;
        let (store, cut) = match RocksStore::open(self.data, self.cluster) {
            Ok(store) => (store, None),
            Err(fault @ (OpenError::Torn { .. } | OpenError::Damaged { .. })) => {
                // Looked at before it is written to: what RocksDB cuts off is gone.
                let Ok(seen) = self.read_only(Replay::ToFirstFault) else {
                    return Err(fault.into());
                };
                self.require_reached(kept, &seen)?;
                drop(seen);
                let store = RocksStore::open_to_first_fault(self.data, self.cluster)?;
                (store, Some(fault))
            }
            Err(error) => return Err(error.into()),
        };
        self.require_reached(kept, &store)?;
        Ok(Disk { store, marks, cut })
    }

    /// Opens the disk of a stopped node for reading.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn read_only(&self, replay: Replay) -> Result<ReadOnlyStore, OpenError> {
        ReadOnlyStore::open(self.data, self.cluster, replay)
    }

    /// What the mark beside the store says; `None` for a disk never written to.
    ///
    /// # Errors
    /// [`DiskError`], also where the mark is gone and the store is not.
    pub fn kept(&self) -> Result<Option<Mark>, DiskError> {
        let path = self.mark_path();
        if !path.exists() {
            let mut entries = std::fs::read_dir(self.data).into_iter().flatten();
            return match entries.next() {
                None => Ok(None),
                Some(_) => Err(DiskError::MarkMissing {
                    data: self.data.to_owned(),
                    mark: path,
                }),
            };
        }
        let content = MarkFile::read(&path, self.owner())?;
        let mark = content.map(|bytes| Mark::from_bytes(&bytes)).transpose();
        mark.map_err(|source| DiskError::MarkContent { path, source })
    }

    /// That the store has everything the mark knows of.
    ///
    /// # Errors
    /// [`DiskError::Regressed`], [`DiskError::Unreadable`].
    pub fn require_reached(
        &self,
        kept: Option<Mark>,
        store: &dyn crate::kv::Read,
    ) -> Result<(), DiskError> {
        let found = Mark::of_store(store, self.shard).map_err(|source| DiskError::Unreadable {
            path: self.data.to_owned(),
            source,
        })?;
        kept.unwrap_or_default()
            .reached_by(found)
            .map_err(|source| DiskError::Regressed {
                data: self.data.to_owned(),
                source,
            })
    }
}
