//! A simulated disk: it loses what was not synced, and its bits can flip.
//!
//! Every value stands behind the checksum of the shipped store (`ukehi::store::checksum`), so a
//! flipped bit is what it is there: a typed error of the store trait. The invariants look at
//! [`Disk::rows`], what the disk should hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ukehi::kv::{Column, Pair, Read, StoreError, WriteBatch};
use ukehi::store::{MemoryStore, Store, checksum};

/// Writes a lying disk forgets at a crash.
const FORGOTTEN_WRITES: usize = 12;

/// Key to the number of the flipped bit in value and checksum.
#[derive(Default)]
struct Flips(Mutex<BTreeMap<(Column, Vec<u8>), u64>>);

impl Flips {
    fn held(&self) -> MutexGuard<'_, BTreeMap<(Column, Vec<u8>), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, column: Column, key: &[u8], value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let held = self.held();
        let flipped = match held.is_empty() {
            true => None,
            false => held.get(&(column, key.to_vec())),
        };
        let Some(&bit) = flipped else {
            return Ok(value);
        };
        let mut stored = checksum::seal(column, key, &value);
        stored[bit as usize / 8] ^= 1 << (bit % 8);
        checksum::open(column, key, stored)
    }
}

/// How the process sees a disk.
struct View {
    rows: Arc<MemoryStore>,
    flips: Arc<Flips>,
}

impl Read for View {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.rows.get(column, key)?;
        value.map(|v| self.flips.read(column, key, v)).transpose()
    }

    fn range(
        &self,
        column: Column,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        let rows = self.rows.range(column, from, to, limit)?;
        let read = |(key, value): Pair| {
            let value = self.flips.read(column, &key, value)?;
            Ok((key, value))
        };
        rows.into_iter().map(read).collect()
    }
}

#[derive(Default)]
pub struct Disk {
    rows: Arc<MemoryStore>,
    flips: Arc<Flips>,
    /// Written since `synced` and not synced, oldest first.
    unsynced: Vec<WriteBatch>,
    synced: Option<MemoryStore>,
}

fn copy(rows: &MemoryStore) -> MemoryStore {
    let mut batch = WriteBatch::new();
    for column in Column::ALL {
        for (key, value) in all(rows, column) {
            batch.put(column, key, value);
        }
    }
    let copy = MemoryStore::new();
    copy.commit(&batch, true).expect("memory does not fail");
    copy
}

fn all(rows: &MemoryStore, column: Column) -> Vec<Pair> {
    rows.range(column, &[], &[0xff; 64], usize::MAX)
        .expect("memory does not fail")
}

impl Disk {
    /// What it should hold.
    pub fn rows(&self) -> Arc<MemoryStore> {
        self.rows.clone()
    }

    pub fn commit(&mut self, batch: &WriteBatch, sync: bool) {
        if sync {
            (self.synced, self.unsynced) = (None, Vec::new());
        } else {
            self.synced.get_or_insert_with(|| copy(&self.rows));
            self.unsynced.push(batch.clone());
        }
        let mut flips = self.flips.held();
        if !flips.is_empty() {
            for (column, key, _) in batch.iter() {
                flips.remove(&(column, key.to_vec()));
            }
        }
        self.rows.commit(batch, sync).expect("memory does not fail");
    }

    /// The machine stops: of what was not synced, `kept` of a hundred writes are there.
    pub fn lose_power(&mut self, kept_percent: u64) {
        let Some(synced) = self.synced.take() else {
            return;
        };
        let unsynced = std::mem::take(&mut self.unsynced);
        let kept = unsynced.len() * kept_percent as usize / 100;
        for batch in &unsynced[..kept] {
            synced.commit(batch, true).expect("memory does not fail");
        }
        self.rows = Arc::new(synced);
    }

    /// A lying disk's crash.
    pub fn forget_newest(&mut self) {
        let writes = self.unsynced.len().max(1);
        let kept = writes.saturating_sub(FORGOTTEN_WRITES);
        self.lose_power((kept * 100 / writes) as u64);
    }

    /// Flips one bit of a stored value of a column, the one `pick` names; says whether there was one.
    pub fn flip(&mut self, column: Column, pick: u64) -> bool {
        let rows = all(&self.rows, column);
        let Some((key, value)) = rows.get(pick as usize % rows.len().max(1)) else {
            return false;
        };
        let bits = checksum::seal(column, key, value).len() as u64 * 8;
        let mut flips = self.flips.held();
        flips.insert((column, key.clone()), (pick >> 8) % bits);
        true
    }

    pub fn is_damaged(&self) -> bool {
        !self.flips.held().is_empty()
    }

    /// As the process sees it.
    pub fn open(&self) -> Arc<dyn Read> {
        Arc::new(View {
            rows: self.rows.clone(),
            flips: self.flips.clone(),
        })
    }
}
