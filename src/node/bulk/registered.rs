//! Who may upload: the authors the applied registry knows and has not revoked.
//!
//! Invariant: what is known is a fold of what the store has applied, caught up at each question.

use crate::genesis::Genesis;
use crate::ids::{LogIndex, ShardId};
use crate::kv::{Read, StoreError};
use crate::registry::{ChangeVerifier, Payload, Registry, rows};
use std::sync::{Arc, Mutex, PoisonError};
use ukehi_keys::AuthorId;

/// Changes folded at once.
const CHUNK: usize = 64;

/// The registry as a store has applied it.
pub struct Registered {
    store: Arc<dyn Read>,
    shard: ShardId,
    changes: ChangeVerifier,
    folded: Mutex<(Registry, LogIndex)>,
}

impl Registered {
    #[must_use]
    pub fn new(store: Arc<dyn Read>, genesis: &Genesis, shard: ShardId) -> Self {
        Self {
            store,
            shard,
            changes: ChangeVerifier::new(genesis, shard),
            folded: Mutex::new((Registry::from_genesis(genesis, shard), 0)),
        }
    }

    /// Whether some keyspace of the shard has the author registered and not revoked.
    ///
    /// # Errors
    /// Those of the store.
    pub fn may_write(&self, author: &AuthorId) -> Result<bool, StoreError> {
        let mut folded = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        let (registry, last) = &mut *folded;
        loop {
            let rows = rows(&*self.store, self.shard, *last + 1, CHUNK)?;
            for (index, _, bytes) in &rows {
                let change = self.changes.verify(bytes, Payload::MayBePruned);
                let change = change.map_err(|e| StoreError::Undecodable {
                    what: "registry change",
                    reason: e.to_string(),
                })?;
                registry.apply(*index, &change);
                *last = *index;
            }
            if rows.len() < CHUNK {
                break;
            }
        }
        Ok(registry.keyspaces().any(|keyspace| {
            let standing = registry.author(keyspace, author);
            standing.is_some_and(|s| s.revoked_at.is_none())
        }))
    }
}
