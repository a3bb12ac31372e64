//! No entry without a true proof is ever applied: the first of the two sums. The oracle knows
//! which batches are poisoned; it asks no verifier.

use crate::corpus::{Corpus, SHARD};
use std::collections::BTreeSet;
use ukehi::ids::LogIndex;
use ukehi::kv::Read;
use ukehi::log::{EntryKind, Record};
use ukehi::replica::read_entry;

#[derive(Default)]
pub struct VerifiedBeforeAck {
    unproven: BTreeSet<LogIndex>,
}

impl VerifiedBeforeAck {
    pub fn observe(&mut self, corpus: &Corpus, store: &dyn Read, fresh: &[Record]) {
        for record in fresh.iter().filter(|r| r.kind == EntryKind::Batch) {
            let entry = read_entry(store, SHARD, record.index)
                .expect("an undamaged store")
                .expect("an applied entry is stored");
            let batch = entry.batch_bytes().expect("its record says batch");
            if corpus.is_poisoned(batch) {
                self.unproven.insert(record.index);
            }
        }
    }

    /// How many unproven entries were applied.
    pub fn sum(&self) -> usize {
        self.unproven.len()
    }
}
