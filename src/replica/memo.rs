//! The batches this process has verified and not yet applied.
//!
//! Invariants: 1. only `Valid` verdicts are kept, by digest; 2. both bounds hold, the oldest goes
//! first: a batch that was forgotten is verified again before it is applied, never trusted.

use crate::batch::VerifiedBatch;
use crate::ids::Hash;
use std::collections::BTreeMap;

/// Above what the uncommitted log and the waiting messages can hold together.
pub const MAX_MEMO_BATCHES: usize = 8192;
pub const MAX_MEMO_BYTES: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub struct Memo {
    batches: BTreeMap<Hash, (u64, VerifiedBatch)>,
    by_age: BTreeMap<u64, Hash>,
    next: u64,
    bytes: usize,
}

impl Memo {
    #[must_use]
    pub fn get(&self, digest: &Hash) -> Option<&VerifiedBatch> {
        self.batches.get(digest).map(|(_, batch)| batch)
    }

    pub fn insert(&mut self, batch: VerifiedBatch) {
        let digest = batch.digest();
        self.remove(&digest);
        self.next += 1;
        self.bytes += batch.bytes().len();
        self.by_age.insert(self.next, digest);
        self.batches.insert(digest, (self.next, batch));
        while self.batches.len() > MAX_MEMO_BATCHES || self.bytes > MAX_MEMO_BYTES {
            let Some((_, oldest)) = self.by_age.first_key_value() else {
                return;
            };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }

    pub fn remove(&mut self, digest: &Hash) {
        if let Some((age, batch)) = self.batches.remove(digest) {
            self.by_age.remove(&age);
            self.bytes -= batch.bytes().len();
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}
