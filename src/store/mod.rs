//! Where a node's columns are kept: [`memory`] for the simulator and the offline auditor, `rocks`
//! for a node.
//!
//! Invariants: 1. a batch is committed wholly or not at all; 2. what `commit(_, true)` returned
//! `Ok` for survives the process; 3. after one failed commit nothing is read or written any more.
//! Knows nothing of what the columns mean, of Raft, or of peers.

#[cfg(feature = "node")]
mod mark_file;
pub mod memory;
#[cfg(feature = "node")]
pub mod rocks;

#[cfg(feature = "node")]
pub use mark_file::{MarkError, MarkFile};
pub use memory::MemoryStore;
#[cfg(feature = "node")]
pub use rocks::{OpenError, ReadOnlyStore, Replay, RocksStore};

use crate::kv::{Read, StoreError, WriteBatch};

/// Committed data one can add to.
pub trait Store: Read {
    /// Applies the whole batch, or none of it. With `sync` it is on the disk when this returns,
    /// and so is every batch committed before it: one log serves all columns and shards.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the batch may or may not survive a restart, and no later call will
    /// reach the disk. The process has to end (architecture.md, Storage).
    fn commit(&self, batch: &WriteBatch, sync: bool) -> Result<(), StoreError>;
}
