//! The columns in memory.
//!
//! Invariant: answers exactly as `RocksStore` does; one suite runs on both
//! (tests/store_model.rs). Knows nothing of durability: `sync` means nothing here, and a simulated
//! disk that loses unsynced writes is built around it.

use super::Store;
use crate::kv::{Column, Pair, Read, StoreError, WriteBatch};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Every column in one ordered map.
#[derive(Default)]
pub struct MemoryStore {
    rows: RwLock<Rows>,
}

type Rows = BTreeMap<(Column, Vec<u8>), Vec<u8>>;

impl MemoryStore {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Read for MemoryStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(&(column, key.to_vec())).cloned())
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        // BTreeMap::range panics on an inverted range.
        if from >= to {
            return Ok(Vec::new());
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows
            .range((column, from.to_vec())..(column, to.to_vec()))
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &WriteBatch, _sync: bool) -> Result<(), StoreError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (column, key, value) in batch.iter() {
            match value {
                Some(value) => rows.insert((column, key.to_vec()), value.to_vec()),
                None => rows.remove(&(column, key.to_vec())),
            };
        }
        Ok(())
    }
}
