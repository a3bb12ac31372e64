//! No two nodes ever apply different records at one index (Raft §5.4.3).

use crate::corpus::SHARD;
use ukehi::ids::LogIndex;
use ukehi::kv::Read;
use ukehi::log::{Record, ledger};

#[derive(Default)]
pub struct StateMachineSafety {
    records: Vec<Record>,
    seen: Vec<LogIndex>,
}

impl StateMachineSafety {
    /// Compares what a node's store has gained since the last time. Returns records seen for the
    /// first time anywhere, and what is wrong.
    pub fn observe(&mut self, node: usize, store: &dyn Read) -> (Vec<Record>, Option<String>) {
        if self.seen.len() <= node {
            self.seen.resize(node + 1, 0);
        }
        let size = ledger::tree_size(store, SHARD).expect("an undamaged store");
        let mut fresh = Vec::new();
        for index in self.seen[node]..size {
            let record = ledger::record(store, SHARD, index)
                .expect("an undamaged store")
                .expect("a log has no holes");
            match self.records.get(index as usize) {
                Some(known) if *known != record => {
                    let wrong = format!(
                        "state-machine safety: node {node} at {index}: {record:?}, not {known:?}"
                    );
                    return (fresh, Some(wrong));
                }
                Some(_) => {}
                None => {
                    self.records.push(record);
                    fresh.push(record);
                }
            }
        }
        self.seen[node] = self.seen[node].max(size);
        (fresh, None)
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }
}
