//! What was committed in one term is in the log of every later term's leader (Raft §5.4).

use crate::corpus::SHARD;
use std::collections::BTreeMap;
use ukehi::ids::Term;
use ukehi::kv::Read;
use ukehi::node::driver::DriverStatus;
use ukehi::replica::{Role, StoredEntry, read_entry};

#[derive(Default)]
pub struct LeaderCompleteness {
    /// The newest entry committed in each term; log matching speaks for those before it.
    committed: BTreeMap<Term, StoredEntry>,
    newest_leader: Term,
}

impl LeaderCompleteness {
    /// A node whose term this is was the first to show this commit.
    pub fn committed(&mut self, term: Term, entry: StoredEntry) {
        self.committed.insert(term, entry);
    }

    /// A node shows this status; whether it is a leader not seen before.
    pub fn is_news(&self, status: &DriverStatus) -> bool {
        status.role == Role::Leader && status.term > self.newest_leader
    }

    /// Its whole log is on disk: vote requests leave only then.
    pub fn elected(&mut self, status: &DriverStatus, store: &dyn Read) -> Option<String> {
        self.newest_leader = status.term;
        let (_, entry) = self.committed.range(..status.term).next_back()?;
        let held = read_entry(store, SHARD, entry.index).expect("rows are never damaged");
        (held.as_ref() != Some(entry)).then(|| {
            let (node, term, index) = (status.node, status.term, entry.index);
            format!("leader completeness: node {node} leads term {term} without entry {index}")
        })
    }
}
