//! A sequence of an author is used once: one record per header takes effect, all others of it are
//! `Duplicate` or `SequenceConflict`.

use std::collections::BTreeMap;
use ukehi::batch::SealedBatch;
use ukehi::kv::Read;
use ukehi::log::{EntryKind, Outcome, Record};
use ukehi::replica::read_entry;
use ukehi_keys::AuthorId;

use crate::corpus::SHARD;

#[derive(Default)]
pub struct ExactlyOnce {
    used: BTreeMap<(AuthorId, u64), u64>,
}

impl ExactlyOnce {
    pub fn observe(&mut self, store: &dyn Read, fresh: &[Record]) -> Option<String> {
        for record in fresh.iter().filter(|r| r.kind == EntryKind::Batch) {
            let entry = read_entry(store, SHARD, record.index).ok()??;
            let header = SealedBatch::from_bytes(entry.batch_bytes()?).ok()?.header;
            let sequence = (header.author, header.author_seq);
            let again = matches!(
                record.outcome,
                Outcome::Duplicate | Outcome::SequenceConflict
            );
            let first = self.used.get(&sequence).copied();
            match (first, again) {
                (None, false) => {
                    self.used.insert(sequence, record.index);
                }
                (Some(_), true) => {}
                (first, _) => {
                    let (index, outcome) = (record.index, record.outcome);
                    return Some(format!(
                        "exactly once: {index} is {outcome}, first at {first:?}"
                    ));
                }
            }
        }
        None
    }
}
